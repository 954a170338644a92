"""Passes over a stream: entries in listpacks, then what is known of it, its groups and their pending entries.

Each version added something: 2 the first and the deleted ids and how many were ever added, 3 when a
consumer was last active, 4 (Redis 8.6) the producers whose repeated messages are dropped, 5 (Redis 8.8)
the entries that consumers gave back.
"""

from collections.abc import Callable
from functools import partial

from keywright_ops.facts.rdb.strings import Data, read_length, skip_lengths, skip_strings

ID = 16  # bytes of an entry's id
TIME = 8  # bytes of a time


def skip_stream(version: int) -> Callable[[Data, int], tuple[int, int]]:
    """Return what passes over a stream of that version and counts its entries."""
    return partial(_skip, version)


def _skip(version: int, data: Data, at: int) -> tuple[int, int]:
    packs, at = read_length(data, at)
    at = skip_strings(data, at, 2 * packs)  # an id, and the listpack that begins with it
    entries, at = read_length(data, at)
    at = skip_lengths(data, at, 2 if version == 1 else 7)
    groups, at = read_length(data, at)
    while groups > 0:
        at = _skip_group(version, data, at)
        groups -= 1
    if version > 3:
        at = _skip_producers(data, at)
    return entries, at


def _skip_group(version: int, data: Data, at: int) -> int:
    """Name, last id, how far it read, the pending entries, and the consumers with theirs."""
    at = skip_strings(data, at, 1)
    at = skip_lengths(data, at, 2 if version == 1 else 3)
    pending, at = read_length(data, at)
    while pending > 0:
        at = skip_lengths(data, at + ID + TIME, 1)
        pending -= 1
    consumers, at = read_length(data, at)
    while consumers > 0:
        at = skip_strings(data, at, 1) + (TIME if version < 3 else 2 * TIME)
        pending, at = read_length(data, at)
        at += ID * pending
        consumers -= 1
    if version > 4:
        given_back, at = read_length(data, at)
        at += ID * given_back
    return at


def _skip_producers(data: Data, at: int) -> int:
    """Two limits, the producers with the ids of their messages, and two counters."""
    at = skip_lengths(data, at, 2)
    producers, at = read_length(data, at)
    while producers > 0:
        messages, at = read_length(data, skip_strings(data, at, 1))
        while messages > 0:
            at = skip_lengths(data, skip_strings(data, at, 1), 2)
            messages -= 1
        producers -= 1
    return skip_lengths(data, at, 2)
