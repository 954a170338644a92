"""`keywright tls issue|renew|show`: the environment's own authority and its server's certificate."""

import argparse
import os
import time
from typing import Any

from keywright.errors import InputError
from keywright_ops.actions.tls import TlsReport, issue, renew, show
from keywright_ops.checks.encryption import DAY, SOON
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.as_json import outcome_json, plan_json, show_json, steps_json, warnings_json
from keywright_ops.cli.asking import ask
from keywright_ops.cli.diff import show_steps
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL
from keywright_ops.cli.outcomes import show_outcome
from keywright_ops.cli.show import (
    RED,
    YELLOW,
    coloured,
    show_pairs,
    show_warnings,
    wrapped,
)
from keywright_ops.facts.certificate import day
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Certificate
from keywright_ops.model.proof import FAILED


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add tls' own arguments."""
    parser.add_argument(
        "verb",
        choices=("issue", "renew", "show"),
        help="make what is missing, make it anew and serve it, or look",
    )
    parser.add_argument(
        "--ca", action="store_true", help="renew: another authority, which clients learn first"
    )
    parser.add_argument(
        "--key", action="store_true", help="renew: another key too (it is kept otherwise)"
    )
    changing(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look, or change and prove it by a handshake."""
    if arguments.verb != "renew" and (arguments.ca or arguments.key):
        raise InputError("--ca and --key belong to `tls renew`", "keywright tls renew --ca")
    if arguments.ca and arguments.key:
        raise InputError(
            "--ca and --key are two renewals", "first --ca; when clients have it, renew with --key"
        )
    if arguments.verb == "show":
        report = show(arguments.file, arguments.env, os.environ)
    elif arguments.verb == "issue":
        report = issue(ask(arguments), arguments.dry_run)
    else:
        report = renew(ask(arguments), arguments.ca, arguments.key, arguments.dry_run)
    if arguments.verb != "show" and arguments.dry_run:
        show_steps("tls", report.plan, report.steps, arguments, f"tls {arguments.verb}")
        return EXIT_WELL
    if arguments.json:
        _json(report)
    elif not arguments.quiet:
        _show(report, arguments)
    return EXIT_FAILED if _bad(report) else EXIT_WELL


def _bad(report: TlsReport) -> bool:
    """What is served is not what lies there, or a client would refuse it."""
    if report.outcome is not None and report.outcome.verdict == FAILED:
        return True
    found = report.certificate
    return isinstance(found, Missing) or found.not_after <= time.time()


def _json(report: TlsReport) -> None:
    show_json(
        "tls",
        **plan_json(report.plan),
        enabled=report.enabled,
        steps=steps_json(report.steps),
        files=dict(zip(("certificate", "key", "authority"), report.files, strict=True)),
        certificate=_certificate_json(report.certificate),
        authority=_certificate_json(report.authority),
        presented=_certificate_json(report.presented),
        proof=outcome_json(report.outcome) if report.outcome else None,
        warnings=warnings_json(report.plan),
    )


def _certificate_json(found: Certificate | Missing) -> dict[str, Any]:
    """A certificate, or why there is none."""
    if isinstance(found, Missing):
        return {"missing": found.why}
    return {
        "fingerprint": found.fingerprint,
        "serial": found.serial,
        "subject": found.subject,
        "issuer": found.issuer,
        "not_before": found.not_before,
        "not_after": found.not_after,
        "days_left": days_left(found),
        "names": list(found.names),
        "doubt": found.doubt,
    }


def days_left(found: Certificate) -> int:
    """Whole days until it ends, counted from now; below 0 when it has."""
    return int((found.not_after - time.time()) // DAY)


def _show(report: TlsReport, arguments: argparse.Namespace) -> None:
    where = f" -e {report.plan.environment}" if report.plan.environment != "local" else ""
    if arguments.verb != "show" and not report.steps:
        print("  authority and certificate are there, and fit: nothing to do")
    _show_certificate(report)
    if arguments.verb == "show":
        show_warnings(report.plan.warnings[-1:] if _ends_soon(report) else ())
    elif arguments.ca:
        _next(
            f"give every client the new {report.plan.application.ca_certs or report.files[2]}: it"
            " holds the former authority too, so nothing breaks meanwhile. When all have it:"
            f" keywright tls renew{where} signs with the new one"
        )
    elif not report.enabled:
        _next(f"write env.{report.plan.environment}.tls.enabled = true, then keywright up{where}")
    elif isinstance(report.presented, Missing):
        _next(f"keywright up{where} serves it ({report.presented.why})")


def _show_certificate(report: TlsReport) -> None:
    found = report.certificate
    if isinstance(found, Missing):
        print(f"  {coloured('✗', RED)} {report.files[0]}: {found.why}")
        return
    names, *more = wrapped(", ".join(found.names), "", 62) or [""]
    show_pairs(
        [
            ("certificate", report.files[0]),
            ("for", names),
            *(("", line) for line in more),
            ("issuer", found.issuer),
            ("authority", report.files[2]),
            ("serial", found.serial),
            ("sha256", found.fingerprint),
            ("valid", f"{day(found.not_before)} to {day(found.not_after)}, {remaining(found)}"),
        ]
    )
    if isinstance(report.presented, Missing):
        show_pairs([("served     ", f"not seen: {report.presented.why}")])
    elif report.outcome is not None and not report.steps:  # else it was shown when it was made
        show_outcome(report.outcome)


def remaining(found: Certificate) -> str:
    """How long it is valid still, coloured where that is short."""
    left = days_left(found)
    if found.not_after <= time.time():
        return coloured("expired", RED)
    return coloured(f"{left} days left", YELLOW) if left < SOON else f"{left} days left"


def _ends_soon(report: TlsReport) -> bool:
    found = report.certificate
    return isinstance(found, Certificate) and days_left(found) < SOON


def _next(text: str) -> None:
    print("\nnext")
    print("\n".join(wrapped(text, "  ")))
