"""`keywright insight up|status|down`: RedisInsight of an environment by itself."""

import argparse
import os

from keywright_ops.actions.environment import open_environment
from keywright_ops.actions.insight import (
    InsightReport,
    down_steps,
    insight_down,
    insight_status,
    insight_up,
    up_steps,
)
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.as_json import plan_json, show_json, steps_json
from keywright_ops.cli.asking import ask
from keywright_ops.cli.diff import show_steps
from keywright_ops.cli.main import EXIT_UNREACHABLE, EXIT_WELL
from keywright_ops.cli.show import GREEN, RED, coloured, show_pairs
from keywright_ops.model.absence import Missing

VERBS = ("up", "status", "down")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add insight's own arguments."""
    parser.add_argument("verb", nargs="?", choices=VERBS, default="status", help="default: status")
    changing(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start it, look at it, or take it down."""
    if arguments.verb != "status" and arguments.dry_run:
        opened = open_environment(arguments.file, arguments.env, os.environ)
        steps = up_steps(opened) if arguments.verb == "up" else down_steps(opened)
        show_steps("insight", opened.plan, steps, arguments)
        return EXIT_WELL
    if arguments.verb == "up":
        report = insight_up(ask(arguments))
    elif arguments.verb == "down":
        report = insight_down(ask(arguments))
    else:
        report = insight_status(arguments.file, arguments.env, os.environ)
    if arguments.json:
        _json(report)
    elif not arguments.quiet:
        _show(report)
    away = arguments.verb != "down" and isinstance(report.health, Missing)
    return EXIT_UNREACHABLE if away else EXIT_WELL


def _json(report: InsightReport) -> None:
    silent = isinstance(report.health, Missing)
    show_json(
        "insight",
        **plan_json(report.plan),
        steps=steps_json(report.steps),
        container=report.insight.name,
        image=report.insight.image,
        state=report.state,
        url=report.url,
        user=report.insight.user,
        health=None if silent else report.health,
        why=report.health.why if isinstance(report.health, Missing) else "",
    )


def _show(report: InsightReport) -> None:
    name = f"RedisInsight · {report.plan.environment}"
    where = f" -e {report.plan.environment}"
    if isinstance(report.health, Missing):
        print(f"{coloured('✗', RED)} {name}: {report.health.why}")
    else:
        print(f"{coloured('✓', GREEN)} {name}: {report.health}")
    rows = [("container", f"{report.insight.name} ({report.state or 'not there'})")]
    if not isinstance(report.health, Missing):
        rows.append(("open", report.url))
    rows.append(("user", f"{report.insight.user} (its preset connection)"))
    if not report.state:
        rows.append(("next", f"keywright insight up{where}"))
    show_pairs(rows)
