"""`keywright completion bash|zsh|fish`: the script that completes commands and options."""

import argparse

from keywright_ops.cli.arguments import Parser, common, load
from keywright_ops.cli.main import COMMANDS, EXIT_WELL


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add completion's own arguments."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="which shell")


def run(arguments: argparse.Namespace) -> int:
    """Print the script, made by shtab from the same parsers that read the commands."""
    import shtab

    whole = Parser(prog="keywright", allow_abbrev=False)
    commands = whole.add_subparsers()
    for name, (_, _, line) in COMMANDS.items():
        parser = commands.add_parser(name, help=line)
        common(parser)
        load(name).arguments(parser)
    print(shtab.complete(whole, arguments.shell))
    return EXIT_WELL
