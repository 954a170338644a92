"""Holds flows for threads: each borrows a connection, the one used last first.

Rule 1: a batch that may be repeated is sent once more on a new connection when the first broke; one that
may not raises OutcomeUnknown. A time-out is never followed by a second try.
Rule 2: a server that has just gone (refused, loading, failing over) is waited for, `patience` seconds
from the first failure; whoever comes later asks once and is told at once.
Rule 3: a fork's child begins without connections; the parent keeps its own.
"""

import threading
import time
from collections import deque
from random import uniform

import hiredis

from keywright.endpoint import Credentials, Endpoint
from keywright.errors import (
    Busy,
    ConnectionLost,
    NotThere,
    OutcomeUnknown,
    ReplyError,
    TimedOut,
    Unreachable,
)
from keywright.flows import Ask, Batch, Flow, More, Reply, T, hold, quick_batch
from keywright.forks import begin_anew_in_a_child
from keywright.places import resolved
from keywright.wire import Wire

IDLE = 1.0  # seconds after which a connection is looked at before it is used
FIRST_WAIT, LONGEST_WAIT = 0.02, 0.25  # seconds between two tries, each with jitter
# What a server says that will be ready soon, or is not the master any more; nothing was done.
PASSING = {"LOADING", "READONLY", "MASTERDOWN"}

pack_command = hiredis.pack_command


