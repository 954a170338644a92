"""`keywright shell`: type commands; from a pipe, the lines of a file one after the other."""

import argparse
import sys
from contextlib import suppress

from keywright.errors import InputError, KeywrightError, Refused
from keywright_ops.actions.redis import explained
from keywright_ops.actions.shell import Conversation
from keywright_ops.cli.looking import looking, reach_one
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL, exit_code
from keywright_ops.cli.redis import asking, write_reply
from keywright_ops.cli.show import show_error
from keywright_ops.facts.command_line import parse_command_line
from keywright_ops.facts.replies import Problem, Reply

ENDS = ("quit", "exit", ".quit", ".exit")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add shell's own arguments."""
    looking(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="answer yes where it asks")
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="from a pipe: go on after an error, exit 1 at the end",
    )


def run(arguments: argparse.Namespace) -> int:
    """Talk with a person at a terminal, or do the lines that come through a pipe."""
    if sys.stdin.isatty():
        from keywright_ops.cli.shell_prompt import talk  # prompt_toolkit

        return talk(arguments)
    with reach_one(arguments) as reached:
        conversation = Conversation(reached)
        with suppress(BrokenPipeError):  # `| head`: the reader has what it wanted
            return _lines(conversation, arguments)
    return EXIT_WELL


def _lines(conversation: Conversation, arguments: argparse.Namespace) -> int:
    """Do each line of standard input; stop at the first error, unless told to keep going."""
    worst = EXIT_WELL
    for number, raw in enumerate(sys.stdin.buffer, 1):
        line = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if line.strip().lower() in ENDS:
            break
        code = _line(conversation, arguments, number, line)
        worst = worst or code
        if code and not arguments.keep_going:
            break
    conversation.close()
    return worst


def _line(conversation: Conversation, arguments: argparse.Namespace, number: int, line: str) -> int:
    code = EXIT_WELL
    try:
        typed = parse_command_line(line)
        for _ in range(typed.times if typed.words else 0):
            for reply in conversation.send(typed.words, asking(arguments.yes)):
                _show(arguments, number, list(typed.words), reply)
                failed = _problem(reply)
                if failed is not None:
                    told = explained(conversation.reached, failed, typed.words)
                    hint = told.hint if told is not None else ""
                    _complain(number, KeywrightError(failed.decode("utf-8", "replace"), hint))
                    code = EXIT_FAILED
    except KeywrightError as error:
        _complain(number, error)
        code = exit_code(error)
    for notice in conversation.notices:
        print(f"keywright: line {number}: {notice}", file=sys.stderr)
    conversation.notices.clear()
    return code


def _problem(reply: Reply) -> Problem | None:
    """The error in a reply, also of one command of a transaction."""
    if isinstance(reply, list):
        return next((each for each in reply if isinstance(each, Problem)), None)
    return reply if isinstance(reply, Problem) else None


def _show(arguments: argparse.Namespace, number: int, words: list[str], reply: Reply) -> None:
    if arguments.json:
        import json

        from keywright_ops.facts.reply_text import reply_json

        told = {"line": number, "command": words[0].upper(), "reply": reply_json(reply)}
        sys.stdout.flush()
        sys.stdout.buffer.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")
        sys.stdout.buffer.flush()
    elif not arguments.quiet:
        write_reply(reply, words, raw=not sys.stdout.isatty())


def _complain(number: int, error: KeywrightError) -> None:
    """Say in which line it went wrong."""
    sys.stdout.flush()
    kind = type(error) if isinstance(error, (InputError, Refused)) else KeywrightError
    show_error(kind(f"line {number}: {error}", error.hint))
