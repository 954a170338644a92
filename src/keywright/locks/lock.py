"""The lock for threads."""

import logging
import os
import threading
import time
from collections.abc import Callable
from random import random
from secrets import token_urlsafe
from types import TracebackType
from typing import Any, Self

from keywright.errors import KeywrightError, Unreachable
from keywright.flows import Talker
from keywright.locks import scripts
from keywright.locks.holding import AS_MADE, ENDED, Holding, pause, terms_for
from keywright.locks.renewal import renewals_of
from keywright.talkers.choice import Source, settings_of, talker_for

log = logging.getLogger("keywright")


class Lock:
    """One holder at a time for a name, across threads, processes and hosts.

    `name` is what is locked. `source` is Settings, a URL or an Endpoint; None reads the environment.
    `client` takes a redis-py-like client instead (Cluster needs one, and `cluster=True`), `talker` one
    of ours; objects with an equal source share their connections. `ttl` (seconds; LOCK_TTL when None)
    is how long it is held without a renewal, `wait` (seconds; None: as long as it takes; 0: one try)
    how long `acquire` asks. `renew` has a thread renew it after each third of its time until it is
    released or lost; then `on_lost()` is called in that thread. `prefix` begins its keys (LOCK_PREFIX).

    Guaranteed, on one server that keeps what it was told: no two tokens hold a name at once; a holder
    that dies is followed after `ttl` at the latest; `held` is False before another can have it; a lost
    reply takes nothing from anybody, because each call may be sent twice; `fencing` is greater than that
    of every holder before, even when the server lost all its data, as long as its clock does not go back.

    Not guaranteed: that the holder still holds it while it writes. A process that was stopped, or a
    host that slept, may wake after its time and not know yet; a failover to a replica, a restart without
    persistence or an eviction (allkeys-*, and volatile-* too: a lock has a ttl) may forget a lock that is
    held, and a second holder follows. The renewal tells it (`on_lost`), `release` and `extend` raise
    LockLost. What must never be written by two needs the fencing number: give it along with each write,
    and let the place that is written to refuse a number smaller than the greatest it has seen.

    Who waits asks again with jitter (10 to 250 ms); there is no queue. One object is one holder: threads
    do not share one. A fork's child does not hold what its parent holds.

    Every method is one round trip (`acquire` one for each try), and may raise what a talker raises. When
    `acquire` raises one of those, the lock may be held until `ttl` is over; the next `acquire` settles it.
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
        on_lost: Callable[[], object] | None = None,
        prefix: str | None = None,
        cluster: bool = False,
    ) -> None:
        self._holding = Holding(terms_for(name, source, ttl, wait, prefix, cluster))
        self._talker = talker or shared(source, client)
        self._server = self._talker if client is None else client
        self._renew, self._on_lost = renew, on_lost
        self._guard = threading.Lock()

    @property
    def name(self) -> str:
        """What is locked."""
        return self._holding.terms.name

    @property
    def held(self) -> bool:
        """Whether this object holds it, by its own clock; no round trip."""
        return self._holding.holds(time.monotonic(), os.getpid())

    @property
    def fencing(self) -> int:
        """The number of this holder, greater than every one before; 0 when nothing was taken."""
        return self._holding.fencing

    def acquire(self, wait: float | None = AS_MADE) -> int:
        """Take the lock and return its fencing number. One round trip for each try.

        `wait` is seconds (None: as long as it takes); left out it is what the lock was made with.
        Raises LockTimeout when somebody else held it all the time, LockError when this object holds it.
        """
        holding, terms = self._holding, self._holding.terms
        limit = terms.wait if wait == AS_MADE else wait
        limit = float("inf") if limit is None else limit
        with self._guard:
            holding.begin(time.monotonic(), os.getpid(), token_urlsafe(16))
        try:
            begun, attempt = time.monotonic(), 0
            while True:
                sent = time.monotonic()
                flow = scripts.take(terms.key, terms.fence_key, holding.token, terms.ttl_ms)
                number = self._talker.run(flow)
                if number > 0:
                    break
                remaining = begun + limit - time.monotonic()
                if remaining <= 0:
                    raise holding.still_held(limit)
                time.sleep(pause(attempt, -number, remaining, random()))
                attempt += 1
            with self._guard:
                holding.taken(number, sent, terms.ttl)
        finally:
            holding.taking = False
        if self._renew:
            renewals_of(self._server).add(self, holding.token, terms.ttl / 3)
        return number

    def release(self) -> None:
        """Give the lock back. One round trip.

        Raises LockLost when it was not held any more, LockError when nothing was taken. When the server
        does not answer, the renewal has ended all the same, and the lock ends after its ttl.
        """
        holding, terms = self._holding, self._holding.terms
        with self._guard:
            token = holding.expect(os.getpid())
            gone = holding.gone()
            holding.end()
        if not self._talker.run(scripts.release(terms.key, terms.fence_key, token)):
            raise gone

    def extend(self, seconds: float | None = None) -> None:
        """Let the lock end `seconds` from now (None: its ttl). One round trip.

        A renewal begins anew with the ttl. Raises LockLost when it is not held any more.
        """
        holding, terms = self._holding, self._holding.terms
        token = holding.expect(os.getpid())
        if holding.lost:
            raise holding.gone()
        seconds = terms.ttl if seconds is None else seconds
        sent = time.monotonic()
        if self._talker.run(scripts.extend(terms.key, token, max(1, int(seconds * 1000)))):
            with self._guard:
                if holding.token == token:
                    holding.until = sent + seconds
            return
        with self._guard:
            gone = holding.gone()
            if holding.token == token:
                holding.lose(ENDED)
        raise gone

    def renew_now(self, token: str) -> float | None:
        """What the thread does: renew the lock if it still has this token, and say when again."""
        holding, terms = self._holding, self._holding.terms
        if holding.token != token or holding.lost:
            return None
        sent = time.monotonic()
        if holding.until - sent > terms.ttl:  # extended by hand to more than a renewal gives
            return holding.until - sent - terms.ttl * 2 / 3
        why = ""
        try:
            kept = self._talker.run(scripts.extend(terms.key, token, terms.ttl_ms))
        except Exception as error:  # noqa: BLE001 - the thread serves other locks too
            left = holding.until - time.monotonic()
            if left > 0 and isinstance(error, Unreachable):
                return min(terms.ttl / 10, left)
            kept, why = False, f"it ended before a renewal reached the server ({error})"
        with self._guard:
            if holding.token != token:
                return None
            if kept:
                holding.until = sent + terms.ttl
                return terms.ttl / 3
            told = holding.lose(why or ENDED)
        if told:
            self._tell()
        return None

    def _tell(self) -> None:
        log.warning("%s", self._holding.gone())
        if self._on_lost is not None:
            try:
                self._on_lost()
            except Exception:  # noqa: BLE001 - it is said, and the thread goes on
                log.exception("on_lost of the lock %s failed", self.name)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.release()
            return
        try:
            self.release()
        except KeywrightError as second:  # what happened inside is what counts
            log.warning("%s", second)


_talkers: dict[Any, Talker] = {}


def shared(source: Source, client: Any) -> Talker:
    """The talker of all locks with an equal source: an object for each use opens no connection anew."""
    if client is not None:
        return talker_for(client=client)
    key = settings_of(source) or source
    found = _talkers.get(key)
    if found is None:
        found = _talkers.setdefault(key, talker_for(key, name="locks"))
    return found
