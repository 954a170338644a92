"""`keywright insight up|status|down|renew`: RedisInsight of an environment by itself.

The password of its site is printed by `status --reveal`, and nowhere else.
"""

import argparse
import os

from keywright_ops.actions.environment import Opened, open_environment
from keywright_ops.actions.insight import (
    InsightReport,
    down_steps,
    insight_down,
    insight_renew,
    insight_status,
    insight_up,
    up_steps,
)
from keywright_ops.actions.site_login import SiteLogin, renew_steps
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.as_json import plan_json, show_json, steps_json
from keywright_ops.cli.asking import ask
from keywright_ops.cli.diff import show_steps
from keywright_ops.cli.main import EXIT_UNREACHABLE, EXIT_WELL
from keywright_ops.cli.show import GREEN, RED, coloured, show_pairs
from keywright_ops.model.absence import Missing
from keywright_ops.model.step import Step

VERBS = ("up", "status", "down", "renew")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add insight's own arguments."""
    parser.add_argument("verb", nargs="?", choices=VERBS, default="status", help="default: status")
    parser.add_argument(
        "--reveal", action="store_true", help="status: print the site's password too"
    )
    changing(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start it, look at it, or take it down."""
    if arguments.verb != "status" and arguments.dry_run:
        opened = open_environment(arguments.file, arguments.env, os.environ)
        steps = foreseen(arguments.verb, opened)
        show_steps("insight", opened.plan, steps, arguments)
        return EXIT_WELL
    if arguments.verb == "up":
        report = insight_up(ask(arguments))
    elif arguments.verb == "down":
        report = insight_down(ask(arguments))
    elif arguments.verb == "renew":
        report = insight_renew(ask(arguments))
    else:
        report = insight_status(arguments.file, arguments.env, os.environ)
    reveal = arguments.reveal and arguments.verb == "status"
    if arguments.json:
        _json(report, reveal)
    elif not arguments.quiet:
        _show(report, reveal)
    away = arguments.verb != "down" and isinstance(report.health, Missing)
    return EXIT_UNREACHABLE if away else EXIT_WELL


def foreseen(verb: str, opened: Opened) -> tuple[Step, ...]:
    """Return the steps of one of the verbs that change something."""
    if verb == "renew":
        return renew_steps(opened)[1]
    return up_steps(opened) if verb == "up" else down_steps(opened)


def _json(report: InsightReport, reveal: bool) -> None:
    silent = isinstance(report.health, Missing)
    login = None if isinstance(report.login, Missing) else report.login
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
        site=login.url if login else "",
        login=login.user if login else "",
        password=password_of(login) if login and reveal else None,
    )


def password_of(login: SiteLogin) -> str | None:
    """Return the password in the clear; None as long as there is none."""
    return None if isinstance(login.password, Missing) else login.password.reveal()


def _site_rows(login: SiteLogin | Missing, where: str, reveal: bool) -> list[tuple[str, str]]:
    """Where the site is, and who may in."""
    if isinstance(login, Missing):
        return []
    told = f"keywright insight status{where} --reveal"
    if isinstance(login.password, Missing):
        told = f"{login.password.why}: keywright up{where}"
    elif reveal:
        told = login.password.reveal()
    return [("site", login.url), ("login", login.user), ("password", told)]


def _show(report: InsightReport, reveal: bool) -> None:
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
    rows += _site_rows(report.login, where, reveal)
    if not report.state:
        rows.append(("next", f"keywright insight up{where}"))
    show_pairs(rows)
