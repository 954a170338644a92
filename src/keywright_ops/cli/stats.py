"""`keywright stats`: what the server does in a second."""

import argparse

from keywright.errors import InputError
from keywright_ops.actions.reach import Reached
from keywright_ops.actions.stats import LONGEST, SHORTEST, StatsReport, stats
from keywright_ops.cli.figures import count, micros, percent, show_columns
from keywright_ops.cli.looking import looking, over
from keywright_ops.cli.show import YELLOW, coloured, duration, size
from keywright_ops.facts.numbers import fraction, whole


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add stats' own arguments."""
    parser.add_argument(
        "--interval",
        metavar="S",
        type=float,
        default=1.0,
        help="seconds between the two samples (default: 1)",
    )
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask twice and tell what happened in between, beside what was counted from the beginning."""
    interval = arguments.interval
    if not SHORTEST <= interval <= LONGEST:
        raise InputError(
            f"--interval is {interval:g}: it goes from {SHORTEST:g} to {LONGEST:g} seconds"
        )
    return over(arguments, "stats", lambda reached: stats(reached, interval), _show, _fields)


def _fields(report: StatsReport) -> dict[str, object]:
    rates, info = report.rates, report.info
    return {
        "seconds": round(rates.seconds, 3),
        "reset": rates.reset,
        "per_second": {
            name: round(value, 3)
            for name, value in rates._asdict().items()
            if name not in ("seconds", "reset", "cpu")
        },
        "processors": round(rates.cpu, 4),
        "hit_ratio": rates.hit_ratio,
        "total": {name: whole(info, field) for name, field in TOTALS.items()},
        "total_hit_ratio": report.hit_ratio,
        "clients": whole(info, "connected_clients"),
        "blocked_clients": whole(info, "blocked_clients"),
        "errors": dict(report.errors),
        "busiest": [each._asdict() for each in report.busiest],
        "uptime": whole(info, "uptime_in_seconds"),
    }


TOTALS = {
    "commands": "total_commands_processed",
    "connections": "total_connections_received",
    "input": "total_net_input_bytes",
    "output": "total_net_output_bytes",
    "hits": "keyspace_hits",
    "misses": "keyspace_misses",
    "evicted": "evicted_keys",
    "expired": "expired_keys",
    "rejected": "rejected_connections",
    "errors": "total_error_replies",
}
LABELS = (
    ("commands", "commands"),
    ("errors", "error replies"),
    ("hits", "reads that found a key"),
    ("misses", "reads that found none"),
    ("evicted", "evicted keys"),
    ("expired", "expired keys"),
    ("connections", "new connections"),
    ("rejected", "rejected connections"),
)


def _show(_: Reached, report: StatsReport) -> None:
    rates, info = report.rates, report.info
    rows = [
        (label, count(getattr(rates, name)), count(fraction(info, TOTALS[name])))
        for name, label in LABELS
    ]
    rows.insert(4, ("hit ratio", percent(rates.hit_ratio), percent(report.hit_ratio)))
    for name, label in (("input", "network in"), ("output", "network out")):
        total = whole(info, TOTALS[name])
        rows.append((label, size(int(getattr(rates, name))), size(total)))
    rows.append(("processors", f"{rates.cpu:.2f}", ""))
    up = duration(whole(info, "uptime_in_seconds"))
    show_columns(("", f"each second ({rates.seconds:.1f} s)", f"in all (up {up})"), rows)
    if rates.reset:
        text = "the counters began anew in between (a restart, or CONFIG RESETSTAT)"
        print(f"  {coloured('!', YELLOW)} {text}")
    if report.busiest:
        print()
        _show_busiest(report)
    if report.errors:
        worst = sorted(report.errors.items(), key=lambda each: -each[1])[:6]
        print("\n  errors in all: " + ", ".join(f"{name} {n}" for name, n in worst))


def _show_busiest(report: StatsReport) -> None:
    rows = [
        (
            each.name,
            count(each.calls),
            percent(each.share),
            micros(each.usec_per_call),
            count(each.failed),
        )
        for each in report.busiest
    ]
    show_columns(("busiest", "calls/s", "of the time", "a call", "failed/s"), rows)
