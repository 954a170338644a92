"""Holds flows for asyncio: all tasks of an event loop share one connection (two, for large values).

Rule 1: what is sent again, and when OutcomeUnknown is raised, is as in `blocking`; a command that had
not left when the line broke is always sent again.
Rule 2: every event loop has its own connections, and so has a fork's child.
Rule 3: what may block (sentinels, a source of credentials) runs in the loop's executor.
"""

import asyncio
import weakref
from random import uniform

import hiredis

from keywright.endpoint import Credentials, Endpoint
from keywright.errors import (
    Busy,
    ConnectionLost,
    KeywrightError,
    ReplyError,
    TimedOut,
    Unreachable,
)
from keywright.flows import Ask, Batch, Flow, More, Reply, T, hold_async, quick_batch
from keywright.forks import begin_anew_in_a_child
from keywright.places import resolved
from keywright.talkers.blocking import (
    FIRST_WAIT,
    LONGEST_WAIT,
    MARGIN,
    PASSING,
    is_passing,
    outcome_unknown,
)
from keywright.talkers.line import Line, NotSent
from keywright.tls import ssl_context
from keywright.wire import greeting, not_reached, pack, welcome

WIDE = 65536  # octets: a larger batch goes over a line of its own, so that others need not wait

pack_command = hiredis.pack_command
running_loop = asyncio.get_running_loop


class _Lines:
    """The connections of one event loop: `narrow` for most, `wide` for large values."""

    def __init__(self) -> None:
        self.narrow: Line | None = None
        self.wide: Line | None = None
        self.opening: dict[bool, asyncio.Task[Line]] = {}
        self.gone_since: float | None = None


