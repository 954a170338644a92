"""`keywright commandstats [PATTERN …]`: what the server counts of each command."""

import argparse

from keywright.errors import InputError
from keywright_ops.actions.commandstats import SORTS, CommandstatsReport, commandstats
from keywright_ops.cli.figures import count, micros, percent, show_columns
from keywright_ops.cli.looking import looking, over
from keywright_ops.cli.show import duration
from keywright_ops.facts.commandstats import CommandStat

LINES = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add commandstats' own arguments."""
    add = parser.add_argument
    add("pattern", nargs="*", metavar="PATTERN", help="only these: get, 'h*', keys")
    add("--heavy", action="store_true", help="only those whose time grows with the data: KEYS …")
    orders = "the order: time (default), calls, usec, failed, rejected, p99, name"
    add("--sort", choices=SORTS, metavar="WHAT", default="time", help=orders)
    add("--limit", metavar="N", type=int, default=LINES, help=f"so many lines (default: {LINES})")
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask and show."""
    if arguments.limit < 1:
        raise InputError(f"--limit is {arguments.limit}: it is a number of lines, from 1")
    return over(
        arguments,
        "commandstats",
        lambda reached: commandstats(reached, arguments.pattern, arguments.heavy, arguments.sort),
        lambda _, report: _show(arguments, report),
        lambda report: _fields(arguments, report),
    )


def _fields(arguments: argparse.Namespace, report: CommandstatsReport) -> dict[str, object]:
    return {
        "commands": [_command(each, report) for each in report.commands[: arguments.limit]],
        "all": report.all,
        "calls": report.calls,
        "microseconds": report.usec,
        "uptime": report.uptime,
    }


def _command(one: CommandStat, report: CommandstatsReport) -> dict[str, object]:
    share = one.usec / report.usec if report.usec else 0.0
    return one._asdict() | {"usec_per_call": round(one.usec_per_call, 2), "share": round(share, 6)}


def _show(arguments: argparse.Namespace, report: CommandstatsReport) -> None:
    """The columns of percentiles are there only where the server keeps them."""
    rows = [_row(each, report) for each in report.commands[: arguments.limit]]
    heads = ["command", "calls", "of the time", "a call", "p99", "failed", "rejected"]
    if not report.percentiles:
        heads.remove("p99")
    if rows:
        show_columns(heads, rows)
        print()
    shown, found = len(rows), len(report.commands)
    if not found:
        print("  none of these commands ever ran")
    meant = f" ({found} are meant)" if shown < found < report.all else ""
    print(f"  {shown} of {report.all} kinds of commands{meant}; in all", end=" ")
    print(f"{count(report.calls)} calls, {micros(report.usec)}")
    print(f"  counted since the start {duration(report.uptime)} ago, or CONFIG RESETSTAT")
    if not report.percentiles:
        print("  no percentiles: they need Redis 7.0 or Valkey, and latency-tracking yes")


def _row(one: CommandStat, report: CommandstatsReport) -> list[str]:
    share = one.usec / report.usec if report.usec else None
    row = [one.name, count(one.calls), percent(share), micros(one.usec_per_call)]
    if report.percentiles:
        row.append(micros(one.percentiles["99"]) if "99" in one.percentiles else "")
    return [*row, str(one.failed), str(one.rejected)]
