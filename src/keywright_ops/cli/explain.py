"""`keywright explain env.prod.maxmemory`: what a setting means, is, and where it comes from."""

import argparse
import os

from keywright_ops.actions.explain import explain_key
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import BOLD, coloured, wrapped
from keywright_ops.profile.explain import Explanation


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add explain's own arguments."""
    parser.add_argument(
        "path", nargs="?", help="a key such as env.prod.maxmemory, or a table: env.prod"
    )


def run(arguments: argparse.Namespace) -> int:
    """Explain one key in full, or a table's keys a line each."""
    path = arguments.path or (f"env.{arguments.env}" if arguments.env else "")
    found = explain_key(arguments.file, path, os.environ)
    if arguments.json:
        from keywright_ops.cli.as_json import show_json

        show_json("explain", keys=[each._asdict() for each in found])
    elif len(found) == 1:
        _one(found[0])
    else:
        _many(found)
    return EXIT_WELL


def _one(key: Explanation) -> None:
    print(f"{coloured(key.path, BOLD)} = {key.value}")
    print("\n".join(wrapped(key.meaning, "  ")))
    print()
    rows = (
        ("comes from", key.origin),
        ("type", f"{key.type}, {key.unit}" if key.unit else key.type),
        ("example", key.example),
        ("becomes", key.becomes),
        ("source", key.source),
        ("unlike the guide", key.difference),
    )
    for name, value in rows:
        if value:
            first, *more = wrapped(value, "", 60)
            print(f"  {name:<17} {first}")
            for line in more:
                print(f"  {'':<17} {line}")


def _many(keys: tuple[Explanation, ...]) -> None:
    for key in keys:
        print(f"{coloured(key.path, BOLD)} = {key.value}")
        print("\n".join(wrapped(key.meaning, "  ")))
