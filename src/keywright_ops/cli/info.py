"""`keywright info [SECTION]`: what the server says of itself."""

import argparse
from collections.abc import Mapping

from keywright_ops.actions.info import info
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.looking import looking, over


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add info's own arguments."""
    parser.add_argument("section", nargs="?", default="", help="server, memory, stats, keyspace …")
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the fields as INFO does, one a line."""
    section = arguments.section
    return over(
        arguments,
        "info",
        lambda reached: info(reached, section),
        _show,
        lambda fields: {"section": section, "fields": dict(fields)},
    )


def _show(_: Reached, fields: Mapping[str, str]) -> None:
    print("\n".join(f"{name}:{value}" for name, value in fields.items()))
