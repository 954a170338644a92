"""Reads a keyspace page by page: SCAN, and of every key TYPE, PTTL and MEMORY USAGE.

At full speed the SCAN of the next page and the questions about this one leave in one write, and the
replies are read while the server works on them: it never waits for us. Paced, a page is asked whole, and
the server then left alone for as long as its share of the time demands.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from keywright.errors import ReplyError
from keywright.wire import Wire, pack

COUNT = 200  # keys a page at most: more of them keep other clients waiting, fewer cost round trips
LEAST = 50  # keys a page at least
PAGE_TIME = 0.0006  # seconds that a page may keep others waiting; a slow server gets smaller ones
PAGES = 32  # after so many the page is measured anew
SPARSE = 500  # with a pattern: most of a page is passed over in the server
DONE = b"0"
LENGTHS = 4096  # different lengths of key whose frames are kept


class Page(NamedTuple):
    """One page: its keys, the replies about them in turn, the cursor from which the next one goes on."""

    keys: Sequence[bytes]
    replies: Sequence[Any]
    cursor: bytes


class Frames(dict[int, tuple[bytes, ...]]):
    """By length of the key: what stands before, between and behind its name in the questions about it.

    `key.join(frames[len(key)])` is all of them, packed: ten times faster than packing each.
    """

    def __init__(self, encodings: bool) -> None:
        super().__init__()
        commands = [(b"TYPE",), (b"PTTL",), (b"MEMORY", b"USAGE")]
        self.commands = [*commands, (b"OBJECT", b"ENCODING")] if encodings else commands

    def __missing__(self, length: int) -> tuple[bytes, ...]:
        begun = [
            b"*%d\r\n" % (len(words) + 1)
            + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
            + b"$%d\r\n" % length
            for words in self.commands
        ]
        frame = (begun[0], *(b"\r\n" + each for each in begun[1:]), b"\r\n")
        if len(self) < LENGTHS:
            self[length] = frame
        return frame

    def ask(self, keys: Sequence[bytes]) -> bytes:
        """Return the packed questions about these keys."""
        return b"".join([key.join(self[len(key)]) for key in keys])


class Scan(NamedTuple):
    """How a keyspace is gone through: the pattern ("" for all), the page, what is asked of each key."""

    pattern: bytes
    frames: Frames
    page: int = COUNT

    def next(self, cursor: bytes) -> bytes:
        """Return the packed SCAN from this cursor."""
        match = (b"MATCH", self.pattern) if self.pattern else ()
        return pack((b"SCAN", cursor, b"COUNT", self.page, *match))


def scan_of(pattern: bytes, encodings: bool = False) -> Scan:
    """Return how to go through the keys of a pattern (b"": all)."""
    return Scan(pattern, Frames(encodings), SPARSE if pattern else COUNT)


def at_full_speed(wire: Wire, scan: Scan, cursor: bytes) -> Iterator[Page]:
    """Yield the pages from a cursor on (b"0": the first); the server is never idle for us.

    Pages are as large as this server reads in PAGE_TIME: others wait for one at a time.
    """
    each, begun, read, pages = len(scan.frames.commands), time.monotonic(), 0, 0
    wire.send(scan.next(cursor))
    cursor, keys = _scanned(wire.receive(1)[0])
    wire.send(_questions(scan, cursor, keys))
    while True:
        place, asked = cursor, keys
        if place != DONE:
            cursor, keys = _scanned(wire.receive(1)[0])
            wire.send(_questions(scan, cursor, keys))
        yield Page(asked, wire.receive(each * len(asked)), place)
        if place == DONE:
            return
        read, pages = read + len(asked), pages + 1
        if pages == PAGES and not scan.pattern:
            took = time.monotonic() - begun
            fit = int(read * PAGE_TIME / took) if took else COUNT
            scan = scan._replace(page=max(LEAST, min(COUNT, fit)))
            begun, read, pages = time.monotonic(), 0, 0


def paced(wire: Wire, scan: Scan, cursor: bytes, share: float) -> Iterator[Page]:
    """Yield the pages; the server works for us `share` of the time (0 < share < 1) at most."""
    each = len(scan.frames.commands)
    way = _way(wire)
    wire.send(scan.next(cursor))
    cursor, keys = _scanned(wire.receive(1)[0])
    while True:
        begun = time.monotonic()
        wire.send(_questions(scan, cursor, keys))
        place, asked = cursor, keys
        if place != DONE:
            cursor, keys = _scanned(wire.receive(1)[0])
        replies = wire.receive(each * len(asked))
        busy = max(0.0, time.monotonic() - begun - way)
        yield Page(asked, replies, place)
        if place == DONE:
            return
        time.sleep(max(0.0, begun + way + busy / share - time.monotonic()))


def _questions(scan: Scan, cursor: bytes, keys: Sequence[bytes]) -> bytes:
    asked = scan.frames.ask(keys)
    return asked if cursor == DONE else scan.next(cursor) + asked


def _scanned(reply: Any) -> tuple[bytes, list[bytes]]:
    """The cursor and the keys. Raises the server's refusal."""
    if isinstance(reply, ReplyError):
        raise reply
    cursor, keys = reply
    return cursor, keys


def _way(wire: Wire) -> float:
    """Seconds that a question and its answer are under way: no time of the server's."""
    shortest = 1.0
    for _ in range(5):
        begun = time.monotonic()
        wire.call("PING")
        shortest = min(shortest, time.monotonic() - begun)
    return shortest
