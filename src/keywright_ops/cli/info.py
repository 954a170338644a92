"""`keywright info [SECTION …]`: what the server says of itself."""

import argparse

from keywright_ops.actions.info import InfoReport, info
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.looking import looking, over
from keywright_ops.cli.show import BOLD, DIM, coloured, duration


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add info's own arguments."""
    parser.add_argument(
        "section", nargs="*", metavar="SECTION", help="server, memory, stats, keyspace … or all"
    )
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the sections with their headings, and the fields as INFO does, one a line."""
    names = arguments.section
    return over(
        arguments,
        "info",
        lambda reached: info(reached, names),
        _show,
        lambda report: {"section": " ".join(names)} | _fields(report),
    )


def _fields(report: InfoReport) -> dict[str, object]:
    """The fields, and which stand under which heading; `databases` is null where nobody asked for them."""
    databases = (
        None
        if report.keyspace is None
        else [
            {"database": n, "keys": keys, "expires": expires, "average_ttl_ms": ttl}
            for n, keys, expires, ttl in report.keyspace
        ]
    )
    headings = {
        name: [line.partition(":")[0] for line in lines] for name, lines in report.sections.items()
    }
    return {
        "fields": dict(report.fields),
        "sections": headings,
        "databases": databases,
    }


def _show(_: Reached, report: InfoReport) -> None:
    """Lines of a comment are for people: `grep` finds every field as the server writes it."""
    for number, (heading, lines) in enumerate(report.sections.items()):
        if number:
            print()
        if heading:
            print(coloured(f"# {heading}", BOLD))
        for line in lines:
            print(line)
        if heading == "Keyspace" and report.keyspace is not None:
            _show_keyspace(report)


def _show_keyspace(report: InfoReport) -> None:
    for each in report.keyspace or ():
        average = (
            f", on average in {duration(each.average_ttl // 1000)}" if each.average_ttl else ""
        )
        expire = (
            f"{each.expires} of them expire{average}" if each.expires else "none of them expires"
        )
        keys = "1 key" if each.keys == 1 else f"{each.keys} keys"
        print(coloured(f"#   database {each.number}: {keys}, {expire}", DIM))
    if not report.keyspace:
        print(coloured("#   no database holds a key", DIM))
