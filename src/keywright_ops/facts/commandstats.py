"""Reads INFO commandstats, latencystats and errorstats: what the server counts of each command."""

from collections.abc import Mapping
from typing import NamedTuple


class CommandStat(NamedTuple):
    """One command since the counters began: times are microseconds. `name` as people write it (CLIENT LIST).

    `failed` calls ended in an error while they ran, `rejected` before (no right, wrong number of words).
    `percentiles` by name ("50", "99", "99.9") where the server keeps them (from 7.0, latency-tracking).
    """

    name: str
    calls: int
    usec: int
    rejected: int
    failed: int
    percentiles: Mapping[str, float]

    @property
    def usec_per_call(self) -> float:
        """Microseconds that a call takes on average."""
        return self.usec / self.calls if self.calls else 0.0


COMMAND, PERCENTILES, ERROR = "cmdstat_", "latency_percentiles_usec_", "errorstat_"


def command_name(field: str) -> str:
    """Return a command as people write it: client|list → CLIENT LIST."""
    return field.replace("|", " ").upper()


def parse_numbers(value: str) -> dict[str, float]:
    """Read `calls=12,usec=30,usec_per_call=2.50`; what is no number is left out."""
    found = {}
    for word in value.split(","):
        name, _, number = word.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            continue
    return found


def parse_commandstats(info: Mapping[str, str]) -> tuple[CommandStat, ...]:
    """Return every command that INFO (parse_info) counts, in its order."""
    found = []
    for field, value in info.items():
        if not field.startswith(COMMAND):
            continue
        name = field[len(COMMAND) :]
        counted = parse_numbers(value)
        told = parse_numbers(info.get(PERCENTILES + name, ""))
        percentiles = {each.removeprefix("p"): usec for each, usec in told.items()}
        found.append(
            CommandStat(
                command_name(name),
                int(counted.get("calls", 0)),
                int(counted.get("usec", 0)),
                int(counted.get("rejected_calls", 0)),
                int(counted.get("failed_calls", 0)),
                percentiles,
            )
        )
    return tuple(found)


def parse_errorstats(info: Mapping[str, str]) -> dict[str, int]:
    """Return how often each kind of error was answered (from 6.2): WRONGTYPE, NOAUTH, OOM …"""
    return {
        field[len(ERROR) :]: int(parse_numbers(value).get("count", 0))
        for field, value in info.items()
        if field.startswith(ERROR)
    }


def parse_percentiles(info: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Return the percentiles (microseconds) of each command in INFO latencystats, by name."""
    return {
        command_name(field[len(PERCENTILES) :]): {
            each.removeprefix("p"): usec for each, usec in parse_numbers(value).items()
        }
        for field, value in info.items()
        if field.startswith(PERCENTILES)
    }
