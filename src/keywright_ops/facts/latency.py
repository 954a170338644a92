"""Reads LATENCY LATEST, HISTORY and HISTOGRAM; and percentiles of what was measured."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keywright_ops.facts.commandstats import command_name


class Event(NamedTuple):
    """Something that stalled the server: when last (seconds since 1970), how long then, the longest ever
    (milliseconds), and its history (when, milliseconds), the oldest first. `meaning` says what it is."""

    name: str
    when: int
    last: int
    longest: int
    history: tuple[tuple[int, int], ...]

    @property
    def meaning(self) -> str:
        """What the server did meanwhile, in words."""
        return MEANINGS.get(self.name, "")


# redis.io: the latency monitor's events
MEANINGS = {
    "command": "a slow command: keywright slowlog",
    "fast-command": "a command that should be fast: the machine was busy or swapped",
    "fork": "the fork for a snapshot or a rewrite: it grows with the memory",
    "aof-fsync-always": "the disk, at appendfsync always",
    "aof-write": "the disk, writing the append-only file",
    "aof-write-pending-fsync": "the disk: a write waited for an fsync",
    "aof-write-active-child": "the disk: a snapshot or rewrite was being written",
    "aof-write-alone": "the disk, writing the append-only file",
    "aof-fstat": "the disk, asked for the append-only file's size",
    "aof-rename": "renaming the append-only file after a rewrite",
    "aof-rewrite-diff-write": "writing what changed during a rewrite",
    "rdb-unlink-temp-file": "removing a temporary snapshot",
    "active-defrag-cycle": "gathering memory in pieces",
    "expire-cycle": "removing many expired keys at once",
    "expire-del": "removing an expired key that is large",
    "eviction-cycle": "making room: maxmemory is reached",
    "eviction-del": "evicting a key that is large",
    "eviction-lazyfree": "waiting for memory to be freed in the background",
    "while-blocked-cron": "the server's own chores while it was blocked",
    "module-acquire-GIL": "a module held the server",
    "command-unblocking": "going on with a command that had waited",
}


class Histogram(NamedTuple):
    """One command's calls by how long they took: `buckets` are (microseconds at most, calls so far)."""

    name: str
    calls: int
    buckets: tuple[tuple[int, int], ...]

    def within(self, part: float) -> int:
        """Return the microseconds within which that part of the calls (0 to 1) ended, to a power of two."""
        wanted = part * self.calls
        return next((usec for usec, calls in self.buckets if calls >= wanted), self.longest)

    @property
    def longest(self) -> int:
        """No call took longer than that (microseconds)."""
        return self.buckets[-1][0] if self.buckets else 0


class Spread(NamedTuple):
    """Of many measurements the least, the half, one in a hundred, and the most; in their unit."""

    samples: int
    least: float
    p50: float
    p99: float
    most: float


def parse_latest(reply: Sequence[Sequence[Any]]) -> tuple[Event, ...]:
    """Return the events of LATENCY LATEST, without their history (Valkey tells more of each)."""
    return tuple(Event(str(e[0]), int(e[1]), int(e[2]), int(e[3]), ()) for e in reply)


def parse_history(reply: Sequence[Sequence[Any]]) -> tuple[tuple[int, int], ...]:
    """Return what LATENCY HISTORY tells of one event: (when, milliseconds), the oldest first."""
    return tuple((int(when), int(took)) for when, took in reply)


def parse_histograms(reply: Sequence[Any]) -> tuple[Histogram, ...]:
    """Return what LATENCY HISTOGRAM tells (from 7.0)."""
    found = []
    for name, told in zip(reply[::2], reply[1::2], strict=False):
        fields = dict(zip(told[::2], told[1::2], strict=False))
        pairs = fields.get("histogram_usec", [])
        buckets = tuple((int(a), int(b)) for a, b in zip(pairs[::2], pairs[1::2], strict=False))
        found.append(Histogram(command_name(str(name)), int(fields.get("calls", 0)), buckets))
    return tuple(found)


def spread(values: Sequence[float]) -> Spread | None:
    """Return the spread of measurements; None of none."""
    if not values:
        return None
    ranked = sorted(values)

    def at(part: float) -> float:
        # the nearest rank: that part of all is not above it
        return ranked[min(len(ranked) - 1, max(0, -(-int(part * 1000) * len(ranked) // 1000) - 1))]

    return Spread(len(ranked), ranked[0], at(0.5), at(0.99), ranked[-1])


class CommandLatency(NamedTuple):
    """One command: calls (0: not told), and within how many microseconds half, 99 % and all of them
    ended; None where it is not told. `exact` is False where they are powers of two."""

    name: str
    calls: int
    p50: float | None
    p99: float | None
    longest: float | None
    exact: bool


def command_latencies(
    percentiles: Mapping[str, Mapping[str, float]], histograms: Sequence[Histogram]
) -> tuple[CommandLatency, ...]:
    """Return each command by INFO latencystats and LATENCY HISTOGRAM, the slowest p99 first."""
    by_name = {each.name: each for each in histograms}
    found = []
    for name in {*percentiles, *by_name}:
        exact, counted = percentiles.get(name, {}), by_name.get(name)
        p50, p99 = exact.get("50"), exact.get("99")
        told = p50 is not None and p99 is not None
        if counted is not None and not told:
            p50, p99 = counted.within(0.5), counted.within(0.99)
        longest = None if counted is None else counted.longest
        calls = 0 if counted is None else counted.calls
        found.append(CommandLatency(name, calls, p50, p99, longest, told))
    return tuple(sorted(found, key=lambda each: (-(each.p99 or 0), each.name)))
