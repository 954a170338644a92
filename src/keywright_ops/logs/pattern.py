"""A person's pattern → literals that can be found fast, and the regular expression for what they find.

`error|warning` is two literals and nothing else; `conn\\w+ closed` is found by " closed" and judged by the
expression; only a pattern without any literal (`\\d+`) goes by the expression alone. As in grep a pattern is
one of bytes: letters fold by ASCII.

Pure: reads no clock and asks nobody.
"""

import re
import warnings
from collections.abc import Iterable
from re import Pattern
from typing import Any, NamedTuple

from keywright.errors import InputError

SHORTEST = 2  # bytes of a literal that is worth looking for


class Alternative(NamedTuple):
    """One way to match: `literal` stands in whatever matches (b"": none is known), lower case where case is
    folded; `regex` judges the entry, None when the literal is the whole of it."""

    literal: bytes
    regex: "Pattern[bytes] | None"


class Wanted(NamedTuple):
    """Any of these, in either case when `fold`; `shown` finds what to highlight."""

    alternatives: tuple[Alternative, ...]
    fold: bool
    shown: "Pattern[bytes]"

    @property
    def found_by_literals(self) -> bool:
        """Whether each way has a literal to be found by."""
        return all(each.literal for each in self.alternatives)


def literal(words: Iterable[str]) -> Wanted:
    """Return the pattern of plain words in either case."""
    known = sorted({word.encode().lower() for word in words})
    shown = re.compile(b"|".join(re.escape(word) for word in known), re.IGNORECASE)
    return Wanted(tuple(Alternative(word, None) for word in known), True, shown)


def compile_patterns(texts: Iterable[str], fold: bool, option: str = "--grep") -> Wanted | None:
    """Return one pattern that matches where any of the texts does; None for no text.

    Raises InputError for what is no regular expression.
    """
    chosen = [_as_here(text) for text in texts]
    if not chosen:
        return None
    found: list[Alternative] = []
    for text in chosen:
        regex = _compiled(text, fold, option)
        found += _alternatives(text, regex, fold)
    whole = "|".join(f"(?:{text})" for text in chosen)
    flags = re.MULTILINE | (re.IGNORECASE if fold else 0)
    try:
        shown = re.compile(whole.encode(), flags)
    except re.error:  # flags or groups that cannot stand together
        shown = _compiled(chosen[0], fold, option)
    return Wanted(tuple(dict.fromkeys(found)), fold, shown)


def _as_here(text: str) -> str:
    """grep's basic form, as the guide writes it, in today's: `connection\\|auth` is `connection|auth`."""
    return (
        text.replace("\\|", "|") if "\\|" in text and "|" not in text.replace("\\|", "") else text
    )


def _compiled(text: str, fold: bool, option: str) -> "Pattern[bytes]":
    if not text:
        raise InputError(f"{option} wants a pattern, and it is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # `[[`: meant as it stands
            return re.compile(text.encode(), re.MULTILINE | (re.IGNORECASE if fold else 0))
    except re.error as error:
        at = f" at character {error.pos + 1}" if error.pos is not None else ""
        raise InputError(
            f"{option} {text!r} is no regular expression: {error.msg}{at}",
            "a backslash takes the meaning from . ( ) [ ] { } + * ? ^ $ |",
        ) from None


def _alternatives(text: str, regex: "Pattern[bytes]", fold: bool) -> list[Alternative]:
    tree, flags = _tree(text)
    if not fold and flags & re.IGNORECASE:  # `(?i)` in the text itself: literals are not folded
        return [Alternative(b"", regex)]
    found = []
    for branch in _branches(tree):
        run, whole = _longest_run(branch)
        if len(run) < SHORTEST and not (whole and run):
            return [Alternative(b"", regex)]
        found.append(Alternative(run.lower() if fold else run, None if whole else regex))
    return found


def _tree(text: str) -> tuple[list[Any], int]:
    """What the library's own parser makes of the text: pairs of an operation and its argument."""
    from re import _parser  # type: ignore[attr-defined]

    parsed = _parser.parse(text.encode())
    return list(parsed), parsed.state.flags


def _branches(tree: list[Any]) -> list[list[Any]]:
    """The ways that stand side by side at the top, each as a list of its parts."""
    if len(tree) == 1:
        operation, told = str(tree[0][0]), tree[0][1]
        if operation == "BRANCH":
            return [list(each) for each in told[1]]
        if operation == "SUBPATTERN" and not told[1] and not told[2]:
            return _branches(list(told[3]))
    return [tree]


def _longest_run(parts: list[Any]) -> tuple[bytes, bool]:
    """The longest bytes that every match of these parts holds, and whether they are the whole."""
    runs, run, whole = [b""], b"", True
    for operation, told in parts:
        if str(operation) == "LITERAL":
            run += bytes((told,))
            continue
        whole = False
        if str(operation) == "AT":  # ^ and $ take no room
            continue
        runs.append(run)
        run = b""
        if str(operation) == "MAX_REPEAT" and told[0] > 0:
            runs.append(_longest_run(list(told[2]))[0])
        elif str(operation) == "SUBPATTERN" and not told[1] and not told[2]:
            runs.append(_longest_run(list(told[3]))[0])
    return max([*runs, run], key=len), whole