class MultiplexedTalker:
    """Holds flows over shared connections to the endpoint.

    `most` is how many commands may wait for their replies on one connection, beyond which tasks
    queue up (Busy after the time-out); `patience` is how many seconds a server that has just gone
    is waited for.
    """

    def __init__(
        self, endpoint: Endpoint, *, most: int = 10_000, name: str = "", patience: float = 1.0
    ) -> None:
        self.endpoint, self.name, self.patience = endpoint, name, patience
        self._most = most
        self.begin()
        begin_anew_in_a_child(self)

    def begin(self) -> None:
        """No connection yet; also where a fork's child starts."""
        self._line: Line | None = None  # the narrow line that was used last
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Lines] = (
            weakref.WeakKeyDictionary()
        )

    async def run(self, flow: Flow[T] | Ask[T]) -> T:
        """Hold one flow to its end and return its value."""
        if isinstance(flow, Ask):
            line, packed = self._line, pack_command(flow.words)  # type: ignore[arg-type]
            # Written out, without a coroutine between: every request of an application comes this way.
            if (
                line is not None
                and line.ready
                and line.loop is running_loop()
                and len(packed) <= WIDE
            ):
                try:
                    (reply,) = await line.send(packed, 1)
                except ConnectionLost as error:
                    batch = quick_batch(((flow.words,), True))
                    (reply,) = await self._after_loss(packed, batch, error)
                if reply.__class__ is ReplyError and reply.code in PASSING:
                    batch = quick_batch(((flow.words,), True))
                    (reply,) = await self._until_ready(packed, batch, [reply], line)
            else:
                (reply,) = await self.exchange(quick_batch(((flow.words,), True)))
            try:
                return flow.then(flow.about, reply)
            except More as more:
                flow = more.flow
        return await hold_async(flow, self.exchange)

    async def exchange(self, batch: Batch) -> list[Reply]:
        """One round trip. Raises Unreachable, ConnectionLost, OutcomeUnknown, ProtocolError."""
        packed = b"".join(map(pack_command, batch.commands))  # type: ignore[arg-type]
        try:
            replies, line = await self._sent(packed, len(batch.commands))
        except ConnectionLost as error:
            return await self._after_loss(packed, batch, error)
        if replies[0].__class__ is ReplyError and replies[0].code in PASSING:
            return await self._until_ready(packed, batch, replies, line)
        return replies

    async def _sent(self, packed: bytes, count: int) -> tuple[list[Reply], Line]:
        line = await self._ready(len(packed) > WIDE)
        while line.full:
            if not await line.room():
                raise Busy(
                    f"{line.sent - line.received} commands wait for {self.endpoint.address}",
                    "is the server slow, or are there too many tasks for it?",
                )
            if not line.open:
                line = await self._ready(len(packed) > WIDE)
        return await line.send(packed, count), line

    async def _after_loss(self, packed: bytes, batch: Batch, error: ConnectionLost) -> list[Reply]:
        """Send again what may be, until the server is back or patience is over."""
        lines = self._lines()
        while True:
            if isinstance(error, TimedOut) or not self._may_wait(lines):
                again = False
            else:
                again = batch.repeatable or isinstance(error, NotSent)
            if not again:
                sent = not isinstance(error, NotSent)
                raise (outcome_unknown(error) if sent and not batch.repeatable else error) from None
            try:
                replies, line = await self._sent(packed, len(batch.commands))
            except ConnectionLost as next_error:
                error = next_error
                await asyncio.sleep(uniform(FIRST_WAIT / 2, FIRST_WAIT))
                continue
            lines.gone_since = None
            if replies[0].__class__ is ReplyError and replies[0].code in PASSING:
                return await self._until_ready(packed, batch, replies, line)
            return replies

    async def _until_ready(
        self, packed: bytes, batch: Batch, replies: list[Reply], line: Line
    ) -> list[Reply]:
        """Ask again, the sentinels first, until the server is ready or patience is over."""
        lines, wait = self._lines(), FIRST_WAIT
        while self._may_wait(lines):
            line.close()
            await asyncio.sleep(uniform(wait / 2, wait))
            wait = min(2 * wait, LONGEST_WAIT)
            replies, line = await self._sent(packed, len(batch.commands))
            if not (replies[0].__class__ is ReplyError and replies[0].code in PASSING):
                lines.gone_since = None
                break
        return replies

    # --- connections ------------------------------------------------------------------------------

    def _lines(self) -> _Lines:
        loop = running_loop()
        lines = self._loops.get(loop)
        if lines is None:
            lines = self._loops[loop] = _Lines()
        return lines

    async def _ready(self, wide: bool) -> Line:
        """An open line of this loop; the first who finds none opens it, the others wait for that."""
        lines = self._lines()
        line = lines.wide if wide else lines.narrow
        if line is not None and line.open:
            if not wide:
                self._line = line
            return line
        opening = lines.opening.get(wide)
        if opening is None:
            opening = running_loop().create_task(self._opened(lines, wide))
            lines.opening[wide] = opening
            opening.add_done_callback(lambda task: _settle(lines, wide, task))
        return await asyncio.shield(opening)

    async def _opened(self, lines: _Lines, wide: bool) -> Line:
        """Connect; a server that has just gone is asked again, with jitter, while patience lasts."""
        wait = FIRST_WAIT
        while True:
            try:
                line = await self._connected()
            except TimedOut:
                raise
            except Unreachable as error:
                if not is_passing(error) or not self._may_wait(lines):
                    raise
                await asyncio.sleep(uniform(wait / 2, wait))
                wait = min(2 * wait, LONGEST_WAIT)
                continue
            break
        lines.gone_since = None
        if wide:
            lines.wide = line
        else:
            lines.narrow = self._line = line
        return line

    async def _connected(self) -> Line:
        loop = running_loop()
        place, given = self.endpoint, Credentials("", None)
        if place.sentinels is not None or place.credentials is not None:
            place, given = await loop.run_in_executor(None, resolved, place)
        line = Line(loop, place, self._most)
        context = ssl_context(place.tls) if place.tls is not None else None
        name = place.host if context is not None else None
        try:
            async with asyncio.timeout(place.connect_timeout):
                if place.unix_path:
                    await loop.create_unix_connection(
                        lambda: line, place.unix_path, ssl=context, server_hostname=name
                    )
                else:
                    await loop.create_connection(
                        lambda: line, place.host, place.port, ssl=context, server_hostname=name
                    )
        except OSError as error:
            line.close()
            raise not_reached(place, error) from None
        commands = greeting(place, self.name)
        if commands:
            try:
                welcome(commands, await line.send(b"".join(map(pack, commands)), len(commands)))
            except BaseException:
                line.close()
                raise
        if given.good_for is not None:
            loop.call_later(max(1.0, given.good_for - MARGIN), self._renew_soon, line)
        return line

    def _renew_soon(self, line: Line) -> None:
        if line.open:
            task = line.loop.create_task(self._renew(line))
            self._renewals.add(task)
            task.add_done_callback(self._renewals.discard)

    _renewals: "set[asyncio.Task[None]]" = set()  # noqa: RUF012 - the loop keeps only weak references

    async def _renew(self, line: Line) -> None:
        """Log in again before the credentials end; a line that is refused is closed."""
        assert self.endpoint.credentials is not None
        try:
            given = await line.loop.run_in_executor(None, self.endpoint.credentials)
            words = ("AUTH", given.username or "default", given.password or "")
            (reply,) = await line.send(pack(words), 1)
        except (KeywrightError, OSError):
            line.close()
            return
        if isinstance(reply, ReplyError):
            line.close()
        elif given.good_for is not None:
            line.loop.call_later(max(1.0, given.good_for - MARGIN), self._renew_soon, line)

    def _may_wait(self, lines: _Lines) -> bool:
        """Whether patience still lasts, counted from the first failure of all tasks."""
        now = running_loop().time()
        if lines.gone_since is None:
            lines.gone_since = now
        return now - lines.gone_since < self.patience

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        lines = self._loops.pop(running_loop(), None)
        self._line = None
        if lines is not None:
            for line in (lines.narrow, lines.wide):
                if line is not None:
                    line.close()


def _settle(lines: _Lines, wide: bool, task: "asyncio.Task[Line]") -> None:
    lines.opening.pop(wide, None)
    if not task.cancelled():
        task.exception()  # whoever waited may be gone: then nobody needs to be told