class Line(Wire):
    """A connection of the pool: when it was used last, and until when its login is good."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self.used = 0.0
        place, given = resolved(endpoint)
        self._good(given)
        super().__init__(place, name, raw=True)

    def _good(self, given: Credentials) -> None:
        self.good_until = time.monotonic() + (given.renew_in or float("inf"))

    def renew(self, endpoint: Endpoint) -> None:
        """Log in again with the credentials of now. Raises ReplyError when they are refused."""
        assert endpoint.credentials is not None
        given = endpoint.credentials()
        self.call("AUTH", given.username or "default", given.password or "")
        self._good(given)


class BlockingTalker:
    """Holds flows over at most `connections` connections to the endpoint.

    `patience` is how many seconds a server that has just gone is waited for (0: not at all).
    """

    def __init__(
        self, endpoint: Endpoint, *, connections: int = 100, name: str = "", patience: float = 1.0
    ) -> None:
        self.endpoint, self.name, self.patience = endpoint, name, patience
        self._most = connections
        self.begin()
        begin_anew_in_a_child(self)

    def begin(self) -> None:
        """No connection yet; also where a fork's child starts."""
        self._idle: deque[Line] = deque()
        self._room = threading.Condition()
        self._open = 0
        self._waiting = 0
        self._gone_since: float | None = None

    def run(self, flow: Flow[T] | Ask[T]) -> T:
        """Hold one flow to its end and return its value."""
        if isinstance(flow, Ask):
            (reply,) = self.exchange(quick_batch(((flow.words,), True)))
            try:
                return flow.then(flow.about, reply)
            except More as more:
                flow = more.flow
        return hold(flow, self.exchange)

    def exchange(self, batch: Batch) -> list[Reply]:
        """One round trip. Raises Unreachable, ConnectionLost, OutcomeUnknown, ProtocolError."""
        commands = batch.commands
        if len(commands) == 1:
            packed = pack_command(commands[0])  # type: ignore[arg-type]
        else:
            packed = b"".join(map(pack_command, commands))  # type: ignore[arg-type]
        wait, first = FIRST_WAIT, True
        while True:
            line = self._take()
            try:
                replies = line.exchange(packed, len(commands))
            except ConnectionLost as error:
                self._drop(line)
                if not batch.repeatable:
                    raise outcome_unknown(error) from None
                if isinstance(error, TimedOut) or not (first or self._may_wait()):
                    raise
                self._forget_idle()
                if first:  # most likely it was idle, and closed by the server: at once again
                    first = False
                    continue
            except BaseException:
                self._drop(line)
                raise
            else:
                if not passing(replies):
                    self._gone_since = None
                    self._give(line)
                    return replies
                self._drop(line)  # the next one is made to where the master is then
                if not self._may_wait():
                    return replies
            first = False
            time.sleep(uniform(wait / 2, wait))
            wait = min(2 * wait, LONGEST_WAIT)

    # --- the pool ---------------------------------------------------------------------------------

    def _take(self) -> Line:
        """An idle connection that still stands, or a new one."""
        try:
            line = self._idle.pop()
        except IndexError:
            return self._new()
        now = time.monotonic()
        if now - line.used > IDLE and line.hung_up():
            self._drop(line)
            self._forget_idle()
            return self._new()
        if now > line.good_until:
            try:
                line.renew(self.endpoint)
            except BaseException:
                self._drop(line)
                raise
        return line

    def _give(self, line: Line) -> None:
        line.used = time.monotonic()
        self._idle.append(line)
        if self._waiting:
            with self._room:
                self._room.notify()

    def _new(self) -> Line:
        """Open a connection, or wait for one when there are as many as allowed. Raises Busy."""
        with self._room:
            if self._open >= self._most:
                line = self._awaited()
                if line is not None:
                    return line
            self._open += 1
        try:
            return self._connected()
        except BaseException:
            self._leave()
            raise

    def _awaited(self) -> Line | None:
        """Wait (holding `_room`) until a connection comes back, or one more may be opened."""
        deadline = time.monotonic() + self.endpoint.timeout
        self._waiting += 1
        try:
            while True:
                if self._idle:
                    return self._idle.pop()
                if self._open < self._most:
                    return None
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Busy(
                        f"all {self._most} connections to {self.endpoint.address} are in use",
                        "raise REDIS_POOL_MAX_CONNECTIONS, or look for slow commands",
                    )
                self._room.wait(min(left, 0.1))
        finally:
            self._waiting -= 1

    def _connected(self) -> Line:
        """Connect; a server that has just gone is asked again, with jitter, while patience lasts."""
        wait = FIRST_WAIT
        while True:
            try:
                return Line(self.endpoint, self.name)
            except Unreachable as error:
                if not may_come_back(error) or not self._may_wait():
                    raise
            time.sleep(uniform(wait / 2, wait))
            wait = min(2 * wait, LONGEST_WAIT)

    def _may_wait(self) -> bool:
        """Whether patience still lasts, counted from the first failure since anybody was answered."""
        now = time.monotonic()
        if self._gone_since is None:
            self._gone_since = now
        return now - self._gone_since < self.patience

    def _drop(self, line: Line) -> None:
        line.close()
        self._leave()

    def _leave(self) -> None:
        with self._room:
            self._open -= 1
            self._room.notify()

    def _forget_idle(self) -> None:
        """One connection broke: what lies idle most likely broke with it."""
        while True:
            try:
                line = self._idle.pop()
            except IndexError:
                return
            if line.hung_up():
                self._drop(line)
            else:
                self._idle.appendleft(line)
                return

    def close(self) -> None:
        """Close every idle connection; those in use are closed by whoever holds them."""
        while self._idle:
            self._drop(self._idle.pop())


def outcome_unknown(error: ConnectionLost) -> OutcomeUnknown:
    """What to say of a line that broke after a command that must not be sent twice."""
    return OutcomeUnknown(
        f"{error}; whether the command was carried out is not known",
        "look at what is stored before you send it again",
    )


def may_come_back(error: Unreachable) -> bool:
    """Whether asking again soon may help; a time-out, a name or a certificate is not waited for."""
    return isinstance(error, NotThere | ConnectionLost) and not isinstance(error, TimedOut)


def passing(replies: list[Reply]) -> bool:
    """Whether the server refused, and nothing was done, for a reason that may pass soon."""
    return isinstance(replies[0], ReplyError) and replies[0].code in PASSING
