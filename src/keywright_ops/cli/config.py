"""`keywright config get|set|rewrite|reset-stat`: the server's settings, beside the file's and the plan's."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from keywright.errors import InputError
from keywright_ops.actions.config import ConfigReport, Setting, config_get
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.looking import looking, over, reach_one
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import WIDTH, YELLOW, coloured, size
from keywright_ops.facts.settings import BYTES

SAME, NONE = "=", "-"
WORDS = {"get": "[PATTERN…]", "set": "NAME VALUE", "rewrite": "", "reset-stat": ""}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add config's own arguments."""
    parser.add_argument("verb", choices=tuple(WORDS), help="look, or change")
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="get: patterns such as 'maxmemory*'; set: NAME VALUE",
    )
    parser.add_argument(
        "--live-only", action="store_true", help="set what the file declares; `up` sets it back"
    )
    changing(parser)
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the sides, or change one."""
    if arguments.verb == "get":
        patterns = arguments.words
        look = lambda reached: config_get(reached, patterns)  # noqa: E731 - as in `info`
        return over(arguments, "config-get", look, _show, _fields)
    wanted = 2 if arguments.verb == "set" else 0
    if len(arguments.words) != wanted:
        usage = f"keywright config {arguments.verb} {WORDS[arguments.verb]}".strip()
        raise InputError(
            f"config {arguments.verb} takes {'a name and a value' if wanted else 'no words'}",
            f"{usage}; a value with blanks stands in quotes" if wanted else usage,
        )
    from keywright_ops.cli import config_changing  # only for those who change

    with reach_one(arguments) as reached:
        config_changing.RUN[arguments.verb](arguments, reached)
    return EXIT_WELL


def _show(_: Reached, report: ConfigReport) -> None:
    rows = report.settings
    names = max((len(each.name) for each in rows), default=0)
    sides = [_sides(each) for each in rows]
    widths = [max((len(side[at]) for side in sides), default=0) for at in range(3)]
    head = ("the server", "redis.conf", "declared")
    third = [max(len(head[at]), min(widths[at], 24)) for at in range(3)]
    print(f"  {'setting':<{names}}  {_columns(head, third)}")
    for each, side in zip(rows, sides, strict=True):
        mark = coloured("≠", YELLOW) if each.differs else " "
        line = f"{each.name:<{names}}  {_columns(side, third)}"
        if len(line) + 2 <= WIDTH:
            print(f"{mark} {line}")
        else:
            _show_long(mark, each, side, head)
    sys.stdout.flush()  # what follows on standard error stands below
    if report.no_disk:
        print(f"  without redis.conf: {report.no_disk}", file=sys.stderr)
    differing = sum(each.differs for each in rows)
    if differing:
        told = "1 differs" if differing == 1 else f"{differing} differ"
        print(f"\n  {told}: `keywright diff` says what `keywright up` would do", file=sys.stderr)


def _columns(side: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{text:<{width}}" for text, width in zip(side, widths, strict=True)).rstrip()


def _show_long(mark: str, each: Setting, side: Sequence[str], head: Sequence[str]) -> None:
    """What is too long for the columns stands below its name, each side in a line."""
    print(f"{mark} {each.name}")
    for label, text in zip(head, side, strict=True):
        if text not in (SAME, NONE):
            print(f"      {label:<10}  {text}")


def _sides(each: Setting) -> tuple[str, str, str]:
    """The three values as people read them: the first that is known, and what is the same as it."""
    first = next(
        (value for value in (each.live, each.disk, each.declared) if value is not None), ""
    )
    found = []
    for at, value in enumerate((each.live, each.disk, each.declared)):
        if value is None:
            found.append(NONE)
        elif at and value == first and not each.differs:
            found.append(SAME)
        else:
            found.append(readable(each.name, value))
    return found[0], found[1], found[2]


def readable(name: str, value: str) -> str:
    """A canonical value with its size in words; the empty one is seen."""
    if name in BYTES and value.isdigit() and int(value) >= 1024:
        return f"{value} ({size(int(value))})"
    return value.replace("\n", "; ") or '""'


def _fields(report: ConfigReport) -> dict[str, Any]:
    return {
        "settings": [
            {
                "name": each.name,
                "live": each.live,
                "disk": each.disk,
                "declared": each.declared,
                "differs": each.differs,
            }
            for each in report.settings
        ],
        "no_disk": report.no_disk or None,
    }
