"""Several sources as one stream, in order of time.

What is there is merged lazily. While following, each source has a thread, and an entry waits a moment for
others that are older: the ways from several hosts are not equally long.
"""

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from queue import Empty, Queue
from threading import Event, Thread

from keywright.errors import KeywrightError
from keywright_ops.logs.reading import Asked, Entry, entries, pieces
from keywright_ops.logs.source import Source

Complain = Callable[[Source, KeywrightError], None]

WAIT = 0.3  # seconds that an entry waits for older ones
FIRST = 10.0  # seconds that the merge waits for a source to say what it has so far
LAST = 2.0  # seconds that the sources have to end
ENDED = "ended"


def merged(sources: Sequence[Source], asked: Asked, complain: Complain) -> Iterator[Entry]:
    """Give what all sources have, in order of time; who cannot be read is complained of, once."""

    def guarded(source: Source) -> Iterator[Entry]:
        try:
            for entry in entries(source, pieces(source, asked)):
                if entry is not None:
                    yield entry
        except KeywrightError as error:
            complain(source, error)

    streams = [guarded(source) for source in sources]
    found = heapq.merge(*streams, key=lambda entry: entry.time)
    return found if asked.wish.tail is None else iter(last_entries(found, asked.wish.tail))


def last_entries(found: Iterable[Entry], lines: int) -> list[Entry]:
    """Return the last entries that have so many lines together."""
    kept: deque[Entry] = deque()
    held = 0
    for entry in found:
        kept.append(entry)
        held += 1 + len(entry.more)
        while kept and held - 1 - len(kept[0].more) >= lines:
            held -= 1 + len(kept.popleft().more)
    return list(kept)


def followed(sources: Sequence[Source], asked: Asked, complain: Complain) -> Iterator[Entry | None]:
    """Give what all sources have and then what comes; None when what was given may be shown."""
    news: Queue[tuple[int, Entry | KeywrightError | str | None]] = Queue(10_000)
    stop = Event()

    def pump(number: int, source: Source) -> None:
        try:
            with closing(pieces(source, asked, follow=True)) as found:  # type: ignore[type-var]
                for entry in entries(source, found):
                    if stop.is_set():
                        return
                    news.put((number, entry))
        except KeywrightError as error:
            news.put((number, error))
        finally:
            news.put((number, ENDED))

    threads = [Thread(target=pump, args=each, daemon=True) for each in enumerate(sources)]
    for thread in threads:
        thread.start()
    try:
        yield from _ordered(news, sources, asked.wish.tail, complain)
    finally:
        stop.set()
        _await_end(threads, news)


def _await_end(
    threads: Sequence[Thread], news: "Queue[tuple[int, Entry | KeywrightError | str | None]]"
) -> None:
    """Let the sources end what they started: each looks up at its next silence."""
    limit = time.monotonic() + LAST
    while any(thread.is_alive() for thread in threads) and time.monotonic() < limit:
        _next(news)  # who waits for a place in the queue gets one


def _ordered(
    news: "Queue[tuple[int, Entry | KeywrightError | str | None]]",
    sources: Sequence[Source],
    tail: int | None,
    complain: Complain,
) -> Iterator[Entry | None]:
    awaited, running = set(range(len(sources))), set(range(len(sources)))
    there: list[Entry] = []  # what every source had when it was asked
    waiting: list[tuple[float, int, float, Entry]] = []
    began, count = time.monotonic(), 0
    while running or waiting or there:
        number, told = _next(news)
        now = time.monotonic()
        if isinstance(told, Entry) and number in awaited:
            there.append(told)
        elif isinstance(told, Entry):
            count += 1
            heapq.heappush(waiting, (told.time, count, now, told))
        else:
            awaited.discard(number)
            if isinstance(told, KeywrightError):
                complain(sources[number], told)
            elif told == ENDED:
                running.discard(number)
        if awaited and now - began < FIRST:
            continue
        if there:
            there.sort(key=lambda entry: entry.time)
            yield from there if tail is None else last_entries(there, tail)
            there = []
        awaited.clear()
        while waiting and (now - waiting[0][2] >= WAIT or not running):
            yield heapq.heappop(waiting)[3]
        if told is None:
            yield None


def _next(
    news: "Queue[tuple[int, Entry | KeywrightError | str | None]]",
) -> tuple[int, Entry | KeywrightError | str | None]:
    """The next that any source tells; a silence when none does for a moment."""
    try:
        return news.get(timeout=WAIT / 3)
    except Empty:
        return -1, None
