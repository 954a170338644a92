"""What happened between two answers of INFO: how much of everything a second.

Counters that fell (CONFIG RESETSTAT, a restart) began anew in between: what they show is then all that
happened since, and `reset` says so.
"""

from collections.abc import Mapping
from typing import NamedTuple

from keywright_ops.facts.numbers import fraction


class Rates(NamedTuple):
    """Between two samples, a second each: commands, new connections, bytes in and out, keys that were
    found and not found, evicted and expired keys, rejected connections, errors.

    `seconds` lie between the samples, by the server's own clock where it tells. `hit_ratio` is 0 to 1
    and None when nothing was read; `cpu` is in processors (0.5 is half of one).
    """

    seconds: float
    reset: bool
    commands: float
    connections: float
    input: float
    output: float
    hits: float
    misses: float
    evicted: float
    expired: float
    rejected: float
    errors: float
    cpu: float

    @property
    def hit_ratio(self) -> float | None:
        """The part of the reads that found their key."""
        return ratio(self.hits, self.misses)


class CommandRate(NamedTuple):
    """One command between two samples: calls and failed ones a second, microseconds a call, its `share`
    (0 to 1) of the time that all commands took."""

    name: str
    calls: float
    failed: float
    usec_per_call: float
    share: float


def ratio(part: float, rest: float) -> float | None:
    """Return part / (part + rest), or None where there is neither."""
    return part / (part + rest) if part + rest else None


def elapsed(before: Mapping[str, str], after: Mapping[str, str], seconds: float) -> float:
    """Return the seconds between two INFO by the server's clock; by ours (`seconds`) where it tells none."""
    passed = fraction(after, "server_time_usec") - fraction(before, "server_time_usec")
    return passed / 1e6 if passed > 0 and "server_time_usec" in before else max(seconds, 1e-6)


def grown(before: Mapping[str, str], after: Mapping[str, str], name: str) -> float:
    """Return by how much a counter grew; one that fell began anew."""
    first, last = fraction(before, name), fraction(after, name)
    return last - first if last >= first else max(last, 0.0)


def parse_rates(before: Mapping[str, str], after: Mapping[str, str], seconds: float) -> Rates:
    """Return what happened between two INFO (parse_info), `seconds` apart by our clock."""
    if before.get("run_id") != after.get("run_id"):
        before = {}  # another process: all that it counts happened since it started
        seconds = min(seconds, max(fraction(after, "uptime_in_seconds"), 1.0))
    passed = elapsed(before, after, seconds)
    names = (
        "total_commands_processed", "total_connections_received", "total_net_input_bytes",
        "total_net_output_bytes", "keyspace_hits", "keyspace_misses", "evicted_keys", "expired_keys",
        "rejected_connections", "total_error_replies",
    )  # fmt: skip
    reset = not before or any(fraction(after, name) < fraction(before, name) for name in names)
    cpu = sum(grown(before, after, f"used_cpu_{each}") for each in ("sys", "user"))
    grew = [grown(before, after, name) / passed for name in names]
    return Rates._make((passed, reset, *grew, cpu / passed))


def parse_command_rates(
    before: Mapping[str, str], after: Mapping[str, str], seconds: float
) -> tuple[CommandRate, ...]:
    """Return each command that ran between two INFO with their commandstats, the most time first."""
    from keywright_ops.facts.commandstats import parse_commandstats  # `top` and `stats` alone

    passed = elapsed(before, after, seconds)
    earlier = {each.name: each for each in parse_commandstats(before)}
    ran = []
    for last in parse_commandstats(after):
        first = earlier.get(last.name)
        if first is None or first.calls > last.calls:  # new, or the counters began anew
            first = last._replace(calls=0, usec=0, failed=0)
        if last.calls > first.calls:
            ran.append(
                (last, last.calls - first.calls, last.usec - first.usec, last.failed - first.failed)
            )
    whole = sum(usec for _, _, usec, _ in ran) or 1
    found = [
        CommandRate(one.name, calls / passed, failed / passed, usec / calls, usec / whole)
        for one, calls, usec, failed in ran
    ]
    return tuple(sorted(found, key=lambda each: -each.share))
