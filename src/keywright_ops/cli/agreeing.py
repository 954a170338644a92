"""Asks before what cannot be taken back; without a terminal the answer is no, unless --yes gave it."""

import sys
from collections.abc import Sequence

from keywright.errors import Refused
from keywright_ops.cli.show import wrapped


def agree(yes: bool, question: Sequence[str], word: str = "yes") -> None:
    """Show what it means and wait for `word`. Raises Refused when it is not typed."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(
            f"not confirmed: {question[0]}",
            "nothing was changed; --yes answers where nobody can be asked",
        )
    for text in question:
        print("\n".join(wrapped(text, "")), file=sys.stderr)
    print(f"Go on? Type {word}: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != word:
        raise Refused("not confirmed: nothing was changed")
