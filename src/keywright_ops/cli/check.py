"""`keywright check`: prove an environment again, without disturbing it."""

import argparse

from keywright_ops.actions.check import CheckReport, check
from keywright_ops.actions.proving import failed
from keywright_ops.cli.as_json import (
    outcome_json,
    plan_json,
    server_json,
    show_json,
    timing_json,
    warnings_json,
)
from keywright_ops.cli.asking import ask
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL
from keywright_ops.cli.show import show_warnings
from keywright_ops.model.proof import PASSED


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add check's own arguments."""
    parser.add_argument(
        "--restart", action="store_true", help="restart the server to prove that data survives it"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="answer yes where it asks")
    parser.add_argument("--strict", action="store_true", help="exit with 1 on warnings too")


def run(arguments: argparse.Namespace) -> int:
    """Prove, and say what came of it."""
    report = check(ask(arguments), arguments.restart)
    if arguments.json:
        show_json(
            "check",
            **plan_json(report.plan),
            proofs=[outcome_json(each) for each in report.outcomes],
            server=server_json(report.server),
            restart_proof=report.restart._asdict() if report.restart else None,
            warnings=warnings_json(report.plan),
            timing=timing_json(report.timing),
        )
    elif not arguments.quiet:
        _show(report)
    if failed(report.outcomes) or (arguments.strict and report.plan.warnings):
        return EXIT_FAILED
    return EXIT_WELL


def _show(report: CheckReport) -> None:
    show_warnings(report.plan.warnings)
    passed = sum(each.verdict == PASSED for each in report.outcomes)
    print(f"\n{report.plan.environment}: {passed} of {len(report.outcomes)} proofs passed")
    if report.restart is not None:
        stale = ", before the persistence settings changed" if report.restart.stale else ""
        print(f"  last restart proof: {report.restart.verdict}, {report.restart.when}{stale}")
    elif report.plan.persistence.promised:
        print("  no restart proof yet: `keywright check --restart` makes one")
