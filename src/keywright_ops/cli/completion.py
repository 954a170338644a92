"""`keywright completion bash|zsh|fish`: the script that completes commands, options, keys …"""

import argparse
import os
from typing import Any

from keywright_ops.cli.arguments import Parser, common, load
from keywright_ops.cli.main import COMMANDS, EXIT_WELL

SHELLS = ("bash", "zsh", "fish")
# What the scripts ask for while somebody types, each with the words that they complete.
ASKED = ("environments", "keys")
# How each shell says what was typed so far.
LINES = {"bash": '"$COMP_LINE"', "zsh": '"$BUFFER"', "fish": "(commandline -p)"}
# bash breaks words at colons, of which keys are full
NO_COLON = 'COMP_WORDBREAKS="${COMP_WORDBREAKS//:}"\n'
KEY_WORDS = ("key", "keys", "name", "pattern")  # arguments that are names of keys


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add completion's own arguments."""
    parser.add_argument(
        "shell", choices=(*SHELLS, *ASKED), metavar="bash|zsh|fish", help="which shell"
    )
    parser.add_argument("line", nargs="?", default="", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Print the script, made by shtab from the same parsers that read the commands; or what it asks."""
    if arguments.shell in ASKED:
        return _answer(arguments)
    import shtab

    whole = Parser(prog="keywright", allow_abbrev=False)
    commands = whole.add_subparsers()
    for name, (_, _, line) in COMMANDS.items():
        parser = commands.add_parser(name, help=line, conflict_handler="resolve")
        common(parser)
        load(name).arguments(parser)
        _complete(parser, name)
    script = shtab.complete(whole, arguments.shell)
    print((NO_COLON if arguments.shell == "bash" else "") + script)
    return EXIT_WELL


def _answer(arguments: argparse.Namespace) -> int:
    from keywright_ops.actions.completing import environment_names, key_words

    if arguments.shell == "environments":
        words = environment_names(arguments.file, os.environ)
    else:
        words = key_words(arguments.line, os.environ)
    print("\n".join(words))
    return EXIT_WELL


def _complete(parser: argparse.ArgumentParser, name: str) -> None:
    """Say of a command's arguments which are environments, and which are keys."""
    of_keys = name in ("key", "keys")
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list
        if action.dest == "env":
            action.complete = _asked("environments")  # type: ignore[attr-defined]
        elif of_keys and not action.option_strings and action.dest in KEY_WORDS:
            action.complete = _asked("keys")  # type: ignore[attr-defined]


def _asked(what: str) -> dict[str, Any]:
    """What shtab puts into the scripts: the program itself is asked, silently."""
    import shtab

    made: dict[str, Any] = {"preamble": {}}
    for shell, line in LINES.items():
        found: Any = shtab.cmd(f"keywright completion {what} -- {line} 2>/dev/null")
        made[shell], preamble = found[shell], found["preamble"]
        made["preamble"] |= {name: text for name, text in preamble.items() if name == shell}
    return made
