"""`keywright slowlog [reset]`: what took long, by the shape of its commands, and who sent it."""

import argparse

from keywright.errors import InputError
from keywright_ops.actions.reach import Reached
from keywright_ops.actions.slowlog import (
    KINDS,
    SETTINGS,
    SLOW,
    SlowlogReport,
    slowlog,
)
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.figures import micros, shortened, show_columns, show_notes, span, visible
from keywright_ops.cli.looking import looking, over, reach_one
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import size
from keywright_ops.facts.slowlog import Logged, Shape
from keywright_ops.model.absence import Missing

LINES = 10


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add slowlog's own arguments."""
    parser.add_argument(
        "verb", nargs="?", choices=("show", "reset"), default="show", help="look, or empty it"
    )
    add = parser.add_argument
    add("--each", action="store_true", help="every call by itself, the newest first")
    add("--limit", metavar="N", type=int, default=LINES, help=f"so many lines (default: {LINES})")
    add("--kind", choices=KINDS, default=SLOW, help="Valkey 8.1: also large requests and replies")
    changing(parser)
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the log, or empty it."""
    kind = arguments.kind
    if arguments.limit < 1:
        raise InputError(f"--limit is {arguments.limit}: it is a number of lines, from 1")
    if arguments.verb == "reset":
        return _reset(arguments)
    if arguments.dry_run or arguments.yes:
        raise InputError("--dry-run and --yes belong to `slowlog reset`")
    return over(
        arguments,
        "slowlog",
        lambda reached: slowlog(reached, kind),
        lambda _, report: _show(arguments, report),
        lambda report: _fields(arguments, report),
    )


def _reset(arguments: argparse.Namespace) -> int:
    from keywright_ops.actions.slowlog_reset import count_entries, empty_log
    from keywright_ops.cli.consent import consent

    if "," in (arguments.env or ""):
        raise InputError("slowlog reset takes one environment", "one -e after the other")
    with reach_one(arguments) as reached:
        held = count_entries(reached, arguments.kind)
        what = f"{held} entr{'y' if held == 1 else 'ies'} of the {arguments.kind} log"
        if held and not arguments.dry_run:
            consent(f"forget {what}?", arguments.yes)
            empty_log(reached, arguments.kind)
        if arguments.json:
            _reset_json(reached, arguments, held)
        elif not arguments.quiet:
            print(f"  {'would forget' if arguments.dry_run else 'forgot'} {what}")
    return EXIT_WELL


def _reset_json(reached: Reached, arguments: argparse.Namespace, held: int) -> None:
    from keywright_ops.cli.as_json import plan_json, show_json

    fields = {"log": arguments.kind, "entries": held, "dry_run": arguments.dry_run}
    show_json("slowlog-reset", **(plan_json(reached.plan) | fields))


def _fields(arguments: argparse.Namespace, report: SlowlogReport) -> dict[str, object]:
    limit, known = arguments.limit, not isinstance(report.threshold, Missing)
    return {
        "log": report.kind,
        "unit": "microseconds" if report.kind == SLOW else "bytes",
        "threshold": report.threshold if known else None,
        "most": None if isinstance(report.most, Missing) else report.most,
        "length": report.length,
        "shapes": [_shape_json(each) for each in report.shapes[:limit]],
        "entries": [_entry_json(each) for each in report.entries[:limit]],
        "notes": list(report.notes),
    }


def _shape_json(shape: Shape) -> dict[str, object]:
    who = [visible(each) for each in shape.who]
    return shape._asdict() | {"shape": visible(shape.shape), "who": who}


def _entry_json(entry: Logged) -> dict[str, object]:
    words = [visible(word) for word in entry.words]
    return entry._asdict() | {"words": words, "shape": visible(entry.shape)}


def _show(arguments: argparse.Namespace, report: SlowlogReport) -> None:
    amount = micros if report.kind == SLOW else lambda bytes_: size(int(bytes_))
    if arguments.each and report.entries:
        rows = [
            (
                f"{span(max(0, report.now - each.when))} ago",
                amount(each.amount),
                shortened(visible(each.name or each.address), 21),
                visible(" ".join(each.words)),
            )
            for each in report.entries[: arguments.limit]
        ]
        took = "took" if report.kind == SLOW else "size"
        show_columns(("when", took, "who", "command"), rows, left=(2, 3), shrink=(2, 3))
    elif report.entries:
        shapes = [
            (
                visible(each.shape),
                str(each.calls),
                amount(each.worst),
                amount(each.total),
                f"{span(max(0, report.now - each.last))} ago",
                shortened(visible(", ".join(each.who)), 21),
            )
            for each in report.shapes[: arguments.limit]
        ]
        heads = ("command", "calls", "worst", "in all", "last", "who")
        show_columns(heads, shapes, left=(0, 5), shrink=(0, 5))
    print(f"{'' if not report.entries else chr(10)}  {_summary(report, amount)}")
    show_notes(report.notes)


def _summary(report: SlowlogReport, amount: object) -> str:
    n = report.length
    held = f"{n} {'call' if n == 1 else 'calls'} in the {report.kind} log"
    if isinstance(report.threshold, Missing) or report.threshold < 0:
        return held
    assert callable(amount)
    more = "longer" if report.kind == SLOW else "larger"
    return f"{held}, {more} than {amount(report.threshold)} each ({SETTINGS[report.kind][0]})"
