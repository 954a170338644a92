"""Walks a keyspace by SCAN, page by page, with what is wanted to be known of every key; never KEYS.

The next page's SCAN stands first in the write that asks about this page's keys, so the server works on one
page while the last one is read. With a pace below 1 it rests between pages instead.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import repeat

from keywright.errors import ReplyError
from keywright.wire import Reply, Wire, pack

# One page stops the server for COUNT × 1 to 3 µs: 200 is as fast as 1000, and hardly felt by others.
COUNT = 200
MOST = 500  # above it nothing gets faster, and others wait longer

TYPE, PTTL, MEMORY, IDLE, FREQ = "type", "pttl", "memory", "idle", "freq"
_HEADS = {
    TYPE: pack(("TYPE", "")).removesuffix(b"$0\r\n\r\n"),
    PTTL: pack(("PTTL", "")).removesuffix(b"$0\r\n\r\n"),
    MEMORY: pack(("MEMORY", "USAGE", "")).removesuffix(b"$0\r\n\r\n"),
    IDLE: pack(("OBJECT", "IDLETIME", "")).removesuffix(b"$0\r\n\r\n"),
    FREQ: pack(("OBJECT", "FREQ", "")).removesuffix(b"$0\r\n\r\n"),
}
COMMANDS = {
    TYPE: ("TYPE",),
    PTTL: ("PTTL",),
    MEMORY: ("MEMORY", "USAGE"),
    IDLE: ("OBJECT", "IDLETIME"),
    FREQ: ("OBJECT", "FREQ"),
}

# name, type (b"string" …), PTTL (ms; -1 no end), bytes, idle seconds or frequency: None where it was not
# asked for, or this user may not know it of this very key.
Row = tuple[bytes, bytes | None, int | None, int | None, int | None]


class ColumnRefused(ReplyError):
    """The server does not answer one of the questions at all; `words` are its command's."""

    words: tuple[str, ...] = ()


def scan_pages(
    wire: Wire,
    columns: Sequence[str] = (),
    *,
    match: bytes = b"",
    kind: str = "",
    count: int = COUNT,
    pace: float = 1.0,
) -> Iterator[list[Row]]:
    """Yield the keys of the wire's database, a list for every SCAN (also an empty one): so pages × `count`
    is how many keys were looked at. `wire` must be raw, and the caller's own: close it after stopping early.

    `columns` are of TYPE, PTTL, MEMORY and one of IDLE and FREQ. `match` and `kind` (a type) are filtered
    by the server. `pace` is the share of the server's time that may be taken (1: no rest). A key that was
    moved between the server's tables meanwhile may come twice; one that was there all the time comes.
    Raises ReplyError for a refused SCAN, ColumnRefused for another command that is not allowed or unknown.
    """
    more = _more(match, kind, min(count, MOST))
    trip = _trip(wire) if pace < 1 else 0.0
    wire.exchange(pack(("SCAN", b"0", *more)), 0, more=True)
    cursor, names = _page(wire)
    held: list[bytes] | None = None  # the page whose answers are on their way
    while True:
        began = time.monotonic()
        following = pack(("SCAN", cursor, *more)) if cursor != b"0" else b""
        wire.exchange(following + questions(names, columns), 0, more=True)
        if held is not None:
            yield rows(held, columns, _answers(wire, len(held) * len(columns)))
        held = names
        if not following:
            break
        cursor, names = _page(wire)
        if pace < 1:
            answers = _answers(wire, len(held) * len(columns))
            rested = time.monotonic()
            busy = max(rested - began - trip, 0.0001)
            yield rows(held, columns, answers)
            held = None
            time.sleep(max(0.0, busy * (1 / pace - 1) - (time.monotonic() - rested)))
    yield rows(held, columns, _answers(wire, len(held) * len(columns)))


def questions(names: Sequence[bytes], columns: Sequence[str]) -> bytes:
    """Pack the questions about keys, column by column."""
    if not names:
        return b""
    packed = [b"$%d\r\n%b\r\n" % (len(name), name) for name in names]
    return b"".join([head + head.join(packed) for head in map(_HEADS.__getitem__, columns)])


def rows(names: Sequence[bytes], columns: Sequence[str], answers: list[Reply]) -> list[Row]:
    """Put the answers beside their names; a key that is gone by now is left out. Raises ColumnRefused."""
    if not columns:
        return [(name, None, None, None, None) for name in names]
    if ReplyError in set(map(type, answers)):
        answers = _known(columns, answers, len(names))
    size = len(names)
    told = {each: answers[at * size : (at + 1) * size] for at, each in enumerate(columns)}
    nothing = repeat(None)
    last = told.get(IDLE, told.get(FREQ, nothing))
    found = zip(names, told.get(TYPE, nothing), told.get(PTTL, nothing),
                told.get(MEMORY, nothing), last, strict=False)  # fmt: skip
    if TYPE in told:
        return [row for row in found if row[1] != b"none"]
    if PTTL in told:
        return [row for row in found if row[2] != -2]
    return list(found)


def _known(columns: Sequence[str], answers: list[Reply], size: int) -> list[Reply]:
    """Turn the refusal of a single key (another user's) into None. Raises ColumnRefused for a command's."""
    for at, answer in enumerate(answers):
        if isinstance(answer, ReplyError):
            if "key" not in str(answer).lower() or "command" in str(answer).lower():
                refusal = ColumnRefused(str(answer))
                refusal.words = COMMANDS[columns[at // size]]
                raise refusal
            answers[at] = None
    return answers


def _answers(wire: Wire, count: int) -> list[Reply]:
    """The next replies to what was sent earlier."""
    return wire.exchange(b"", count, more=True)


def _more(match: bytes, kind: str, count: int) -> tuple[bytes | str | int, ...]:
    more: tuple[bytes | str | int, ...] = ("COUNT", count)
    if match:
        more = ("MATCH", match, *more)
    return (*more, "TYPE", kind) if kind else more


def _page(wire: Wire) -> tuple[bytes, list[bytes]]:
    """The next cursor and this page's names, each once. Raises ReplyError."""
    reply = _answers(wire, 1)[0]
    if isinstance(reply, ReplyError):
        raise reply
    cursor, names = reply
    return cursor, list(dict.fromkeys(names))


def _trip(wire: Wire) -> float:
    """Seconds that a question takes on the way there and back, with nothing to be done for it."""
    shortest = 1.0
    for _ in range(3):
        began = time.monotonic()
        wire.batch([("PING",)])
        shortest = min(shortest, time.monotonic() - began)
    return shortest
