"""A line that a person types: redis-cli's words and quotes, both ways; what a history may keep.

Pure. The words follow `sdssplitargs` (facts/words.py): "\\x00" is a byte, 'x' is literal.
"""

from collections.abc import Sequence
from typing import NamedTuple

from keywright.errors import InputError
from keywright_ops.facts.masking import SETTINGS, secret_places
from keywright_ops.facts.words import quote, split_words

_MOST_TIMES = 1_000_000
# Commands whose connection tells what happens until somebody ends it.
STREAMING = frozenset({"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR"})
_BLOCKING = frozenset(
    "BLPOP BRPOP BLMOVE BRPOPLPUSH BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF".split()
)


class Typed(NamedTuple):
    """A line's command: its words, and how often (`5 PING`, as redis-cli has it)."""

    words: tuple[str, ...]
    times: int = 1


def parse_command_line(line: str) -> Typed:
    """Return the command of a line; a blank one and a comment (`# …`) have no words.

    Raises InputError when a quote is not closed.
    """
    if line.lstrip().startswith("#"):
        return Typed(())
    words = split_words(line)
    if words is None:
        raise InputError(
            "the quotes are not balanced",
            'a closing quote ends its word; inside "…" write \\" for one',
        )
    if len(words) > 1 and words[0].isdecimal() and 0 < int(words[0]) <= _MOST_TIMES:
        return Typed(tuple(words[1:]), int(words[0]))
    return Typed(tuple(words))


def render_command_line(words: Sequence[str]) -> str:
    """Return the line that these words are read from."""
    return " ".join(map(quote, words))


def waits(words: Sequence[str]) -> bool:
    """Whether the command may rightly be answered later than the time-out (BLPOP, XREAD BLOCK)."""
    upper = [each.upper() for each in words]
    return upper[0] in _BLOCKING or (upper[0] in ("XREAD", "XREADGROUP") and "BLOCK" in upper)


def streams(words: Sequence[str]) -> bool:
    """Whether the command tells what happens until somebody ends it."""
    return words[0].upper() in STREAMING


def keeps(line: str) -> bool:
    """Whether a history may keep this line: not with a secret, not one that begins with a blank.

    A line that cannot be read is judged by its words between blanks: rather one too few is kept.
    """
    if not line.strip() or line[0].isspace():
        return False
    words = split_words(line)
    if words is None:
        words = line.replace('"', " ").replace("'", " ").split()
        suspicious = {"AUTH", "AUTH2", "SETUSER"} | {each.upper() for each in SETTINGS}
        return not suspicious.intersection(each.upper() for each in words)
    if words and words[0].isdecimal():
        words = words[1:]
    return not secret_places(words)


class Begun(NamedTuple):
    """A line that is still typed: the whole words before, and the one at the cursor.

    `start` is where in the line that word begins, its opening quote included.
    """

    words: tuple[str, ...]
    part: str
    start: int


def parse_begun(line: str) -> Begun:
    """Return what is typed up to the cursor; the last word may be open."""
    start = 0
    quoted = ""
    at = 0
    inside = False
    while at < len(line):
        char = line[at]
        if not inside and not char.isspace():
            inside, start = True, at
        if inside and quoted:
            if char == "\\":
                at += 1
            elif char == quoted:
                quoted = ""
        elif inside and char in "\"'":
            quoted = char
        elif inside and char.isspace():
            inside = False
        at += 1
    if not inside:
        start = len(line)
    last = line[start:]
    words = split_words(line[:start])
    part = split_words(last + quoted) if last else [""]
    return Begun(tuple(words or ()), part[0] if part else last.strip("\"'"), start)
