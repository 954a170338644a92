"""latency: the round trip from here, how long each command takes, and what stalled the server."""

from collections.abc import Sequence
from typing import NamedTuple

from keywright_ops.actions.reach import Reached
from keywright_ops.actions.soft import ask_softly
from keywright_ops.facts.commandstats import parse_percentiles
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.latency import (
    CommandLatency,
    Event,
    Spread,
    command_latencies,
    parse_histograms,
    parse_history,
    parse_latest,
    spread,
)
from keywright_ops.model.absence import Missing
from keywright_ops.ops.round_trip import STALL, measure_intrinsic, measure_round_trips

SENDS = (
    "PING", "INFO", "LATENCY LATEST", "LATENCY HISTORY", "LATENCY HISTOGRAM", "CONFIG GET", "TIME",
)  # fmt: skip
THRESHOLD = "latency-monitor-threshold"


class LatencyReport(NamedTuple):
    """`trips` are microseconds in the order in which they were measured, `through` the program that carries
    them ("" for a connection of our own). `threshold` is milliseconds, 0 is off; Missing where CONFIG GET is
    not allowed. `now` is the server's clock (seconds since 1970). `advice` is a command to go on with, or "".
    """

    through: str
    trips: Sequence[float]
    round_trip: Spread | None
    commands: Sequence[CommandLatency]
    commands_missing: str
    events: Sequence[Event] | Missing
    threshold: int | Missing
    now: int
    notes: Sequence[str]
    advice: str


def latency(reached: Reached, samples: int) -> LatencyReport:
    """Measure the round trip, and ask what the server itself has measured."""
    with reached.wire() as wire:
        trips = measure_round_trips(wire, samples)
        through = wire.endpoint.relay[0].rpartition("/")[2] if wire.endpoint.relay else ""
    latest, histogram, stats, config, time = ask_softly(
        reached,
        [
            ("LATENCY", "LATEST"),
            ("LATENCY", "HISTOGRAM"),
            ("INFO", "latencystats"),
            ("CONFIG", "GET", THRESHOLD),
            ("TIME",),
        ],
    )
    histograms = () if isinstance(histogram, Missing) else parse_histograms(histogram)
    told = {} if isinstance(stats, Missing) else parse_percentiles(parse_info(stats))
    commands = command_latencies(told, histograms)
    missing = ""
    if not commands:
        missing = histogram.why if isinstance(histogram, Missing) else "latency-tracking is off"
    events = latest if isinstance(latest, Missing) else _with_history(reached, parse_latest(latest))
    threshold = config if isinstance(config, Missing) else _threshold(config)
    now = 0 if isinstance(time, Missing) else int(time[0])
    return LatencyReport(
        through,
        trips,
        spread(trips),
        commands,
        missing,
        events,
        threshold,
        now,
        [*_less(commands, histogram), *_notes(threshold, events)],
        f"keywright config set {THRESHOLD} 100" if threshold == 0 else "",
    )


class Intrinsic(NamedTuple):
    """For `seconds` this machine was watched: the gaps (microseconds, from `least` on) in which it let
    nothing run."""

    seconds: float
    least: float
    gaps: Sequence[float]


def intrinsic(seconds: float) -> Intrinsic:
    """Watch the machine on which Keywright runs; no server is asked."""
    return Intrinsic(seconds, STALL, measure_intrinsic(seconds))


def _with_history(reached: Reached, events: Sequence[Event]) -> tuple[Event, ...]:
    if not events:
        return ()
    replies = ask_softly(reached, [("LATENCY", "HISTORY", each.name) for each in events])
    return tuple(
        each if isinstance(reply, Missing) else each._replace(history=parse_history(reply))
        for each, reply in zip(events, replies, strict=True)
    )


def _threshold(reply: Sequence[str]) -> int | Missing:
    return int(reply[1]) if len(reply) > 1 else Missing("the service does not tell it")


def _less(commands: Sequence[CommandLatency], histogram: object) -> list[str]:
    """What is missing where the percentiles are told, but not the histogram."""
    if commands and isinstance(histogram, Missing):
        return [f"calls and the longest are not known: {histogram.why}"]
    return []


def _notes(threshold: int | Missing, events: Sequence[Event] | Missing) -> list[str]:
    """Whether events are recorded at all, and what turns that on."""
    if isinstance(events, Missing):
        return [f"what stalled the server is not known: {events.why}"]
    if isinstance(threshold, Missing):
        if events:
            return []
        return [f"whether stalls are recorded is not known: {threshold.why}"]
    if threshold == 0:
        return [f"stalls are not recorded: {THRESHOLD} is 0"]
    return []
