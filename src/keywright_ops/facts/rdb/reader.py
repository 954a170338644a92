"""Reads a dump key by key: type, expiry, size and length of each, at hundreds of megabytes a second.

Values are passed over, not decoded: their lengths are read and nothing of them is copied. It may not
know where the bytes come from: a file that is mapped into memory (mmap) is never loaded as a whole.
"""

from collections.abc import Iterator
from mmap import mmap
from struct import Struct, error
from typing import NamedTuple

from keywright_ops.facts.rdb.checksum import checksum_size, verify_checksum
from keywright_ops.facts.rdb.damage import DamagedDump, cut_off, damaged
from keywright_ops.facts.rdb.header import MAGIC_LENGTH, read_magic
from keywright_ops.facts.rdb.modules import module_name
from keywright_ops.facts.rdb.records import (
    DATABASE,
    END,
    EXPIRE,
    EXPIRE_MS,
    FREQ,
    IDLE,
    MODULE,
    STRING,
    forms_of,
)
from keywright_ops.facts.rdb.strings import Data, read_length, read_string

milliseconds = Struct("<q").unpack_from
seconds = Struct("<i").unpack_from
NEWEST = {"REDIS": 15, "VALKEY": 80}


class Entry(NamedTuple):
    """One key of a dump. `size` is what key and value take in the dump, in bytes: compressed strings
    count compressed, and a server's memory is another matter. `length` counts elements, in a string bytes.
    """

    database: int
    key: bytes
    type: str
    expire_ms: int | None  # since 1970
    size: int
    length: int
    idle: int | None = None  # seconds since it was used, under an LRU policy
    freq: int | None = None  # how often it was used, logarithmically, under an LFU policy


def read_rdb(
    data: bytes | bytearray | memoryview | mmap, *, verify: bool = False
) -> Iterator[Entry]:
    """Return the keys of a dump, in its order; DamagedDump, here or at the key where it stops making sense.

    `bytes` and `mmap` are read where they are, other buffers are copied first. With `verify` the
    checksum is taken before, which is slow: about 10 MB a second.
    """
    steady = data if isinstance(data, (bytes, mmap)) else bytes(data)
    magic, version = read_magic(steady)
    if verify:
        verify_checksum(steady, version)
    return _entries(steady, magic, version)


def _entries(data: Data, magic: str, version: int) -> Iterator[Entry]:
    """Read record after record. One function, with the frequent cases written out: it is most of the time."""
    size, at, begun = len(data), MAGIC_LENGTH, MAGIC_LENGTH
    forms, asides = forms_of(magic)
    database, new, entry = 0, tuple.__new__, Entry
    expire: int | None = None
    idle: int | None = None
    freq: int | None = None
    try:
        while True:
            begun = at
            kind = data[at]
            form = forms[kind]
            if form:
                start = at + 1
                first = data[start]
                if first < 0x40:
                    at = start + 1 + first
                    key = data[start + 1 : at]
                else:
                    key, at = read_string(data, start)
                name, skip, each = form
                if kind == STRING and (length := data[at]) < 0x80:
                    if length < 0x40:
                        at += length + 1
                    else:
                        length = (length & 0x3F) << 8 | data[at + 1]
                        at += length + 2
                else:
                    if kind == MODULE:
                        name = module_name(read_length(data, at)[0])
                    length, at = skip(data, at)
                    if each > 1:
                        length //= each
                if at > size:
                    raise cut_off(begun, size)
                yield new(entry, (database, key, name, expire, at - start, length, idle, freq))
                expire = idle = freq = None
            elif kind == EXPIRE_MS:
                expire = milliseconds(data, at + 1)[0]
                at += 9
            elif kind == EXPIRE:
                expire = seconds(data, at + 1)[0] * 1000
                at += 5
            elif kind == IDLE:
                idle, at = read_length(data, at + 1)
            elif kind == FREQ:
                freq, at = data[at + 1], at + 2
            elif kind == DATABASE:
                database, at = read_length(data, at + 1)
            elif kind == END:
                if size - at - 1 < checksum_size(version):
                    raise cut_off(begun, size)
                return
            elif kind in asides:
                at = asides[kind](data, at + 1)
            else:
                raise _unknown(kind, begun, magic, version)
    except (IndexError, error):
        raise cut_off(begun, size) from None


def _unknown(kind: int, at: int, magic: str, version: int) -> DamagedDump:
    if version > NEWEST[magic]:
        return DamagedDump(
            f"the dump is of version {version}, and its record of kind {kind} at byte {at} is newer than "
            f"version {NEWEST[magic]}, the last that is known here",
            "ask the server itself instead of its dump",
        )
    return damaged(f"a record of kind {kind}, which version {version} does not have", at)
