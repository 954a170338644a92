"""`keywright restart`: stop and start the server, and prove that the data is there."""

import argparse
import os

from keywright_ops.actions.down import down_steps, restart
from keywright_ops.actions.environment import open_environment
from keywright_ops.actions.proving import failed
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.asking import ask
from keywright_ops.cli.diff import show_steps
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL
from keywright_ops.cli.up import show_headline, show_up_json
from keywright_ops.steps.restart import start


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add restart's own arguments."""
    changing(parser)


def run(arguments: argparse.Namespace) -> int:
    """Restart and prove, or print the steps."""
    if arguments.dry_run:
        opened = open_environment(arguments.file, arguments.env, os.environ)
        show_steps(
            "restart", opened.plan, (*down_steps(opened, for_good=False), start()), arguments
        )
        return EXIT_WELL
    report = restart(ask(arguments))
    if arguments.json:
        show_up_json("restart", report)
    elif not arguments.quiet:
        print()
        show_headline(report)
    return EXIT_FAILED if failed(report.outcomes) else EXIT_WELL
