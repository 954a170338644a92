"""`keywright firewall [show|az|aws]`: who may come in, and the clouds' commands for it."""

import argparse
import os

from keywright_ops.actions.firewall import FIREWALLS, FirewallReport, firewall
from keywright_ops.cli.as_json import plan_json, show_json
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.table import show_table


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add firewall's own arguments."""
    choices = tuple(FIREWALLS)
    parser.add_argument(
        "verb",
        nargs="?",
        choices=choices,
        default="show",
        help="the rules, or the commands for Azure or AWS (default: show)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the rules in the order in which they are asked, or the commands."""
    report = firewall(arguments.file, arguments.env, os.environ, arguments.verb)
    if arguments.json:
        show_json(
            "firewall",
            **plan_json(report.plan),
            rules=[rule._asdict() for rule in report.rules],
            commands=list(report.commands),
        )
    elif report.commands:
        print("\n".join(report.commands))
    else:
        _show(report)
    return EXIT_WELL


def _show(report: FirewallReport) -> None:
    rows = [
        (str(number), rule.action, str(rule.port), rule.interface or rule.source, rule.comment)
        for number, rule in enumerate(report.rules, 1)
    ]
    title = f"{report.plan.environment}: the first rule that matches counts"
    show_table(title, ("", "", "port", "from", "why"), rows)
