"""A time window in a log that is in order of time: found by bisection, a few small reads for any size.

A log is nearly in order: a child's line may be some seconds late, clocks are set, and where summer time ends
an hour comes twice. So lines near a bound are judged one by one, and what lies between is taken whole. A log
that is not in order at all (pasted together, restored) is judged line by line to its end.

Pure: what reads is given (`pread(size, position)`).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from keywright_ops.logs.source import CHUNK, Form

Pread = Callable[[int, int], bytes]

LATE = 60.0  # seconds that a line may stand behind its time
TWICE = 7200.0  # around the end of summer time
SAMPLES = 64  # places that are looked at to tell whether a log is in order
PEEK = 4096  # bytes of one look
FURTHEST = 1 << 20  # a line with a time comes within so many bytes, or the rest has none


class Range(NamedTuple):
    """Bytes of a file from `start` to `end`, whole lines; `judge` when each line's time is looked at."""

    start: int
    end: int
    judge: bool


def window(
    pread: Pread,
    size: int,
    form: Form,
    since: float | None,
    until: float | None,
    twice: Callable[[float], bool] = lambda _: False,
) -> list[Range]:
    """Return where the lines of a window lie. `twice` tells whether an hour comes twice near a time."""
    if since is None and until is None:
        return [Range(0, size, False)]
    if not in_order(pread, size, form):
        return [Range(0, size, True)]
    start = inner = 0
    if since is not None:
        late = TWICE if twice(since) else LATE
        start = first_at(pread, size, form, since - late, 0)
        inner = first_at(pread, size, form, since + late, start)
    outer = end = size
    if until is not None:
        late = TWICE if twice(until) else LATE
        outer = first_at(pread, size, form, until - late, start)
        end = first_at(pread, size, form, until + late, outer)
    if outer <= inner:
        return [Range(start, max(inner, end), True)]
    ranges = (Range(start, inner, True), Range(inner, outer, False), Range(outer, end, True))
    return [each for each in ranges if each.start < each.end]


def in_order(pread: Pread, size: int, form: Form) -> bool:
    """Whether the times at places all over the log never go back by more than a line may be late."""
    latest = float("-inf")
    for number in range(SAMPLES):
        found = _next_time(pread, size, form, size * number // SAMPLES)
        if found is None:
            continue
        if found[1] < latest - TWICE:
            return False
        latest = max(latest, found[1])
    return True


def first_at(pread: Pread, size: int, form: Form, seconds: float, low: int) -> int:
    """Return where the first line at or after a time begins (`size` when none does)."""
    high = size
    while high - low > CHUNK // 4:
        middle = (low + high) // 2
        found = _next_time(pread, high, form, middle)
        if found is None or found[1] >= seconds:
            high = middle
        else:
            low = found[0]
    for position, line in _lines(pread, size, low):
        if form.head.match(line):
            told = form.parse(line.rstrip(b"\n")).time
            if told is not None and told >= seconds:
                return position
    return size


def _next_time(pread: Pread, size: int, form: Form, position: int) -> tuple[int, float] | None:
    """The first line after `position` that tells its time: where it begins, and when."""
    for start, line in _lines(pread, size, position):
        if start - position > FURTHEST:
            return None
        if form.head.match(line):
            told = form.parse(line.rstrip(b"\n")).time
            if told is not None:
                return start, told
    return None


def _lines(pread: Pread, size: int, position: int) -> Iterator[tuple[int, bytes]]:
    """Every line that begins at or after a position, with the place where it does."""
    if position > 0:
        position -= (
            1  # so that a line that begins exactly there is found by the end of the one before
        )
    skipping, rest = position > 0, b""
    while position < size:
        block = rest + pread(min(PEEK, size - position - len(rest)), position + len(rest))
        if len(block) == len(rest):
            if rest and not skipping:
                yield position, rest
            return
        *lines, rest = block.split(b"\n")
        for line in lines:
            if skipping:
                skipping = False
            else:
                yield position, line + b"\n"
            position += len(line) + 1
        if position + len(rest) >= size and rest:
            if not skipping:
                yield position, rest
            return


def judged(
    chunks: Iterable[bytes], form: Form, since: float | None, until: float | None
) -> Iterator[bytes]:
    """Give the lines of a window out of chunks of whole lines, each judged; a line without a time goes
    with the one before."""
    low = float("-inf") if since is None else since
    high = float("inf") if until is None else until
    wanted = since is None
    for chunk in chunks:
        kept = []
        for line in split_lines(chunk):
            if form.head.match(line):
                told = form.parse(line[:-1]).time
                if told is not None:
                    wanted = low <= told < high
            if wanted:
                kept.append(line)
        if kept:
            yield b"".join(kept)


def split_lines(chunk: bytes) -> list[bytes]:
    """Lines by line feeds alone: a carriage return is part of its line."""
    return [line + b"\n" for line in chunk.removesuffix(b"\n").split(b"\n")]
