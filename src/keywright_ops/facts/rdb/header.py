"""Reads how a dump begins: whose it is, its version, and what the server wrote of itself."""

from typing import NamedTuple

from keywright_ops.facts.rdb.damage import DamagedDump, cut_off
from keywright_ops.facts.rdb.strings import Data, read_string

AUX = 250
MAGIC_LENGTH = 9  # REDIS0011, VALKEY080
FIRST_WITH_CHECKSUM = 5


class Header(NamedTuple):
    """How a dump begins. `fields` are the server's own: redis-ver or valkey-ver, ctime, used-mem …"""

    magic: str  # REDIS | VALKEY
    version: int
    fields: dict[str, str]


def read_magic(data: Data) -> tuple[str, int]:
    """Return whose dump it is and its version; DamagedDump when it is none."""
    begin = data[:MAGIC_LENGTH]
    for magic in ("REDIS", "VALKEY"):
        digits = begin[len(magic) :]
        if begin.startswith(magic.encode()) and len(begin) == MAGIC_LENGTH and digits.isdigit():
            return magic, int(digits)
    cut = 0 < len(begin) < MAGIC_LENGTH
    if cut and (b"REDIS".startswith(begin[:5]) or b"VALKEY".startswith(begin[:6])):
        raise cut_off(0, len(data))
    what = "it is empty" if not begin else f"it begins with {begin!r}, not with REDIS or VALKEY"
    raise DamagedDump(f"this is no dump: {what}", "a dump is the file that SAVE writes, dump.rdb")


def read_header(data: Data) -> Header:
    """Return how the dump begins, up to the first record that is no field."""
    magic, version = read_magic(data)
    fields: dict[str, str] = {}
    at, begun = MAGIC_LENGTH, MAGIC_LENGTH
    try:
        while data[at] == AUX:
            begun = at
            name, at = read_string(data, at + 1)
            value, at = read_string(data, at)
            if at > len(data):
                raise cut_off(begun, len(data))
            fields[name.decode("utf-8", "backslashreplace")] = value.decode(
                "utf-8", "backslashreplace"
            )
    except IndexError:
        raise cut_off(begun, len(data)) from None
    return Header(magic, version, fields)
