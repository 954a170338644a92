"""Asks a person before what cannot be undone."""

import sys
from collections.abc import Sequence

from keywright.errors import Refused
from keywright_ops.cli.show import wrapped


def answer(question: str, word: str = "yes") -> str:
    """Ask on standard error and return what was typed, "" without a terminal.

    What was typed (or pasted) before the question was seen is no answer to it.
    """
    if not sys.stdin.isatty():
        return ""
    import termios

    termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    print(f"{question} Type {word}: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def says_yes(question: str = "Go on?") -> bool:
    """Ask, and return whether the answer is yes; without a terminal nobody says it."""
    return answer(question).lower() == "yes"


def consent(question: str, yes: bool) -> None:
    """Return when the person says yes; raises Refused otherwise, and without a terminal to ask on."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{question} nobody is here to say yes", "add --yes, or --dry-run to see it")
    if not says_yes(question):
        raise Refused("nothing was done", "")


def agree(yes: bool, question: Sequence[str], word: str = "yes") -> None:
    """Show what it means and wait for `word`, exactly. Raises Refused when it is not typed, and without a
    terminal, unless --yes gave the answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(
            f"not confirmed: {question[0]}",
            "nothing was changed; --yes answers where nobody can be asked",
        )
    for text in question:
        print("\n".join(wrapped(text, "")), file=sys.stderr)
    if answer("Go on?", word) != word:
        raise Refused("not confirmed: nothing was changed")
