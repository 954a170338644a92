"""`keywright down`: stop the server; its data stays."""

import argparse
import os

from keywright_ops.actions.down import down, down_steps
from keywright_ops.actions.environment import open_environment
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.as_json import plan_json, show_json, steps_json
from keywright_ops.cli.asking import ask
from keywright_ops.cli.diff import show_steps
from keywright_ops.cli.main import EXIT_WELL


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add down's own arguments."""
    changing(parser)


def run(arguments: argparse.Namespace) -> int:
    """Stop the server, or print the step."""
    if arguments.dry_run:
        opened = open_environment(arguments.file, arguments.env, os.environ)
        show_steps("down", opened.plan, down_steps(opened), arguments)
        return EXIT_WELL
    report = down(ask(arguments))
    if arguments.json:
        show_json(
            "down", **plan_json(report.plan), steps=steps_json(report.steps), state=report.home
        )
    elif not arguments.quiet:
        if not report.steps:
            print(f"  no server of {report.plan.environment} runs: nothing to do")
        print(f"  data and passwords stay in {report.home}")
    return EXIT_WELL
