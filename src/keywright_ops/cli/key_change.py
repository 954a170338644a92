"""`keywright key set|expire|persist|rename|copy`: one key, changed."""

import argparse
import sys
from collections.abc import Sequence

from keywright.errors import InputError
from keywright_ops.actions.key_change import (
    KEEP,
    NEVER,
    Changed,
    Confirm,
    expire_key,
    move_key,
    persist_key,
    set_key,
)
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.amounts import milliseconds
from keywright_ops.cli.as_json import plan_json, show_json
from keywright_ops.cli.keys import ttl_text
from keywright_ops.cli.looking import reach_one
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.facts.escapes import raw, shown, taken

# how many words each verb takes, and what they are
WORDS = {
    "set": (2, "NAME VALUE (or NAME --from-file FILE)"),
    "expire": (2, "NAME TIME, such as session:abc 1h"),
    "persist": (1, "NAME"),
    "rename": (2, "NAME NEW"),
    "copy": (2, "NAME NEW"),
}


def run_change(arguments: argparse.Namespace, words: list[str]) -> int:
    """Change one key and say how it is now."""
    verb = arguments.verb
    number, what = WORDS[verb]
    if verb == "set" and arguments.from_file:
        number = 1
    if len(words) != number:
        raise InputError(f"key {verb} takes {what}", "keywright key --help")
    if "," in (arguments.env or ""):
        raise InputError("keys are changed in one environment at a time")
    name, rest = taken(words[0]), words[1:]
    if arguments.dry_run:
        return _dry(arguments, name, rest)
    with reach_one(arguments) as reached:
        done = _do(arguments, reached, name, rest)
    if arguments.json:
        show_json("key-change", **plan_json(reached.plan), name=shown(done.name), change=done.what,
                  type=done.was.type, ttl=None if done.pttl < 0 else done.pttl / 1000)  # fmt: skip
    elif not arguments.quiet:
        to = "" if done.name == name else f" to {shown(done.name)}"
        print(f"{shown(name)} {done.what}{to}, ttl {ttl_text(done.pttl)}")
    return EXIT_WELL


def _do(arguments: argparse.Namespace, reached: Reached, name: bytes, rest: list[str]) -> Changed:
    verb = arguments.verb
    if verb == "expire":
        return expire_key(reached, name, _time(rest[0]))
    if verb == "persist":
        return persist_key(reached, name)
    confirm = asking(arguments)
    if verb == "set":
        if arguments.nx and arguments.xx:
            raise InputError("--nx and --xx exclude one another")
        rule = "NX" if arguments.nx else "XX" if arguments.xx else ""
        return set_key(reached, name, _value(arguments, rest), _ttl(arguments), rule, confirm)
    return move_key(
        reached,
        name,
        taken(rest[0]),
        copy=verb == "copy",
        replace=arguments.replace,
        confirm=confirm,
    )


def asking(arguments: argparse.Namespace) -> Confirm:
    """Ask on a terminal; without one the answer is no, unless --yes gave it."""

    def confirm(what: str) -> bool:
        if arguments.yes:
            return True
        if not sys.stdin.isatty():
            return False
        print(f"This {what}. Go on? Type yes: ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() == "yes"

    return confirm


def _time(text: str) -> int:
    try:
        return milliseconds(text)
    except argparse.ArgumentTypeError as error:
        raise InputError(str(error)) from None


def _ttl(arguments: argparse.Namespace) -> int:
    """Without --ttl a key that is there keeps its time: SET alone would take it away."""
    if arguments.ttl is None:
        return KEEP
    return NEVER if arguments.ttl == "none" else _time(arguments.ttl)


def _value(arguments: argparse.Namespace, rest: Sequence[str]) -> bytes:
    """The value's bytes: a word as it stands (no escapes are read), or a file's."""
    if not arguments.from_file:
        return raw(rest[0])
    try:
        if arguments.from_file == "-":
            return sys.stdin.buffer.read()
        with open(arguments.from_file, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise InputError(f"{arguments.from_file} cannot be read: {error.strerror}") from None


def _dry(arguments: argparse.Namespace, name: bytes, rest: list[str]) -> int:
    """What would be sent, in redis-cli's form."""
    words = [arguments.verb, shown(name), *(rest if arguments.verb != "set" else ["…"])]
    if arguments.json:
        show_json("key-change", dry_run=True, name=shown(name), change=arguments.verb)
    elif not arguments.quiet:
        print(f"would {' '.join(words)}; nothing was changed")
    return EXIT_WELL
