"""What every command that looks into servers has in common: as whom, which database, several at once.

`-e dev,prod` asks both at the same time (threads) and shows one after the other; with --json it is one
object whose `environments` is a list.
"""

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from keywright.errors import KeywrightError
from keywright_ops.actions.reach import Reached, reach_server
from keywright_ops.cli.main import EXIT_WELL, exit_code

Report = TypeVar("Report")


def looking(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that looks into a server."""
    parser.add_argument("--as", dest="login", metavar="USER", default="", help="as this ACL user")
    parser.add_argument(
        "-n",
        "--database",
        metavar="N",
        type=int,
        help="the numbered database (default: the file's)",
    )


def reach_one(arguments: argparse.Namespace, environment: str | None = None) -> Reached:
    """Return the way to the server of the environment that was named (or of this one)."""
    return reach_server(
        arguments.file,
        environment or arguments.env,
        os.environ,
        getattr(arguments, "login", ""),
        getattr(arguments, "database", None),
    )


def over(
    arguments: argparse.Namespace,
    report: str,
    look: Callable[[Reached], Report],
    show: Callable[[Reached, Report], None],
    fields: Callable[[Report], dict[str, Any]],
) -> int:
    """Look into every environment that `-e` names, show each, and return the worst exit code.

    `report` names the JSON's schema, `fields` are its own fields of one report.
    """
    names = [name for name in (arguments.env or "").split(",") if name] or [None]
    if len(names) == 1:
        with reach_one(arguments, names[0]) as reached:
            found = look(reached)
        if arguments.json:
            from keywright_ops.cli.as_json import plan_json, show_json  # json costs 3 ms

            show_json(report, **plan_json(reached.plan), **fields(found))
        elif not arguments.quiet:
            show(reached, found)
        return EXIT_WELL
    from keywright_ops.cli.several import several  # threads: only for those who ask several

    return several(arguments, names, report, look, show, fields)


def complain(name: str | None, error: KeywrightError) -> int:
    """Show why one of several environments could not be asked; return its exit code."""
    from keywright_ops.cli.show import show_error

    sys.stdout.flush()
    show_error(error, name)
    return exit_code(error)
