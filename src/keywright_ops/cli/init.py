"""`keywright init`: write a commented keywright.toml."""

import argparse

from keywright_ops.actions.init import init
from keywright_ops.cli.main import EXIT_WELL


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add init's own arguments."""
    parser.add_argument("path", nargs="?", help="where (default: keywright.toml here)")


def run(arguments: argparse.Namespace) -> int:
    """Write the file and say what to do with it."""
    path = init(arguments.path)
    if arguments.json:
        from keywright_ops.cli.as_json import show_json

        show_json("init", path=path)
    elif not arguments.quiet:
        print(f"  wrote {path}: every setting is there as a comment, with its default")
        print("  next: keywright explain env.local, then keywright up")
    return EXIT_WELL
