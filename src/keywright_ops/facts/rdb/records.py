"""The records between the keys, and which forms of values a dump can have: by whose dump it is."""

from collections.abc import Callable, Mapping

from keywright_ops.facts.rdb.modules import skip_key_note, skip_module_note
from keywright_ops.facts.rdb.strings import Data, read_length, skip_lengths, skip_strings
from keywright_ops.facts.rdb.templates import Templates
from keywright_ops.facts.rdb.values import REDIS, VALKEY, Form

STRING = 0
MODULE = 7  # its type has the name that the module gave it
HASH_OF_TEMPLATE = 32
END = 255
DATABASE = 254  # the keys after it are in that one
EXPIRE = 253  # of the next key: 4 bytes of seconds, before version 3
EXPIRE_MS = 252  # of the next key: 8 bytes of milliseconds
RESIZE = 251  # how many keys a database has, and how many of them expire
AUX = 250  # a name and a value: what the server says of itself
FREQ = 249  # of the next key
IDLE = 248  # of the next key
FUNCTION = 245  # a library's text
MODULE_NOTE = 247  # what a module keeps beside the keys
FUNCTION_EARLY = 246  # a library, of a Redis 7.0 release candidate
SLOT = 244  # a cluster's slot: its number, keys, and keys that expire
SLOT_IMPORT = 243  # Valkey 9: a job that brings slots
KEY_NOTE = 243  # Redis 8.6: what modules keep with the next key
TEMPLATE = 242  # Redis 8.10: the fields' names of many hashes

Aside = Callable[[Data, int], int]


def forms_of(magic: str) -> tuple[list[Form | None], Mapping[int, Aside]]:
    """Return the forms of values and the records that are passed over, by their number."""
    asides: dict[int, Aside] = {
        RESIZE: lambda data, at: skip_lengths(data, at, 2),
        AUX: lambda data, at: skip_strings(data, at, 2),
        FUNCTION: lambda data, at: skip_strings(data, at, 1),
        FUNCTION_EARLY: _skip_early_function,
        MODULE_NOTE: skip_module_note,
        SLOT: lambda data, at: skip_lengths(data, at, 3),
    }
    if magic == "VALKEY":
        asides[SLOT_IMPORT] = _skip_slot_import
        return [VALKEY.get(kind) for kind in range(256)], asides
    templates = Templates()
    asides |= {KEY_NOTE: skip_key_note, TEMPLATE: templates.learn}
    forms = REDIS | {HASH_OF_TEMPLATE: Form("hash", templates.skip_values)}
    return [forms.get(kind) for kind in range(256)], asides


def _skip_early_function(data: Data, at: int) -> int:
    """Name, engine, whether there is a description, the description, the code."""
    described, at = read_length(data, skip_strings(data, at, 2))
    return skip_strings(data, at, 2 if described else 1)


def _skip_slot_import(data: Data, at: int) -> int:
    ranges, at = read_length(data, skip_strings(data, at, 1))
    return skip_lengths(data, at, 2 * ranges)
