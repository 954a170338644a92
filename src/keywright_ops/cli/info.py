"""`keywright info [SECTION]`: what the server says of itself."""

import argparse
import os

from keywright_ops.actions.info import info
from keywright_ops.cli.main import EXIT_WELL


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add info's own arguments."""
    parser.add_argument("section", nargs="?", default="", help="server, memory, stats, keyspace …")


def run(arguments: argparse.Namespace) -> int:
    """Print the fields as INFO does, one a line."""
    fields = info(arguments.file, arguments.env, os.environ, arguments.section)
    if arguments.json:
        from keywright_ops.cli.as_json import show_json

        show_json("info", section=arguments.section, fields=fields)
        return EXIT_WELL
    for name, value in fields.items():
        print(f"{name}:{value}")
    return EXIT_WELL
