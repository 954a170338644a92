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
    may_come_back,
    outcome_unknown,
    passing,
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
                outcome: list[Reply] | ConnectionLost
                try:
                    outcome = await line.send(packed, 1)
                    reply = outcome[0]
                except ConnectionLost as error:
                    outcome = reply = error
                if isinstance(reply, Exception):
                    batch = quick_batch(((flow.words,), True))
                    (reply,) = await self._settled(packed, batch, outcome, line)
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
        return await self._settled(packed, batch, *await self._tried(packed, len(batch.commands)))

    async def _tried(self, packed: bytes, count: int) -> tuple[list[Reply] | ConnectionLost, Line]:
        """Send once: the replies, or how the line broke; and the line."""
        line = await self._ready(len(packed) > WIDE)
        while line.full:
            if not await line.room():
                raise Busy(
                    f"{line.sent - line.received} commands wait for {self.endpoint.address}",
                    "is the server slow, or are there too many tasks for it?",
                )
            if not line.open:
                line = await self._ready(len(packed) > WIDE)
        try:
            return await line.send(packed, count), line
        except ConnectionLost as error:
            return error, line

    async def _settled(
        self, packed: bytes, batch: Batch, outcome: list[Reply] | ConnectionLost, line: Line
    ) -> list[Reply]:
        """The replies of a first try; what broke or was refused for now is sent again, as in `blocking`."""
        lines, wait, first = self._lines(), FIRST_WAIT, True
        while True:
            at_once = False
            if isinstance(outcome, ConnectionLost):
                if not batch.repeatable and not isinstance(outcome, NotSent):
                    raise outcome_unknown(outcome) from None
                if isinstance(outcome, TimedOut) or not (first or self._may_wait(lines)):
                    raise outcome
                at_once = first
            elif not passing(outcome):
                lines.gone_since = None
                return outcome
            elif not self._may_wait(lines):
                return outcome
            else:
                line.close()  # the next one is made to where the master is then
            if not at_once:
                await asyncio.sleep(uniform(wait / 2, wait))
                wait = min(2 * wait, LONGEST_WAIT)
            first = False
            outcome, line = await self._tried(packed, len(batch.commands))

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
                break
            except Unreachable as error:
                if not may_come_back(error) or not self._may_wait(lines):
                    raise
            await asyncio.sleep(uniform(wait / 2, wait))
            wait = min(2 * wait, LONGEST_WAIT)
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
        self._renew_later(line, given)
        return line

    def _renew_later(self, line: Line, given: Credentials) -> None:
        if given.renew_in is not None:
            line.loop.call_later(given.renew_in, self._renew_soon, line)

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
        else:
            self._renew_later(line, given)

    def _may_wait(self, lines: _Lines) -> bool:
        """Whether patience still lasts, counted from the first failure since anybody was answered."""
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
