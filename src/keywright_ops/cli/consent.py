"""Asks before what cannot be undone."""

import sys
from collections.abc import Sequence

from keywright.errors import Refused


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
    print(f"{question} Type yes: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise Refused("nothing was done", "")
