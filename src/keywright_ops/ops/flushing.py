"""Counts what a flush would remove, and removes it: whole databases at once, a pattern by paced SCAN.

Rule: never KEYS, never DEL. The server works for us at most half of the time.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from keywright.errors import ReplyError
from keywright.wire import Reply, Wire, Word

SENDS = ("INFO", "SCAN", "TTL", "MEMORY USAGE", "UNLINK", "FLUSHALL", "FLUSHDB")
STEP = 1000  # keys that one SCAN looks at
BATCH = 500  # keys that are removed at once
SAMPLES = 200  # keys whose memory is asked
EXAMPLES = 3  # names that are shown
COUNTING = 2.0  # seconds in which sessions are counted before a whole database goes

# Told how many keys were looked at and how many of them match.
Watch = Callable[[int, int], None]


class Matching(NamedTuple):
    """What a pattern matches: keys, those without a time to live, bytes (estimated), a few names.

    `whole` is False when the count was ended by its time limit: there are at least so many.
    """

    keys: int
    lasting: int
    size: int
    examples: tuple[bytes, ...]
    whole: bool = True


def count_matching(
    wire: Wire, pattern: str, watch: Watch, limit: float = 0.0, details: bool = True
) -> Matching:
    """Count the keys that match, paced; `limit` seconds at most (0: to the end).

    `wire` is raw. With `details` also their times to live, and the memory of a sample.
    """
    keys = lasting = sampled = size = 0
    examples: list[bytes] = []
    begun = time.monotonic()
    for looked, names in _scanned(wire, pattern):
        if names and details:
            lives = _answers(wire, [("TTL", name) for name in names])
            lasting += sum(1 for each in lives if each == -1)
            if sampled < SAMPLES:
                some = names[: SAMPLES - sampled]
                sizes = wire.batch([("MEMORY", "USAGE", name, "SAMPLES", 5) for name in some])
                known = [each for each in sizes if isinstance(each, int)]
                sampled, size = sampled + len(known), size + sum(known)
        examples += names[: EXAMPLES - len(examples)]
        keys += len(names)
        watch(looked, keys)
        if limit and time.monotonic() - begun > limit:
            return Matching(keys, lasting, 0, tuple(examples), whole=False)
    estimate = size * keys // sampled if sampled else 0
    return Matching(keys, lasting, estimate, tuple(examples))


def unlink_matching(wire: Wire, pattern: str, watch: Watch) -> int:
    """Remove the keys that match (UNLINK: memory is freed beside), paced; return how many went."""
    gone = 0
    for looked, names in _scanned(wire, pattern):
        for first in range(0, len(names), BATCH):
            gone += sum(_answers(wire, [("UNLINK", *names[first : first + BATCH])]))
        watch(looked, gone)
    return gone


def _scanned(wire: Wire, pattern: str) -> Iterator[tuple[int, list[bytes]]]:
    """Walk through the database; after each step as long a pause as the step took, our work included."""
    cursor, looked = b"0", 0
    while True:
        begun = time.monotonic()
        [reply] = _answers(wire, [("SCAN", cursor, "MATCH", pattern, "COUNT", STEP)])
        cursor, names = reply
        looked += STEP
        yield looked, names
        if cursor == b"0":
            return
        time.sleep(min(1.0, time.monotonic() - begun))


def _answers(wire: Wire, commands: Sequence[Sequence[Word]]) -> list[Reply]:
    replies = wire.batch(commands)
    for reply, words in zip(replies, commands, strict=True):
        if isinstance(reply, ReplyError):
            reply.add_note(str(words[0]))  # which command it was, for whoever explains it
            raise reply
    return replies
