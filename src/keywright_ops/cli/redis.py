"""`keywright redis COMMAND …`: one command, answered as redis-cli answers.

Everything after the first word that is no option of ours belongs to the command.
"""

import argparse
import sys
from typing import Any

from keywright.errors import InputError
from keywright_ops.actions.reach import Reached
from keywright_ops.actions.redis import Confirm, Question, explained, redis
from keywright_ops.cli.consent import says_yes
from keywright_ops.cli.looking import looking, over, reach_one
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL
from keywright_ops.cli.streams import write_octets
from keywright_ops.facts.command_line import streams, waits
from keywright_ops.facts.replies import Problem, Reply
from keywright_ops.facts.reply_text import render_plainly, render_raw, render_typed, told_plainly

VERBATIM = True  # the words after the first that is no option are the command's, dashes and all


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add redis' own arguments."""
    looking(parser)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument(
        "--raw",
        dest="raw",
        action="store_true",
        default=None,
        help="bytes as they are, as in a pipe",
    )
    shape.add_argument(
        "--no-raw", dest="raw", action="store_false", help="quotes and types, as on a terminal"
    )
    parser.add_argument("-x", action="store_true", help="the last word comes from standard input")
    parser.add_argument("-y", "--yes", action="store_true", help="answer yes where it asks")
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="COMMAND …", help="the command and its arguments"
    )


def run(arguments: argparse.Namespace) -> int:
    """Send it and show the reply; 1 when that is an error."""
    words: list[str | bytes] = (
        arguments.words[1:] if arguments.words[:1] == ["--"] else arguments.words
    )
    if not words or not words[0]:
        raise InputError(
            "which command?",
            "`keywright redis PING`; `keywright shell` takes many, also from a file",
        )
    if arguments.x:
        words = [*words, sys.stdin.buffer.read()]
    raw = not sys.stdout.isatty() if arguments.raw is None else arguments.raw
    if "," in (arguments.env or ""):
        return _several(arguments, words, raw)
    with reach_one(arguments) as reached:
        return _answered(reached, arguments, words, raw)


def _several(arguments: argparse.Namespace, words: list[str | bytes], raw: bool) -> int:
    """Send it to every environment that `-e` names; nobody can be asked about each."""
    plain = [each for each in words if isinstance(each, str)]
    if streams(plain) or waits(plain):
        raise InputError(
            f"{plain[0].upper()} waits, and can be sent to one environment only", "name one with -e"
        )
    failed = []

    def look(reached: Reached) -> Reply:
        reply = next(redis(reached, words, lambda _: arguments.yes), None)
        failed.append(isinstance(reply, Problem))
        return reply

    def fields(reply: Reply) -> dict[str, Any]:
        return _fields(plain, reply)

    code = over(arguments, "redis", look, lambda _, reply: write_reply(reply, plain, raw), fields)
    return code or (EXIT_FAILED if any(failed) else EXIT_WELL)


def _answered(
    reached: Reached, arguments: argparse.Namespace, words: list[str | bytes], raw: bool
) -> int:
    code = EXIT_WELL
    plain = [each for each in words if isinstance(each, str)]
    try:
        for reply in redis(reached, words, asking(arguments.yes)):
            if arguments.json:
                _as_json(reached, plain, reply, streams(plain))
            elif not arguments.quiet:
                write_reply(reply, plain, raw)
            if isinstance(reply, Problem):
                code = EXIT_FAILED
                _explain(reached, reply, words, arguments.json)
    except KeyboardInterrupt:
        if not streams(plain):
            raise
        print(file=sys.stderr)  # the ^C of the terminal stands on that line
    except BrokenPipeError:  # `| head`: the reader has what it wanted
        pass
    return code


def write_reply(reply: Reply, words: list[str], raw: bool) -> None:
    """Write a reply to standard output. Raises BrokenPipeError when nobody reads any more."""
    plain = bool(words) and told_plainly(words)
    if raw:
        write_octets(render_raw(reply) + (b"" if plain else b"\n"))
        return
    print(render_plainly(reply) if plain else render_typed(reply), end="", flush=True)


def _as_json(reached: Reached, words: list[str], reply: Reply, stream: bool) -> None:
    """One object; of a stream one on each line."""
    import json

    from keywright_ops.cli.as_json import plan_json, show_json
    from keywright_ops.facts.reply_text import reply_json

    if stream:
        told = reply_json(reply)
        write_octets(json.dumps(told, ensure_ascii=False).encode() + b"\n")
        return
    show_json("redis", **plan_json(reached.plan), **_fields(words, reply))


def _fields(words: list[str], reply: Reply) -> dict[str, Any]:
    """What JSON says of a reply."""
    from keywright_ops.facts.reply_text import reply_json

    told = reply_json(reply)
    failed = isinstance(reply, Problem)
    return {
        "command": words[0].upper(),
        "reply": None if failed else told,
        "error": told["error"] if failed else None,
    }


def _explain(reached: Reached, reply: Problem, words: list[str | bytes], silent: bool) -> None:
    told = None if silent else explained(reached, reply, words)
    if told is not None:
        from keywright_ops.cli.show import show_error

        sys.stdout.flush()
        show_error(told)


def asking(yes: bool) -> Confirm:
    """Return how a person is asked about a dangerous command; without a terminal the answer is no."""

    def confirm(question: Question) -> bool:
        if yes:
            return True
        if not sys.stdin.isatty():
            return False
        from keywright_ops.cli.show import RED, coloured, wrapped

        if question.danger.loses:
            print(coloured("This loses data:", RED), file=sys.stderr)
        print("\n".join(wrapped(question.sentence(), "  ")), file=sys.stderr)
        if question.danger.instead:
            print(f"  instead: {question.danger.instead}", file=sys.stderr)
        return says_yes()

    return confirm
