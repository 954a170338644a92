"""`keywright env`: the application's .env; `keywright env check FILE`: what is wrong with one."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from keywright.errors import InputError
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL
from keywright_ops.cli.show import DIM, RED, YELLOW, coloured, show_warnings, wrapped

if TYPE_CHECKING:
    from keywright_ops.actions.env_check import EnvCheckReport

MARKS = {"error": ("✗", RED), "warning": ("!", YELLOW), "note": ("·", DIM)}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add env's own arguments."""
    parser.add_argument(
        "verb", nargs="?", choices=("check",), help="read a .env and say what is wrong"
    )
    parser.add_argument("path", nargs="?", metavar="FILE", help="the .env that `check` reads")
    parser.add_argument("--strict", action="store_true", help="check: exit with 1 on warnings too")
    parser.add_argument("--reveal", action="store_true", help="print the password too")
    parser.add_argument(
        "--write", nargs="?", const=".env", metavar="FILE", help="write it, for you alone (0600)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print, write or check."""
    if arguments.verb == "check":
        return _check(arguments)
    from keywright_ops.actions.env import env

    report = env(arguments.file, arguments.env, os.environ, arguments.write, arguments.reveal)
    text = report.text if arguments.reveal else report.masked
    if arguments.json:
        from keywright_ops.cli.as_json import plan_json, show_json

        show_json("env", **plan_json(report.plan), text=text, path=report.path)
    elif report.path:
        print(f"  wrote {report.path} (readable by you alone)")
    else:
        print(text, end="")
        if not arguments.reveal and not arguments.quiet:
            print("--reveal prints the password, --write FILE writes it", file=sys.stderr)
    show_warnings(() if arguments.quiet or arguments.json else report.plan.warnings)
    return EXIT_WELL


def _check(arguments: argparse.Namespace) -> int:
    """Exit 1 on errors; with --strict on everything that is to be known."""
    from keywright_ops.actions.env_check import env_check

    if not arguments.path:
        raise InputError("env check needs a file", "keywright env check .env")
    report = env_check(arguments.path, os.environ)
    if arguments.json:
        from keywright_ops.cli.as_json import show_json

        show_json(
            "env-check", path=report.path, findings=[each._asdict() for each in report.findings]
        )
    else:
        _show_findings(report)
    errors = any(each.level == "error" for each in report.findings)
    strict = arguments.strict and report.findings
    return EXIT_FAILED if errors or strict else EXIT_WELL


def _show_findings(report: "EnvCheckReport") -> None:
    for finding in report.findings:
        mark, colour = MARKS[finding.level]
        where = f"line {finding.line}: " if finding.line else ""
        lines = wrapped(f"{where}{finding.text}", "    ")
        print(f"  {coloured(mark, colour)} {lines[0].lstrip()}")
        print("\n".join([*lines[1:], *wrapped(f"hint: {finding.hint}", "    ")]))
    if not report.findings:
        print(f"  {report.path}: docker, compose, systemd and python-dotenv read it alike")
