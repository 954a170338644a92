"""Reads a dump key by key: type, expiry, size and length of each, at hundreds of megabytes a second.

Values are passed over, not decoded: their lengths are read and nothing of them is copied. It may not
know where the bytes come from: a file that is mapped into memory (mmap) is never loaded as a whole.
"""

from collections.abc import Iterator
from mmap import mmap
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
    forms_of,
)
from keywright_ops.facts.rdb.strings import Data, read_length, read_string

MODULE = 7  # the form of a module's value, whose type has the name that the module gave it
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
    database, expire, idle, freq = 0, None, None, None
    new, entry, number = tuple.__new__, Entry, int.from_bytes
    try:
        while True:
            begun = at
            kind = data[at]
            at += 1
            if kind in forms:
                first = data[at]
                if first < 0x40:
                    key = data[at + 1 : at + first + 1]
                    start, at = at, at + first + 1
                else:
                    start = at
                    key, at = read_string(data, at)
                name, skip = forms[kind]
                if kind == MODULE:
                    name = module_name(read_length(data, at)[0])
                length, at = skip(data, at)
                if at > size:
                    raise cut_off(begun, size)
                yield new(entry, (database, key, name, expire, at - start, length, idle, freq))
                expire = idle = freq = None
            elif kind == EXPIRE_MS:
                expire = number(data[at : at + 8], "little", signed=True)
                at += 8
            elif kind == EXPIRE:
                expire = number(data[at : at + 4], "little", signed=True) * 1000
                at += 4
            elif kind == IDLE:
                idle, at = read_length(data, at)
            elif kind == FREQ:
                freq, at = data[at], at + 1
            elif kind == DATABASE:
                database, at = read_length(data, at)
            elif kind == END:
                if size - at < checksum_size(version):
                    raise cut_off(begun, size)
                return
            elif kind in asides:
                at = asides[kind](data, at)
            else:
                raise _unknown(kind, begun, magic, version)
    except IndexError:
        raise cut_off(begun, size) from None


def _unknown(kind: int, at: int, magic: str, version: int) -> DamagedDump:
    if version > NEWEST[magic]:
        return DamagedDump(
            f"the dump is of version {version}, and its record of kind {kind} at byte {at} is newer than "
            f"version {NEWEST[magic]}, the last that is known here",
            "ask the server itself instead of its dump",
        )
    return damaged(f"a record of kind {kind}, which version {version} does not have", at)
