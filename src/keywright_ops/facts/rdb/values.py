"""Passes over the value of each type: how many elements it has, and where it ends.

A skipper takes the dump and where the value begins. The number that stands before a value says its form;
which forms there are depends on whose dump it is, since Redis and Valkey went apart after version 11.
Redis to 8.10 and Valkey to 9.1 are known; other numbers are damage, or the future.
"""

from collections.abc import Callable
from typing import NamedTuple

from keywright_ops.facts.rdb.damage import damaged
from keywright_ops.facts.rdb.modules import skip_module
from keywright_ops.facts.rdb.packed import (
    count_intset,
    count_listpack,
    count_ziplist,
    count_zipmap,
)
from keywright_ops.facts.rdb.streams import skip_stream
from keywright_ops.facts.rdb.strings import Data, measure, read_length, skip_strings
from keywright_ops.facts.rdb.templates import (
    skip_array,
    skip_referring_listpack,
    skip_whole_listpack,
)

Skipper = Callable[[Data, int], tuple[int, int]]


class Form(NamedTuple):
    """One way to write a value: the type as TYPE answers it, how to pass over it, and how many of what
    is counted then make one element: field and value two, with a time three."""

    type: str
    skip: Skipper
    each: int = 1


def skip_list(data: Data, at: int) -> tuple[int, int]:
    """Pass over a list or set: a count, and as many strings."""
    count, at = read_length(data, at)
    return count, skip_strings(data, at, count)


def skip_hash(data: Data, at: int) -> tuple[int, int]:
    """Pass over a hash: a count, and as many fields with their values."""
    count, at = read_length(data, at)
    return count, skip_strings(data, at, 2 * count)


def skip_zset_text(data: Data, at: int) -> tuple[int, int]:
    """Pass over a sorted set up to version 7: scores in digits; a length over 252 is a score."""
    count, at = read_length(data, at)
    for _ in range(count):
        at = skip_strings(data, at, 1)
        digits = data[at]
        at += 1 if digits > 252 else digits + 1
    return count, at


def skip_zset(data: Data, at: int) -> tuple[int, int]:
    """Pass over a sorted set: members, each with a score of 8 bytes."""
    count, at = read_length(data, at)
    left = count
    while left > 0:
        first = data[at]
        if first < 0x40:
            at += first + 9
        else:
            at = skip_strings(data, at, 1) + 8
        left -= 1
    return count, at


def skip_quicklist(data: Data, at: int) -> tuple[int, int]:
    """Pass over a list of ziplists."""
    nodes, at = read_length(data, at)
    elements = 0
    while nodes > 0:
        count, at = count_ziplist(data, at)
        elements += count
        nodes -= 1
    return elements, at


def skip_quicklist_2(data: Data, at: int) -> tuple[int, int]:
    """Pass over a list of listpacks (2), and of large elements that stand alone (1)."""
    nodes, at = read_length(data, at)
    elements = 0
    while nodes > 0:
        container = data[at]
        if container == 2:
            count, at = count_listpack(data, at + 1)
            elements += count
        elif container == 1:
            at = skip_strings(data, at + 1, 1)
            elements += 1
        else:
            raise damaged(f"a list's node of kind {container}", at)
        nodes -= 1
    return elements, at


def skip_hash_expiring_early(data: Data, at: int) -> tuple[int, int]:
    """Pass over a hash of a Redis 7.4 release candidate: each field after its time."""
    count, at = read_length(data, at)
    left = count
    while left > 0:
        at = skip_strings(data, read_length(data, at)[1], 2)
        left -= 1
    return count, at


def skip_hash_expiring(data: Data, at: int) -> tuple[int, int]:
    """Pass over a hash with fields that expire, as Redis 7.4 writes it: the earliest time stands first."""
    return skip_hash_expiring_early(data, at + 8)


def skip_triples(data: Data, at: int) -> tuple[int, int]:
    """Pass over a small hash with fields that expire, of Redis 7.4: the earliest time stands first."""
    return count_listpack(data, at + 8)


def skip_hash_valkey(data: Data, at: int) -> tuple[int, int]:
    """Pass over a hash with fields that expire, of Valkey 9: field, value, 8 bytes of time."""
    count, at = read_length(data, at)
    left = count
    while left > 0:
        at = skip_strings(data, at, 2) + 8
        left -= 1
    return count, at


COMMON = {
    0: Form("string", measure),
    1: Form("list", skip_list),
    2: Form("set", skip_list),
    3: Form("zset", skip_zset_text),
    4: Form("hash", skip_hash),
    5: Form("zset", skip_zset),
    7: Form("module", skip_module),
    9: Form("hash", count_zipmap),
    10: Form("list", count_ziplist),
    11: Form("set", count_intset),
    12: Form("zset", count_ziplist, 2),
    13: Form("hash", count_ziplist, 2),
    14: Form("list", skip_quicklist),
    15: Form("stream", skip_stream(1)),
    16: Form("hash", count_listpack, 2),
    17: Form("zset", count_listpack, 2),
    18: Form("list", skip_quicklist_2),
    19: Form("stream", skip_stream(2)),
    20: Form("set", count_listpack),
    21: Form("stream", skip_stream(3)),
}
VALKEY = COMMON | {22: Form("hash", skip_hash_valkey)}
REDIS = COMMON | {
    22: Form("hash", skip_hash_expiring_early),
    23: Form("hash", count_listpack, 3),
    24: Form("hash", skip_hash_expiring),
    25: Form("hash", skip_triples, 3),
    26: Form("stream", skip_stream(4)),
    27: Form("stream", skip_stream(5)),
    28: Form("array", skip_array),
    29: Form("hash", skip_whole_listpack),
    30: Form("hash", skip_referring_listpack),
    31: Form("hash", skip_hash),
}
