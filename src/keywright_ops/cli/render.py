"""`keywright render -e ENV [-o DIR]`: every artefact of an environment."""

import argparse
import os

from keywright_ops.actions.render import RenderReport, show, write
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import BOLD, coloured, show_warnings
from keywright_ops.model.artefact import Rule, WholeFile


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add render's own arguments."""
    parser.add_argument("-o", "--out", metavar="DIR", help="write the files there")
    parser.add_argument("name", nargs="?", help="print this one artefact only, such as redis.conf")


def run(arguments: argparse.Namespace) -> int:
    """Write the artefacts, or print them with asterisks for passwords."""
    if arguments.out is None:
        report = show(arguments.file, arguments.env, os.environ)
    else:
        report = write(arguments.file, arguments.env, os.environ, arguments.out)
    if arguments.json:
        _json(report)
    elif arguments.out is not None:
        _written(report, arguments.quiet)
    else:
        _print(report, arguments.name)
    show_warnings(() if arguments.quiet else report.plan.warnings)
    return EXIT_WELL


def _json(report: RenderReport) -> None:
    from keywright_ops.cli.as_json import plan_json, show_json, warnings_json

    files = [each for each in report.artefacts if isinstance(each, WholeFile)]
    rules = [each for each in report.artefacts if isinstance(each, Rule)]
    show_json(
        "render",
        **plan_json(report.plan),
        files=[
            {"path": file.path, "mode": f"{file.mode:04o}", "text": _text(file, report)}
            for file in files
        ],
        rules=[rule._asdict() for rule in rules],
        written=list(report.written),
        warnings=warnings_json(report.plan),
    )


def _text(file: WholeFile, report: RenderReport) -> str | None:
    """The content; null for a written file that holds a secret."""
    return None if report.folder and file.secret else file.text()


def _written(report: RenderReport, quiet: bool) -> None:
    for path in report.written:
        print(f"  wrote {path}")
    if not quiet:
        print("  docs/environments says how to use them; passwords: keywright env --reveal")


def _print(report: RenderReport, name: str | None) -> None:
    files = [each for each in report.artefacts if isinstance(each, WholeFile)]
    chosen = [each for each in files if name is None or each.path.endswith(name)]
    if not chosen:
        from keywright.errors import InputError

        names = ", ".join(each.path.rpartition("/")[2] for each in files)
        raise InputError(f"{report.plan.environment} has no artefact {name}", f"it has {names}")
    for file in chosen:
        if name is None:
            print(coloured(f"──── {file.path} ({file.mode:04o})", BOLD))
        print(file.text(), end="")
    if name is None:
        for rule in report.artefacts:
            if isinstance(rule, Rule):
                print(f"{rule.firewall}: {rule.action} {rule.source} → {rule.port}  {rule.comment}")
