"""The lock for threads, and the one thread of a process that renews what is held."""

import os
import threading
import time
from collections.abc import Callable
from random import uniform
from secrets import token_urlsafe
from types import TracebackType
from typing import Any, Self

from keywright.errors import InputError, KeywrightError, LockLost, LockTimeout
from keywright.flows import Talker
from keywright.locks.conversations import Conversations, lost
from keywright.settings import Settings
from keywright.talkers.choice import Source, settings_of, talker_for

SHORTEST, LONGEST = 0.01, 0.5  # seconds between two tries of somebody who waits, with jitter
LINGER = 5.0  # seconds that the renewing thread waits for another lock before it ends
THIRD = 3  # a lock is renewed after this part of its life


class Lock:
    """A lock by name, held by one holder at a time: `with Lock("invoices"): …`.

    `source` is Settings, a URL or an Endpoint (None: the environment); `client` a redis-py-like client;
    `talker` one of ours. `ttl` (seconds; LOCK_TTL) is how long it is held without a renewal; with
    `renew` it is renewed in the background until it is released. `wait` (seconds; None for ever, 0 not
    at all) is how long `with` and `acquire` wait. `on_lost` is called, from the renewing thread, when a
    held lock is found lost.

    What it guarantees, on one server that keeps its data: two holders' times do not overlap by the
    server's clock, and each holder has a higher `fencing` number than every one before. What it does
    not: a holder that is paused beyond `ttl` does not know that it lost; in a failover a replica may not
    have heard of the lock; an eviction may take the lock or its counter. So hand `fencing` to whatever
    the lock guards, and let that refuse a lower number than it has seen. Locks over several servers
    (Redlock) are not offered: they need the fencing number just the same.

    Every call is one round trip. Raises Unreachable and its kin, ReplyError, and what each method says.
    """

    def __init__(
        self,
        name: str,
        source: Source = None,
        *,
        client: Any = None,
        talker: Talker | None = None,
        ttl: float | None = None,
        wait: float | None = None,
        renew: bool = True,
        on_lost: Callable[[], None] | None = None,
        prefix: str | None = None,
        cluster: bool = False,
    ) -> None:
        self._talker = talker or talker_for(source, client=client, name="locks")
        self._flows = conversations_for(name, source, ttl, prefix, cluster)
        self._wait, self._renew, self._on_lost = wait, renew, on_lost
        self._token = ""
        self._until = 0.0
        self.fencing = 0

    @property
    def held(self) -> bool:
        """Whether it is held, as far as this process knows: by its own clock the time has not ended."""
        return bool(self._token) and time.monotonic() < self._until

    def acquire(self, wait: float | None = -1) -> int:
        """Take the lock and return the fencing number; `wait` (seconds) as at the making when left out.

        Raises LockTimeout when somebody else held it all the time. One round trip a try.
        """
        if self.held:
            raise LockTimeout("this lock is held already, by this very object", "make one per use")
        token, begun = token_urlsafe(16), time.monotonic()
        limit = self._wait if wait == -1 else wait
        pause = SHORTEST
        while True:
            asked = time.monotonic()
            found = self._talker.run(self._flows.acquire(token))
            if found > 0:
                break
            left = pause_for(found, pause, begun, limit)
            if left is None:
                raise timed_out(limit)
            time.sleep(left)
            pause = min(2 * pause, LONGEST)
        self._token, self.fencing = token, found
        self._until = asked + self._flows.ttl / 1000
        if self._renew:
            RENEWALS.add(self)
        return found

    def extend(self, seconds: float | None = None) -> None:
        """Begin its time anew, `seconds` from now (its `ttl` when None). One round trip. Raises LockLost."""
        asked, ttl = time.monotonic(), self._flows.ttl if seconds is None else int(seconds * 1000)
        token = self._token
        if not token:
            raise lost()
        try:
            self._talker.run(self._flows.extend(token, ttl))
        except LockLost:
            if self._token == token:
                self._token = ""
            raise
        self._until = asked + ttl / 1000

    def release(self) -> None:
        """Give it back. One round trip. Raises LockLost when it had been lost before."""
        RENEWALS.discard(self)
        token, self._token = self._token, ""
        if not token or not self._talker.run(self._flows.release(token)):
            raise lost()

    def renew_soon(self) -> float:
        """How many seconds from now it should be renewed."""
        return self._until - time.monotonic() - self._flows.ttl / 1000 * (1 - 1 / THIRD)

    def renew_now(self) -> bool:
        """Renew it from the background; False when it is lost (and `on_lost` was called)."""
        try:
            self.extend()
        except LockLost:
            if self._on_lost is not None:
                self._on_lost()
            return False
        except KeywrightError:
            pass  # the server is away: asked again until the time has ended
        if not self.held:
            self._token = ""
            if self._on_lost is not None:
                self._on_lost()
            return False
        return True

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.release()
        except LockLost:
            if error is None:  # an error of the work itself says more
                raise


class Renewals:
    """The locks of this process that are renewed, and the one thread that does it."""

    def __init__(self) -> None:
        self.begin()
        os.register_at_fork(after_in_child=self.begin)

    def begin(self) -> None:
        """Nothing to renew; also where a fork's child starts: what it inherited is the parent's."""
        self._locks: set[Lock] = set()
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, lock: Lock) -> None:
        """Renew this lock from now on."""
        with self._change:
            self._locks.add(lock)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="keywright-locks", daemon=True
                )
                self._thread.start()
            self._change.notify()

    def discard(self, lock: Lock) -> None:
        """Renew it no longer."""
        with self._change:
            self._locks.discard(lock)

    def _work(self) -> None:
        while True:
            with self._change:
                if not self._locks:
                    self._change.wait(LINGER)
                if not self._locks:
                    self._thread = None
                    return
                soonest = min(each.renew_soon() for each in self._locks)
                if soonest > 0:
                    self._change.wait(soonest)
                due = [each for each in self._locks if each.renew_soon() <= 0]
            for lock in due:
                if not lock.renew_now():
                    self.discard(lock)
            if due and any(each.renew_soon() <= 0 for each in due):
                time.sleep(0.05)  # the server is away


RENEWALS = Renewals()


def conversations_for(
    name: str, source: Source, ttl: float | None, prefix: str | None, cluster: bool
) -> Conversations:
    """The flows of a lock, its settings filled in. Raises InputError for a name or time without sense."""
    if not name:
        raise InputError("a lock needs a name", 'Lock("invoices")')
    if ttl is None or prefix is None:
        settings = settings_of(source) or Settings.from_env()
        ttl = settings.lock_ttl if ttl is None else ttl
        prefix = settings.lock_prefix if prefix is None else prefix
    if ttl < 0.01:
        raise InputError("a lock's ttl is at least 0.01 seconds", "how long may the work take?")
    return Conversations(prefix + name, int(ttl * 1000), cluster)


def pause_for(found: int, pause: float, begun: float, limit: float | None) -> float | None:
    """How long to wait before the next try; None when the waiting time is over.

    The lock's own end is the latest that makes sense; it may be released before.
    """
    wanted = min(uniform(pause / 2, pause), (-1 - found) / 1000 + 0.001)
    if limit is None:
        return wanted
    left = begun + limit - time.monotonic()
    return min(wanted, left) if left > 0 else None


def timed_out(limit: float | None) -> LockTimeout:
    """What to say when somebody else held it all the time."""
    return LockTimeout(
        f"somebody else held the lock for {limit or 0:g} s", "wait longer, or come back later"
    )
