"""The lock for asyncio."""

import asyncio
import os
import time
from collections.abc import Callable
from random import random
from secrets import token_urlsafe
from types import TracebackType
from typing import Any, Self

from keywright.errors import KeywrightError, Unreachable
from keywright.flows import AsyncTalker
from keywright.locks import scripts
from keywright.locks.holding import AS_MADE, ENDED, Holding, pause, terms_for
from keywright.locks.lock import log, shared
from keywright.talkers.choice import Source, async_talker_for, settings_of
from keywright.talkers.memory import AsyncMemoryTalker, MemoryTalker


class AsyncLock:
    """One holder at a time for a name, across tasks, processes and hosts.

    Arguments, costs, errors, and what is guaranteed and what not, are those of `Lock`. A task of the
    event loop renews it; `on_lost()` is called there. A task that is cancelled while it waits
    gives back what it may have been given.
    """

    def __init__(
        self,
        name: str,
        source: Source = None,
        *,
        client: Any = None,
        talker: AsyncTalker | None = None,
        ttl: float | None = None,
        wait: float | None = None,
        renew: bool = True,
        on_lost: Callable[[], object] | None = None,
        prefix: str | None = None,
        cluster: bool = False,
    ) -> None:
        self._holding = Holding(terms_for(name, source, ttl, wait, prefix, cluster))
        self._talker = talker or _shared(source, client)
        self._renew, self._on_lost = renew, on_lost
        self._renewing: asyncio.Task[None] | None = None

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

    async def acquire(self, wait: float | None = AS_MADE) -> int:
        """Take the lock and return its fencing number, as `Lock.acquire` does. One round trip a try."""
        holding, terms = self._holding, self._holding.terms
        limit = terms.wait if wait == AS_MADE else wait
        limit = float("inf") if limit is None else limit
        holding.begin(time.monotonic(), os.getpid(), token_urlsafe(16))
        try:
            begun, attempt = time.monotonic(), 0
            while True:
                sent = time.monotonic()
                flow = scripts.take(terms.key, terms.fence_key, holding.token, terms.ttl_ms)
                number = await self._talker.run(flow)
                if number > 0:
                    break
                remaining = begun + limit - time.monotonic()
                if remaining <= 0:
                    raise holding.still_held(limit)
                await asyncio.sleep(pause(attempt, -number, remaining, random()))
                attempt += 1
        except asyncio.CancelledError:
            _keep(asyncio.ensure_future(self._forsake(holding.token)))
            holding.end()
            raise
        finally:
            holding.taking = False
        holding.taken(number, sent, terms.ttl)
        if self._renew:
            self._renewing = asyncio.ensure_future(self._renewal(holding.token))
        return number

    async def _forsake(self, token: str) -> None:
        """Give back what may have been given to a task that does not wait for it any more."""
        terms = self._holding.terms
        try:
            await self._talker.run(scripts.release(terms.key, terms.fence_key, token))
        except KeywrightError as error:
            log.warning("the lock %s ends after its ttl: %s", self.name, error)

    async def release(self) -> None:
        """Give the lock back, as `Lock.release` does. One round trip."""
        holding, terms = self._holding, self._holding.terms
        token = holding.expect(os.getpid())
        gone = holding.gone()
        holding.end()
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None
        if not await self._talker.run(scripts.release(terms.key, terms.fence_key, token)):
            raise gone

    async def extend(self, seconds: float | None = None) -> None:
        """Let the lock end `seconds` from now, as `Lock.extend` does. One round trip."""
        holding, terms = self._holding, self._holding.terms
        token = holding.expect(os.getpid())
        if holding.lost:
            raise holding.gone()
        seconds = terms.ttl if seconds is None else seconds
        sent = time.monotonic()
        flow = scripts.extend(terms.key, token, max(1, int(seconds * 1000)))
        if await self._talker.run(flow):
            if holding.token == token:
                holding.until = sent + seconds
            return
        gone = holding.gone()
        if holding.token == token:
            holding.lose(ENDED)
        raise gone

    async def _renewal(self, token: str) -> None:
        """The task: renew the lock until it has another token or is lost."""
        after: float | None = self._holding.terms.ttl / 3
        while after is not None:
            await asyncio.sleep(after)
            after = await self._renewed(token)

    async def _renewed(self, token: str) -> float | None:
        """Renew the lock if it still has this token; the seconds until the next time, None for never."""
        holding, terms = self._holding, self._holding.terms
        if holding.token != token or holding.lost:
            return None
        sent = time.monotonic()
        if holding.until - sent > terms.ttl:  # extended by hand to more than a renewal gives
            return holding.until - sent - terms.ttl * 2 / 3
        why = ENDED
        try:
            kept = await self._talker.run(scripts.extend(terms.key, token, terms.ttl_ms))
        except Exception as error:  # noqa: BLE001 - whatever it is, the holder is told
            left = holding.until - time.monotonic()
            if left > 0 and isinstance(error, Unreachable):
                return min(terms.ttl / 10, left)
            kept, why = False, f"it ended before a renewal reached the server ({error})"
        if holding.token != token:
            return None
        if kept:
            holding.until = sent + terms.ttl
            return terms.ttl / 3
        if holding.lose(why):
            self._tell()
        return None

    def _tell(self) -> None:
        log.warning("%s", self._holding.gone())
        if self._on_lost is not None:
            try:
                self._on_lost()
            except Exception:  # noqa: BLE001 - it is said, and the loop goes on
                log.exception("on_lost of the lock %s failed", self.name)

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            await self.release()
            return
        try:
            await self.release()
        except KeywrightError as second:  # what happened inside is what counts
            log.warning("%s", second)


_kept: set[asyncio.Future[None]] = set()  # asyncio itself holds its tasks weakly
_talkers: dict[Any, AsyncTalker] = {}


def _keep(task: "asyncio.Future[None]") -> None:
    _kept.add(task)
    task.add_done_callback(_kept.discard)


def _shared(source: Source, client: Any) -> AsyncTalker:
    """The talker of all locks with an equal source; inside the process, that of threads too."""
    if client is not None:
        return async_talker_for(client=client)
    settings = settings_of(source)
    key = settings or source
    found = _talkers.get(key)
    if found is None:
        if settings is not None and not settings.enabled:
            held = shared(source, None)
            assert isinstance(held, MemoryTalker)
            found = AsyncMemoryTalker(held.store)
        else:
            found = async_talker_for(key, name="locks")
        found = _talkers.setdefault(key, found)
    return found
