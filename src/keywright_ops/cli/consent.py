"""Asks a person before what cannot be undone."""

import sys
from collections.abc import Sequence

from keywright.errors import Refused


def says_yes(question: str = "Go on?") -> bool:
    """Ask on standard error and return whether the answer is yes; without a terminal nobody says it.

    What was typed (or pasted) before the question was seen is no answer to it.
    """
    if not sys.stdin.isatty():
        return False
    import termios

    termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    print(f"{question} Type yes: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() == "yes"


def consent(question: str, lines: Sequence[str], yes: bool) -> None:
    """Return when the person says yes; raises Refused otherwise, and without a terminal to ask on.

    `lines` say what it is about, before the question.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{question} nobody is here to say yes", "add --yes, or --dry-run to see it")
    for line in lines:
        print(line, file=sys.stderr)
    if not says_yes(question):
        raise Refused("nothing was done", "")
