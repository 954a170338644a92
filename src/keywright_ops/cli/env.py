"""`keywright env`: the application's .env; `keywright env check FILE`: what is wrong with one."""

import argparse
import os

from keywright.errors import InputError
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL
from keywright_ops.cli.show import show_warnings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add env's own arguments."""
    parser.add_argument("verb", nargs="?", choices=("check",), help="read a .env and say what is wrong")
    parser.add_argument("path", nargs="?", metavar="FILE", help="the .env that `check` reads")
    parser.add_argument("--reveal", action="store_true", help="print the password too")
    parser.add_argument(
        "--write", nargs="?", const=".env", metavar="FILE", help="write it, for you alone (0600)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print, write or check."""
    if arguments.verb == "check":
        return _check(arguments)
    from keywright_ops.actions.env import env

    report = env(arguments.file, arguments.env, os.environ, arguments.write)
    text = report.text if arguments.reveal else report.masked
    if arguments.json:
        from keywright_ops.cli.as_json import plan_json, show_json

        show_json("env", **plan_json(report.plan), text=text, path=report.path)
    elif report.path:
        print(f"  wrote {report.path} (readable by you alone)")
    else:
        print(text, end="")
    show_warnings(() if arguments.quiet or arguments.json else report.plan.warnings)
    return EXIT_WELL


def _check(arguments: argparse.Namespace) -> int:
    """Exit 1 when a reader would fail or readers disagree."""
    from keywright_ops.actions.env_check import env_check

    if not arguments.path:
        raise InputError("env check needs a file", "keywright env check .env")
    report = env_check(arguments.path)
    if arguments.json:
        from keywright_ops.cli.as_json import show_json

        show_json("env-check", path=report.path, findings=[each._asdict() for each in report.findings])
    else:
        for finding in report.findings:
            print(f"  {finding.line:>4}  {finding.text}")
        if not report.findings:
            print(f"  {report.path}: docker, compose, systemd and python-dotenv read it alike")
    return EXIT_FAILED if report.findings else EXIT_WELL
