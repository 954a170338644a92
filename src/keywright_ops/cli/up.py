"""`keywright up`: bring an environment to its plan, and prove it."""

import argparse

from keywright_ops.actions.proving import failed
from keywright_ops.actions.up import UpReport, plan_steps, up
from keywright_ops.cli.arguments import changing, engine_option
from keywright_ops.cli.as_json import (
    outcome_json,
    plan_json,
    server_json,
    show_json,
    steps_json,
    timing_json,
    warnings_json,
)
from keywright_ops.cli.asking import ask
from keywright_ops.cli.diff import show_steps
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL
from keywright_ops.cli.show import (
    BOLD,
    RED,
    coloured,
    environment_option,
    show_pairs,
    show_warnings,
)
from keywright_ops.model.absence import Missing
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import FAILED, PASSED


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add up's own arguments."""
    changing(parser)
    parser.add_argument("--strict", action="store_true", help="exit with 1 on warnings too")
    parser.add_argument(
        "--adopt", action="store_true", help="take over data, or a container, that is there already"
    )
    engine_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Apply and prove, or print the steps."""
    wish = ask(arguments)
    if arguments.dry_run:
        opened, steps = plan_steps(wish)
        if opened.plan.unit is not None and not arguments.json:
            from keywright_ops.actions.linux_needs import needs_for
            from keywright_ops.cli.needs import show_needs

            show_needs(needs_for(opened, steps))
        show_steps("up", opened.plan, steps, arguments)
        return EXIT_WELL
    report = up(wish)
    code = EXIT_FAILED if failed(report.outcomes) else EXIT_WELL
    if arguments.strict and report.plan.warnings:
        code = EXIT_FAILED
    if arguments.json:
        show_up_json("up", report)
    elif not arguments.quiet:
        show_up(report)
    return code


def show_up_json(kind: str, report: UpReport) -> None:
    """The whole report for a machine."""
    show_json(
        kind,
        **plan_json(report.plan),
        steps=steps_json(report.steps),
        proofs=[outcome_json(each) for each in report.outcomes],
        server=server_json(report.server),
        address=address(report.plan),
        url=masked_url(report.plan),
        dotenv=report.plan.application.dotenv,
        state=report.home,
        restart_proof=report.restart._asdict() if report.restart else None,
        warnings=warnings_json(report.plan),
        timing=timing_json(report.timing),
    )


def show_up(report: UpReport) -> None:
    """What a person reads after the steps and proofs: what is there now, and what to do next."""
    plan = report.plan
    if not report.steps:
        print("  nothing to do; proven again")
        if plan.container is not None:
            check = f"keywright check -e {plan.environment}"
            print(f"  (`{check}` proves more: a copy loads, a neighbour is refused)")
    show_warnings(plan.warnings)
    print()
    show_headline(report)
    directory = plan.persistence.directory
    show_pairs(
        [
            ("URL", masked_url(plan)),
            (".env", plan.application.dotenv),
            ("data", f"volume {plan.container.volume}" if plan.container else directory),
        ]
    )
    where = environment_option(plan)
    print("\nnext")
    show_pairs(
        [
            (f"keywright status{where}", "how it is"),
            (f"keywright env{where} --write .env", "the application's settings, with the password"),
            (f"keywright down{where}", "stop it; the data stays"),
        ]
    )


def show_headline(report: UpReport) -> None:
    """One line: which server answers where, proven or not."""
    plan, server = report.plan, report.server
    bad = [each for each in report.outcomes if each.verdict == FAILED]
    name = "no server" if isinstance(server, Missing) else f"{server.name} {server.version}"
    passed = sum(each.verdict == PASSED for each in report.outcomes)
    proven = f"{passed} of {len(report.outcomes)} proofs"
    where = f"container {plan.container.name}" if plan.container else ""
    pid = "" if isinstance(server, Missing) else f" ({where or f'process {server.pid}'})"
    line = f"{name} answers on {address(plan)}{pid}"
    if bad:
        print(coloured(f"{line}, but {len(bad)} proofs failed", RED))
    else:
        print(coloured(f"{line}, {proven} passed", BOLD))


def address(plan: Plan) -> str:
    """Where the application finds the server."""
    host = str(plan.application.host)
    return f"[{host}]:{plan.application.port}" if ":" in host else f"{host}:{plan.application.port}"


def masked_url(plan: Plan) -> str:
    """The connection URL without its password."""
    scheme = "rediss" if plan.application.tls else "redis"
    user = plan.application.username or "default"
    return f"{scheme}://{user}:********@{address(plan)}/{plan.application.database}"
