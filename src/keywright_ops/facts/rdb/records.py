"""The records between the keys, and which forms of values a dump can have: by whose dump it is."""

from collections.abc import Callable, Mapping

from keywright_ops.facts.rdb.strings import Data, read_length, skip_lengths, skip_strings
from keywright_ops.facts.rdb.values import REDIS, VALKEY, Form

END = 255
DATABASE = 254  # the keys after it are in that one
EXPIRE = 253  # of the next key: 4 bytes of seconds, before version 3
EXPIRE_MS = 252  # of the next key: 8 bytes of milliseconds
RESIZE = 251  # how many keys a database has, and how many of them expire
AUX = 250  # a name and a value: what the server says of itself
FREQ = 249  # of the next key
IDLE = 248  # of the next key
FUNCTION = 245  # a library's text
SLOT = 244  # a cluster's slot: its number, keys, and keys that expire
SLOT_IMPORT = 243  # Valkey 9: a job that brings slots

Aside = Callable[[Data, int], int]


def forms_of(magic: str) -> tuple[Mapping[int, Form], Mapping[int, Aside]]:
    """Return the forms of values and the records that are passed over, by their number."""
    asides: dict[int, Aside] = {
        RESIZE: lambda data, at: skip_lengths(data, at, 2),
        AUX: lambda data, at: skip_strings(data, at, 2),
        FUNCTION: lambda data, at: skip_strings(data, at, 1),
        SLOT: lambda data, at: skip_lengths(data, at, 3),
    }
    if magic == "VALKEY":
        asides[SLOT_IMPORT] = _skip_slot_import
        return VALKEY, asides
    return REDIS, asides


def _skip_slot_import(data: Data, at: int) -> int:
    ranges, at = read_length(data, skip_strings(data, at, 1))
    return skip_lengths(data, at, 2 * ranges)
