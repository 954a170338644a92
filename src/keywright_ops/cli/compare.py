"""`keywright compare ENV ENV …`: environments side by side."""

import argparse
import os

from keywright_ops.actions.compare import compare_environments
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.table import show_table


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add compare's own arguments."""
    parser.add_argument("names", nargs="*", metavar="ENV", help="which (default: dev prod linux)")
    parser.add_argument(
        "--differing", action="store_true", help="only the rows in which they differ"
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the table of Redis' settings and that of RedisInsight."""
    names = list(arguments.names) or ([arguments.env] if arguments.env else [])
    tables = compare_environments(arguments.file, names, os.environ)
    if arguments.differing:
        tables = tuple(  # type: ignore[assignment]
            table._replace(rows=tuple(row for row in table.rows if len(set(row[1:])) > 1))
            for table in tables
        )
    if arguments.json:
        from keywright_ops.cli.as_json import show_json

        show_json("compare", tables=[table._asdict() for table in tables])
        return EXIT_WELL
    for table in tables:
        show_table(table.title, table.columns, table.rows)
    return EXIT_WELL
