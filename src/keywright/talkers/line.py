"""One connection that many tasks share: what they send in one turn of the event loop is one write.

Rule 1: replies come in the order of the commands, so each is given to whoever waits longest; a task
that was cancelled leaves its place in the row, and its reply is dropped.
Rule 2: a line belongs to one event loop, and it is closed on a reply that nobody waits for, on
rubbish, and when the oldest command has waited longer than the time-out.
"""

import asyncio
from collections import deque
from typing import Any

from keywright.endpoint import Endpoint
from keywright.errors import ConnectionLost, ProtocolError, Unreachable
from keywright.flows import Reply
from keywright.wire import not_resp, reader, timed_out

MANY = 1 << 20  # octets that may wait in our own buffer before senders have to wait
TICKS = 8  # looks at the clock per time-out: how late one may be noticed, as a fraction of it
READ = 65536  # octets read at once
NOTHING = object()  # what the parser returns when a reply is not whole yet


class NotSent(ConnectionLost):
    """The line broke before the command left: it may be sent again, whatever it is."""


class Line(asyncio.BufferedProtocol):
    """A connection under way in `loop`; `most` is how many commands may wait for their replies."""

    def __init__(self, loop: asyncio.AbstractEventLoop, endpoint: Endpoint, most: int) -> None:
        self.loop, self.endpoint = loop, endpoint
        self.open = False
        self.ready = False  # open, with room for another command
        self.sent = self.received = 0  # commands and replies so far
        self._most = most
        self._transport: Any = None
        self._reader = reader(raw=True, nothing=NOTHING)
        self._waiting: deque[tuple[asyncio.Future[list[Reply]], int]] = deque()
        self._outbox: list[bytes] = []
        # A view: asyncio's TLS slices what it is given, and a slice of a bytearray is a copy.
        self._buffer = memoryview(bytearray(READ))
        self._unsent = 0  # how many of the last in `_waiting` have not left yet
        self._part: list[Reply] = []  # the replies so far to a batch of several
        self._paused = False  # the kernel takes no more
        self._watching = False
        self._marks: deque[tuple[float, int]] = deque()
        self._queue: deque[asyncio.Future[None]] = deque()  # senders that wait for room
        self._new_future, self._call_soon = loop.create_future, loop.call_soon

    # --- sending ----------------------------------------------------------------------------------

    def send(self, packed: bytes, count: int) -> "asyncio.Future[list[Reply]]":
        """Put commands (packed, `count` of them) into this turn's write; the future has the replies.

        It may end with ConnectionLost (NotSent when they never left), TimedOut or ProtocolError.
        """
        future: asyncio.Future[list[Reply]] = self._new_future()
        if not self._outbox:
            self._call_soon(self._flush)
        self._outbox.append(packed)
        self._waiting.append((future, count))
        self._unsent += 1
        self.sent += count
        if self.sent - self.received >= self._most:
            self.ready = False
        if not self._watching:
            self._watch()
        return future

    def _flush(self) -> None:
        outbox = self._outbox
        if self._paused or not outbox or not self.open:
            return
        self._unsent = 0
        self._outbox = []
        self._transport.write(outbox[0] if len(outbox) == 1 else b"".join(outbox))

    @property
    def full(self) -> bool:
        """Whether senders have to wait for `room`."""
        return self._paused or self.sent - self.received >= self._most

    async def room(self) -> bool:
        """Wait until there is room; False when there was none within the time-out."""
        place: asyncio.Future[None] = self._new_future()
        self._queue.append(place)
        try:
            async with asyncio.timeout(self.endpoint.timeout):
                await place
        except TimeoutError:
            return False
        return True

    def _make_room(self) -> None:
        self.ready = self.open and not self.full
        free = self._most - (self.sent - self.received)
        while self._queue and free > 0 and not self._paused:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                free -= 1

    # --- receiving: called by the event loop ------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = transport
        self._transport.set_write_buffer_limits(high=MANY)
        self.open = self.ready = True

    def get_buffer(self, _: int) -> memoryview:
        """Where the loop puts what it reads: always the same memory."""
        return self._buffer

    def buffer_updated(self, octets: int) -> None:
        """Give each whole reply to the one who waits for it."""
        parser, waiting = self._reader, self._waiting
        parser.feed(self._buffer, 0, octets)  # type: ignore[arg-type]  # it takes any buffer
        gets = parser.gets
        received = 0
        try:
            reply = gets()
            while reply is not NOTHING:
                future, count = waiting.popleft()
                received += 1
                if count != 1:
                    self._part.append(reply)
                    if len(self._part) < count:
                        waiting.appendleft((future, count))
                        reply = gets()
                        continue
                    replies, self._part = self._part, []
                else:
                    replies = [reply]
                if not future.done():
                    future.set_result(replies)
                reply = gets()
        except (ProtocolError, IndexError):
            self.close(not_resp(self.endpoint))
        self.received += received
        if not self.ready:
            self._make_room()

    def eof_received(self) -> None:
        """The server hung up."""

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is over, for whatever reason."""
        said = getattr(error, "strerror", None) or "the server closed it"
        self.close(ConnectionLost(f"the connection to {self.endpoint.address} broke: {said}"))

    def pause_writing(self) -> None:
        """The kernel takes no more for now."""
        self._paused, self.ready = True, False

    def resume_writing(self) -> None:
        """It does again."""
        self._paused = False
        self._flush()
        self._make_room()

    # --- the end ----------------------------------------------------------------------------------

    def close(self, error: Exception | None = None) -> None:
        """Close the connection; whoever waits gets `error` (ConnectionLost when None is given)."""
        if self._transport is not None:
            self._transport.abort()
        self.open = self.ready = False
        why = error or ConnectionLost(f"the connection to {self.endpoint.address} was closed")
        left = len(self._waiting) - self._unsent
        while self._waiting:
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_exception(_for_one(why, sent=left > 0))
                future.exception()  # whoever waited may be gone: then nobody needs to be told
            left -= 1
        self._outbox, self._unsent, self._part = [], 0, []
        self.received = self.sent
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)

    def _watch(self) -> None:
        """Look at the clock while anything is waited for: no timer of its own for each command."""
        now = self.loop.time()
        marks, limit = self._marks, self.endpoint.timeout
        while marks and marks[0][0] <= now - limit:
            if self.received < marks.popleft()[1]:
                marks.clear()
                self._watching = False
                self.close(timed_out(self.endpoint))
                return
        self._watching = self.sent != self.received
        if self._watching:
            marks.append((now, self.sent))
            self.loop.call_later(limit / TICKS, self._watch)
        else:
            marks.clear()


def _for_one(why: Exception, sent: bool) -> Exception:
    """An error of its own for each who waits: a traceback belongs to one task."""
    kind = type(why) if sent or not isinstance(why, Unreachable) else NotSent
    return kind(str(why), getattr(why, "hint", ""))
