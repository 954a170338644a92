"""Words → arguments: one parser per command, built only when that command is run."""

import argparse
import sys
from importlib import import_module
from typing import NoReturn, Protocol, cast

from keywright_ops.cli.main import COMMANDS, EXIT_USAGE

argparse._ = str  # type: ignore[attr-defined]  # its own words in English: asking gettext costs 2 ms

ENVIRONMENT = "the environment (default: the file's default_env, else local)"


class Command(Protocol):
    """What every file of a command offers."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Call the action, show its report, return the exit code."""
        ...


class Help(argparse.HelpFormatter):
    """80 columns; told the width, argparse need not load shutil to ask for it (5 ms)."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=80)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence and a hint, like every other error."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and leave with 2."""
        print(f"keywright: {message}\n  hint: {self.prog} --help", file=sys.stderr)
        raise SystemExit(EXIT_USAGE)


def parse(words: list[str]) -> tuple[argparse.Namespace, Command]:
    """Find the command among the words (options may stand before it) and parse the rest."""
    position = _position(words)
    if position is None:
        return _overview(words)
    name = words[position]
    if name not in COMMANDS:
        from difflib import get_close_matches

        near = get_close_matches(name, COMMANDS, 1)
        likely = f"did you mean `keywright {near[0]}`?" if near else "keywright --help lists all"
        print(f"keywright: there is no command {name!r}\n  hint: {likely}", file=sys.stderr)
        raise SystemExit(EXIT_USAGE)
    command = load(name)
    parser = build(name, command)
    # (before the command -f is the profile; after it a command may mean something else by it)
    before = ["--file" if word == "-f" else word for word in words[:position]]
    rest = before + words[position + 1 :]
    verbatim = getattr(command, "VERBATIM", False)  # what follows is somebody else's grammar
    if verbatim or sum(not word.startswith("-") for word in rest) < 2:
        return parser.parse_args(rest), command  # spares 3 ms: the other way writes the usage first
    # options may stand between the words: `password rotate --dry-run appuser`
    return parser.parse_intermixed_args(rest), command


# Options that may stand before the command, each with a value.
VALUED = ("-e", "--env", "-f", "--file", "--as", "-n", "--database")


def _position(words: list[str]) -> int | None:
    """Where the command stands: the first word that is neither an option nor an option's value."""
    skip = False
    for number, word in enumerate(words):
        if skip:
            skip = False
        elif word in VALUED:
            skip = True
        elif not word.startswith("-"):
            return number
    return None


def load(name: str) -> Command:
    """Import the command's file."""
    return cast(Command, import_module(f"keywright_ops.cli.{COMMANDS[name][0]}"))


def build(name: str, command: Command) -> Parser:
    """Build the parser of one command, with the options that all have."""
    parser = Parser(
        prog=f"keywright {name}",
        description=COMMANDS[name][2],
        formatter_class=Help,
        allow_abbrev=False,
        conflict_handler="resolve",  # `logs -f` is to follow, as everywhere; --file is whole there
    )
    common(parser)
    command.arguments(parser)
    return parser


def common(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command takes."""
    parser.add_argument("-e", "--env", metavar="ENV", help=ENVIRONMENT)
    parser.add_argument(
        "-f", "--file", metavar="FILE", help="the profile (default: keywright.toml)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON (docs/reference/json.md)")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what went wrong")


def changing(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that changes something."""
    parser.add_argument("--dry-run", action="store_true", help="print the steps, do none of them")
    parser.add_argument("-y", "--yes", action="store_true", help="answer yes where it asks")


def engine_option(parser: argparse.ArgumentParser) -> None:
    """Add the choice of the server, in Docker or on a Linux host, where the file leaves it open."""
    parser.add_argument(
        "--engine",
        choices=("redis", "valkey"),
        help="the server in Docker or on a Linux host, where the file names none; kept from then on",
    )


def _overview(words: list[str]) -> tuple[argparse.Namespace, Command]:
    """No command: the help, on purpose (exit 0) or for want of one (exit 2)."""
    text = overview()
    wanted = any(word in ("-h", "--help") for word in words)
    unknown = [word for word in words if word.startswith("-") and word not in ("-h", "--help")]
    if wanted or not words:
        print(text)
        raise SystemExit(0 if wanted else EXIT_USAGE)
    print(f"keywright: which command? ({' '.join(unknown)} alone says none)", file=sys.stderr)
    raise SystemExit(EXIT_USAGE)


def overview() -> str:
    """Return the help of all commands, in their groups."""
    lines = ["usage: keywright COMMAND [-e ENV] [options]", ""]
    groups = dict.fromkeys(group for _, group, _ in COMMANDS.values())
    for group in groups:
        lines.append(f"{group}:")
        for name, (_, of, line) in COMMANDS.items():
            if of == group:
                lines.append(f"  {name:<11} {line}")
        lines.append("")
    lines.append("keywright COMMAND --help says more. Docs begin at docs/index.md.")
    return "\n".join(lines)
