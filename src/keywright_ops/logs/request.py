"""A person's words for what they want of a log → what is asked of the sources.

Pure: `now`, the zone and the time of the last boot are given.
"""

from collections.abc import Sequence
from typing import NamedTuple

from keywright.errors import InputError
from keywright_ops.logs.find import Question
from keywright_ops.logs.pattern import Wanted, compile_patterns
from keywright_ops.logs.reading import PRIORITIES, Asked
from keywright_ops.logs.source import LEVELS, Wish
from keywright_ops.logs.zones import Zone

# What other programs call it, and what is meant here.
OTHER_LEVELS = {
    "info": "notice", "warn": "warning", "error": "warning", "err": "warning", "crit": "warning",
    "critical": "warning", "fatal": "warning", "trace": "debug",
}  # fmt: skip
OTHER_PRIORITIES = {"panic": "emerg", "error": "err", "warn": "warning", "critical": "crit"}


class Request(NamedTuple):
    """What was typed; "" and () for what was not."""

    since: str = ""
    until: str = ""
    tail: str = ""
    level: str = ""
    greps: Sequence[str] = ()
    excludes: Sequence[str] = ()
    topics: Sequence[str] = ()
    fold: bool = True
    boot: bool = False
    priority: str = ""


def asked(request: Request, now: float, zone: Zone, booted: float | None) -> Asked:
    """Return what is asked of the sources. Raises InputError for what cannot be meant."""
    since, until = _bounds(request, now, zone)
    if since is not None and until is not None and until <= since:
        raise InputError(
            f"--until {request.until!r} is not after --since {request.since!r}: nothing lies between",
            "the two change places?",
        )
    wanted: list[Wanted] = []
    pattern = compile_patterns(request.greps, request.fold)
    if pattern:
        wanted.append(pattern)
    if request.topics:
        from keywright_ops.logs.topics import topic

        wanted.append(topic(request.topics))
    unwanted = compile_patterns(request.excludes, request.fold, "--exclude")
    levels = levels_from(request.level) if request.level else None
    priorities = parse_priorities(request.priority) if request.priority else None
    return Asked(
        Wish(since, until, parse_tail(request.tail), request.boot, priorities),
        Question(tuple(wanted), unwanted, levels),
        booted,
    )


def _bounds(request: Request, now: float, zone: Zone) -> tuple[float | None, float | None]:
    if not request.since and not request.until:
        return None, None
    from keywright_ops.logs.times import parse_time  # six expressions: not for who names no time

    return (
        parse_time(request.since, now, zone, "--since") if request.since else None,
        parse_time(request.until, now, zone, "--until") if request.until else None,
    )


def parse_tail(text: str) -> int | None:
    """A number of lines, or `all`."""
    if text in ("", "all"):
        return None
    if not text.isascii() or not text.isdigit():
        raise InputError(f"--tail {text!r} is no number of lines", "a number, or `all`")
    return int(text)


def levels_from(text: str) -> frozenset[str]:
    """Return a level and the graver ones."""
    word = text.lower()
    if word in LEVELS:
        return frozenset(LEVELS[LEVELS.index(word) :])
    if word in OTHER_LEVELS:
        meant = OTHER_LEVELS[word]
        why = (
            "is the gravest that they write" if meant == "warning" else "is what it is called there"
        )
        raise InputError(f"the servers have no level {text!r}", f"--level {meant} {why}")
    raise InputError(f"there is no level {text!r}", _nearest(word, LEVELS))


def parse_priorities(text: str) -> tuple[int, int]:
    """`err` is that and all graver ones, `warning..err` a range, as `journalctl -p` reads them."""
    first, dots, last = text.lower().partition("..")
    if not dots:
        return 0, _priority(first)
    low, high = sorted((_priority(first), _priority(last)))
    return low, high


def _priority(word: str) -> int:
    word = OTHER_PRIORITIES.get(word, word)
    if word in PRIORITIES:
        return PRIORITIES.index(word)
    if word.isascii() and word.isdigit() and int(word) < len(PRIORITIES):
        return int(word)
    raise InputError(f"there is no priority {word!r}", _nearest(word, PRIORITIES))


def _nearest(word: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # only for who mistyped

    near = get_close_matches(word, known, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
