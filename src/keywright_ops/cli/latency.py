"""`keywright latency`: the round trip, how long commands take, and what stalled the server."""

import argparse
from collections.abc import Sequence

from keywright.errors import InputError
from keywright_ops.actions.latency import LatencyReport, intrinsic, latency
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.figures import (
    count,
    micros,
    show_columns,
    show_notes,
    span,
)
from keywright_ops.cli.looking import looking, over
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.pictures import sparkline
from keywright_ops.cli.show import BOLD, WIDTH, coloured, columns, environment_option
from keywright_ops.facts.latency import Event
from keywright_ops.model.absence import Missing

SAMPLES, MOST_SAMPLES = 200, 100_000
LINES = 10
LONGEST = 300.0  # seconds of --intrinsic


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add latency's own arguments."""
    add = parser.add_argument
    add("--samples", metavar="N", type=int, default=SAMPLES, help=f"PINGs (default: {SAMPLES})")
    add("--limit", metavar="N", type=int, default=LINES, help=f"commands (default: {LINES})")
    add(
        "--intrinsic",
        metavar="SECONDS",
        type=float,
        help="measure this machine's own stalls instead (where Keywright runs)",
    )
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure and show; --intrinsic asks no server."""
    if arguments.intrinsic is not None:
        return _intrinsic(arguments)
    samples = arguments.samples
    if not 1 <= samples <= MOST_SAMPLES:
        raise InputError(f"--samples is {samples}: it goes from 1 to {MOST_SAMPLES}")
    return over(
        arguments,
        "latency",
        lambda reached: latency(reached, samples),
        lambda reached, report: _show(arguments, reached, report),
        lambda report: _fields(arguments, report),
    )


def _intrinsic(arguments: argparse.Namespace) -> int:
    seconds = arguments.intrinsic
    if not 0.1 <= seconds <= LONGEST:
        raise InputError(f"--intrinsic is {seconds:g}: it goes from 0.1 to {LONGEST:g} seconds")
    _, least, gaps = intrinsic(seconds)
    longest, lost = max(gaps, default=0.0), sum(gaps)
    if arguments.json:
        from keywright_ops.cli.as_json import show_json

        where = "the machine on which Keywright runs"
        fields = {"seconds": seconds, "where": where, "stalls": len(gaps), "least": least}
        show_json("latency-intrinsic", **fields, longest=round(longest, 1), lost=round(lost, 1))
        return EXIT_WELL
    if not arguments.quiet:
        share = lost / seconds / 1e4
        print(f"  on this machine, where Keywright runs: {seconds:g} s of nothing but the clock")
        print(
            f"  {len(gaps)} stalls over {micros(least)}, the longest {micros(longest)}, "
            f"{share:.2f} % of the time lost"
        )
        if gaps:
            print(f"  {sparkline(gaps, 60)}")
        print("  a server on this machine stands still as long; for another machine, run it there")
    return EXIT_WELL


def _fields(arguments: argparse.Namespace, report: LatencyReport) -> dict[str, object]:
    events, threshold = report.events, report.threshold
    return {
        "round_trip": report.round_trip
        and {
            name: value if name == "samples" else round(value, 1)
            for name, value in report.round_trip._asdict().items()
        },
        "through": report.through,
        "commands": [each._asdict() for each in report.commands[: arguments.limit]],
        "events": None
        if isinstance(events, Missing)
        else [each._asdict() | {"meaning": each.meaning} for each in events],
        "threshold": None if isinstance(threshold, Missing) else threshold,
        "missing": report.commands_missing,
        "notes": list(report.notes),
        "next": report.advice,
    }


def _show(arguments: argparse.Namespace, reached: Reached, report: LatencyReport) -> None:
    trip = report.round_trip
    assert trip is not None
    through = f", through {report.through}" if report.through else ""
    print(coloured(f"  round trip from here{through}, {trip.samples} × PING", BOLD))
    figures = (("min", trip.least), ("p50", trip.p50), ("p99", trip.p99), ("max", trip.most))
    print("  " + "   ".join(f"{name} {micros(value)}" for name, value in figures))
    print(f"  {sparkline(report.trips, min(max(columns(), WIDTH) - 4, 100))}")
    print()
    if report.commands:
        _show_commands(arguments, report)
    else:
        print(f"  no percentiles of commands: {report.commands_missing}")
    if not isinstance(report.events, Missing) and report.events:
        print()
        _show_events(report.events, report.now)
    if report.notes:
        print()
    show_notes(report.notes)
    if report.advice:
        print(f"    next: {report.advice}{environment_option(reached.plan)}")


def _show_commands(arguments: argparse.Namespace, report: LatencyReport) -> None:
    """Without the histogram (a viewer may not) neither calls nor the longest are known."""
    rows = [
        (
            each.name,
            count(each.calls) if each.calls else "",
            *(f"{'' if each.exact else '≤ '}{micros(p)}" for p in (each.p50 or 0, each.p99 or 0)),
            f"≤ {micros(each.longest)}" if each.longest is not None else "",
        )
        for each in report.commands[: arguments.limit]
    ]
    show_columns(("in the server", "calls", "p50", "p99", "longest"), rows)


def _show_events(events: Sequence[Event], now: int) -> None:
    rows = [
        (
            each.name,
            f"{span(max(0, now - each.when))} ago" if now else "",
            micros(each.last * 1000),
            micros(each.longest * 1000),
            sparkline([took for _, took in each.history], 12),
            each.meaning,
        )
        for each in events
    ]
    heads = ("stalled by", "last", "took", "longest", "", "")
    show_columns(heads, rows, left=(0, 4, 5), shrink=(0, 5))
