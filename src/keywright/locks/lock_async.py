"""The lock for asyncio; what is held is renewed by a task of its own."""

import asyncio
import time
from collections.abc import Callable
from secrets import token_urlsafe
from types import TracebackType
from typing import Any, Self

from keywright.errors import KeywrightError, LockLost, LockTimeout
from keywright.flows import AsyncTalker
from keywright.locks.conversations import lost
from keywright.locks.lock import (
    LONGEST,
    SHORTEST,
    THIRD,
    conversations_for,
    pause_for,
    timed_out,
)
from keywright.talkers.choice import Source, async_talker_for


class AsyncLock:
    """A lock by name, as Lock is, with the same arguments: `async with AsyncLock("invoices"): …`.

    `on_lost` is called in the event loop. What it guarantees, and what not, is said at Lock.
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
        on_lost: Callable[[], None] | None = None,
        prefix: str | None = None,
        cluster: bool = False,
    ) -> None:
        self._talker = talker or async_talker_for(source, client=client, name="locks")
        self._flows = conversations_for(name, source, ttl, prefix, cluster)
        self._wait, self._renew, self._on_lost = wait, renew, on_lost
        self._token = ""
        self._until = 0.0
        self._renewing: asyncio.Task[None] | None = None
        self.fencing = 0

    @property
    def held(self) -> bool:
        """Whether it is held, as far as this process knows: by its own clock the time has not ended."""
        return bool(self._token) and time.monotonic() < self._until

    async def acquire(self, wait: float | None = -1) -> int:
        """Take the lock and return the fencing number; `wait` (seconds) as at the making when left out.

        Raises LockTimeout when somebody else held it all the time. One round trip a try. A task that is
        cancelled while it asks leaves a lock that ends after its `ttl`.
        """
        if self.held:
            raise LockTimeout("this lock is held already, by this very object", "make one per use")
        token, begun = token_urlsafe(16), time.monotonic()
        limit = self._wait if wait == -1 else wait
        pause = SHORTEST
        while True:
            asked = time.monotonic()
            found = await self._talker.run(self._flows.acquire(token))
            if found > 0:
                break
            left = pause_for(found, pause, begun, limit)
            if left is None:
                raise timed_out(limit)
            await asyncio.sleep(left)
            pause = min(2 * pause, LONGEST)
        self._token, self.fencing = token, found
        self._until = asked + self._flows.ttl / 1000
        if self._renew:
            self._renewing = asyncio.get_running_loop().create_task(self._keep())
        return found

    async def extend(self, seconds: float | None = None) -> None:
        """Begin its time anew, `seconds` from now (its `ttl` when None). One round trip. Raises LockLost."""
        asked, ttl = time.monotonic(), self._flows.ttl if seconds is None else int(seconds * 1000)
        token = self._token
        if not token:
            raise lost()
        try:
            await self._talker.run(self._flows.extend(token, ttl))
        except LockLost:
            if self._token == token:
                self._token = ""
            raise
        self._until = asked + ttl / 1000

    async def release(self) -> None:
        """Give it back. One round trip. Raises LockLost when it had been lost before."""
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None
        token, self._token = self._token, ""
        if not token or not await self._talker.run(self._flows.release(token)):
            raise lost()

    async def _keep(self) -> None:
        """Renew it until it is released or lost."""
        while True:
            rest = self._flows.ttl / 1000 * (1 - 1 / THIRD)
            await asyncio.sleep(max(0.02, self._until - time.monotonic() - rest))
            try:
                await self.extend()
            except LockLost:
                break
            except KeywrightError:
                pass  # the server is away: asked again until the time has ended
            if not self.held:
                self._token = ""
                break
        if self._on_lost is not None:
            self._on_lost()

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self.release()
        except LockLost:
            if error is None:  # an error of the work itself says more
                raise
