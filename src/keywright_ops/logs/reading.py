"""One source, read: what it does not filter by itself is done here, and its bytes become entries.

Two ways on purpose: `pieces` gives the wanted bytes as they lie (a pipe wants no more), `entries` what each
says, parsed only once it is wanted.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from keywright.errors import KeywrightError
from keywright_ops.logs.block import Block, blocks, entry_spans
from keywright_ops.logs.find import Question, find
from keywright_ops.logs.source import Form, Line, Source, Wish
from keywright_ops.logs.window import judged, split_lines

# syslog's priorities, as `journalctl -p` names them, and the level of Redis that each reaches down to.
PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
LEVELS_BY_PRIORITY = (
    "warning", "warning", "warning", "warning", "warning", "notice", "notice", "debug"
)  # fmt: skip


class Asked(NamedTuple):
    """What a person wants to see: of which time (`wish`), and which entries (`question`); `booted` is when
    this machine was started."""

    wish: Wish = Wish()
    question: Question = Question()
    booted: float | None = None


class Entry(NamedTuple):
    """One entry of one source: what its first line says, and the lines that belong to it. `time` is the
    line's, or that of the entry before."""

    source: Source
    time: float
    line: Line
    more: tuple[bytes, ...] = ()


def levels_of(priorities: tuple[int, int]) -> frozenset[str]:
    """Return the levels that a range of priorities stands for where a log knows none."""
    first, last = priorities
    found = {LEVELS_BY_PRIORITY[number] for number in range(first, last + 1)}
    return frozenset(found | ({"verbose"} if "debug" in found else set()))


def share(source: Source, asked: Asked) -> tuple[Wish, Wish, Question]:
    """Return what the source is asked, what of the time is left to be judged, and the question."""
    wish, question = asked.wish, asked.question
    if wish.boot and "boot" not in source.able:
        began = max(wish.since or 0.0, asked.booted or 0.0)
        wish = wish._replace(boot=False, since=began)
    if wish.priorities and "priorities" not in source.able:
        levels = levels_of(wish.priorities)
        question = question._replace(
            levels=levels if question.levels is None else question.levels & levels
        )
        wish = wish._replace(priorities=None)
    left = Wish(
        since=None if "since" in source.able else wish.since,
        until=None if "until" in source.able else wish.until,
        tail=wish.tail,
    )
    plain = not question.filters and left.since is None and left.until is None
    sent = wish._replace(
        since=wish.since if "since" in source.able else None,
        until=wish.until if "until" in source.able else None,
        tail=wish.tail if plain and "tail" in source.able else None,
    )
    return sent, left, question


def pieces(source: Source, asked: Asked, follow: bool = False) -> Iterator[bytes]:
    """Give the wanted entries as they lie, many at once; while following b"" for every silence.

    The tail is cut here: of `read` at its end, of `follow` before what comes. An error of the source is
    raised after what it gave.
    """
    sent, left, question = share(source, asked)
    trouble: list[KeywrightError] = []
    chunks = _given(source.follow(sent) if follow else source.read(sent), trouble)
    if left.since is not None or left.until is not None:
        chunks = judged(chunks, source.form, left.since, left.until)
    found: Iterator[bytes] = (_wanted(block, question) for block in blocks(chunks, source.form))
    if left.tail is not None:
        found = _tail(found, left.tail, source.form, follow)
    for piece in found:
        if piece or follow:
            yield piece
    for error in trouble:
        raise error


def _given(chunks: Iterable[bytes], trouble: list[KeywrightError]) -> Iterator[bytes]:
    """What a source gives until it is in trouble."""
    try:
        yield from chunks
    except KeywrightError as error:
        trouble.append(error)


def _wanted(block: Block, question: Question) -> bytes:
    told = block.bytes
    spans = find(block, question)
    if spans == [(0, len(told))]:
        return told
    return b"".join([told[start:end] for start, end in spans])


def _tail(found: Iterable[bytes], lines: int, form: Form, follow: bool) -> Iterator[bytes]:
    """Give the last lines of what is there, and in follow all that comes after the first silence."""
    kept: deque[tuple[int, bytes]] = deque()
    held = 0
    still = iter(found)
    for piece in still:
        if piece:
            count = piece.count(b"\n")
            kept.append((count, piece))
            held += count
            while held - kept[0][0] >= lines and len(kept) > 1:
                held -= kept.popleft()[0]
        elif follow:
            break
    yield last_lines(b"".join(piece for _, piece in kept), lines, form)
    yield b""  # the silence that ended what was there
    yield from still


def last_lines(block: bytes, lines: int, form: Form) -> bytes:
    """Return the last lines of a block, and the beginning of the entry that the first of them is part of."""
    if lines <= 0:
        return b""
    starts = [start for start, _ in entry_spans(block, form)]
    left = lines
    for number in range(len(starts) - 1, -1, -1):
        end = starts[number + 1] if number + 1 < len(starts) else len(block)
        left -= block.count(b"\n", starts[number], end)
        if left <= 0:
            return block[starts[number] :]
    return block


def entries(source: Source, found: Iterable[bytes]) -> Iterator[Entry | None]:
    """Give what the pieces hold, entry by entry; None for a silence."""
    parse, last = source.form.parse, 0.0
    for piece in found:
        if not piece:
            yield None
        for start, end in entry_spans(piece, source.form):
            first, *more = (parse(line[:-1]) for line in split_lines(piece[start:end]))
            # a crash report's first line has no header, its others tell the time and the level
            if not first.head:
                headed = next((line for line in more if line.head), first)
                first = first._replace(
                    time=first.time or headed.time,
                    level=headed.level,
                    pid=headed.pid,
                    role=headed.role,
                )
            last = first.time if first.time is not None else last
            yield Entry(source, last, first, tuple(line.raw for line in more))
