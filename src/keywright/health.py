"""Whether the application's Redis is well: at the start, for a load balancer, and for a person.

Live means that this process answers; that never asks Redis, since a restart of the application does not
mend a server. Ready means that a value written under the health key was read back within the time.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from secrets import token_hex
from typing import Any

from keywright.endpoint import Endpoint
from keywright.errors import KeywrightError, Unreachable
from keywright.flows import Batch, Flow
from keywright.health_report import (
    MEDIA,
    OFF,
    HealthReport,
    Problem,
    failed,
    health_response,
    judged,
    late,
    live_response,
)
from keywright.places import endpoint_of
from keywright.settings import Settings
from keywright.talkers.choice import Source, settings_of

LIVES = 60  # seconds that the value under the health key lives
__all__ = [
    "MEDIA", "AsyncHealth", "Health", "HealthReport", "Problem", "health_response", "live_response",
]  # fmt: skip


class Health:
    """Asks the server within `timeout` seconds, whatever happens to it or to the name service.

    `source` is Settings, a URL or an Endpoint (None: the environment); `client` a redis-py-like client;
    `key` the key that is written and read (REDIS_HEALTHCHECK_KEY when None).
    """

    def __init__(
        self,
        source: Source = None,
        *,
        client: Any = None,
        timeout: float = 1.0,
        key: str | None = None,
    ) -> None:
        settings = settings_of(source)
        self.key = key or (settings or Settings.from_env()).healthcheck_key
        self.timeout = timeout
        self.on_start = settings is None or settings.healthcheck_on_start
        self._client = client
        self._off = settings is not None and not settings.enabled and client is None
        place = (
            source if isinstance(source, Endpoint) else endpoint_of(settings or Settings.from_env())
        )
        self._place = place._replace(timeout=timeout, connect_timeout=timeout)
        self._talker: Any = None
        self._guard = threading.Lock()
        self._asking: _Asking | None = None

    def check(self) -> HealthReport:
        """Ask now: one round trip, never longer than `timeout`. Raises nothing.

        The question runs in a thread of its own: a name service that hangs cannot be interrupted. Who
        asks meanwhile waits for the same answer, so that no threads pile up.
        """
        if self._off:
            return OFF
        begun = time.monotonic()
        with self._guard:
            asking = self._asking
            if asking is None or asking.done.is_set():
                asking = self._asking = _Asking(self._asked, begun)
                asking.start()
        asking.done.wait(self.timeout)
        return asking.found or late(self._place, time.monotonic() - begun)

    def check_on_start(self) -> HealthReport | None:
        """Ask when the application starts, if REDIS_HEALTHCHECK_ON_START says so (None: it does not).

        Raises Unreachable, with the first problem and its hint, when the server is not ready.
        """
        if not self.on_start:
            return None
        report = self.check()
        if not report.ready:
            first = report.problems[0]
            raise Unreachable(f"Redis is not ready: {first.sentence}", first.hint)
        return report

    def _asked(self, begun: float) -> HealthReport:
        try:
            if self._talker is None:
                self._talker = self._made()
            parts = self._talker.run(_conversation(self.key, token_hex(4)))
        except (KeywrightError, OSError) as error:
            return failed(error, self._place, time.monotonic() - begun)
        return judged(parts, self._place, time.monotonic() - begun)

    def _made(self) -> Any:
        if self._client is not None:
            from keywright.talkers.client import ClientTalker

            return ClientTalker(self._client)
        from keywright.talkers.blocking import BlockingTalker

        return BlockingTalker(self._place, connections=1, name="keywright:health", patience=0)


class _Asking(threading.Thread):
    """One question in a thread of its own, which may be left behind; `found` once it is `done`."""

    def __init__(self, ask: Callable[[float], HealthReport], begun: float) -> None:
        super().__init__(name="keywright-health", daemon=True)
        self._ask, self._begun = ask, begun
        self.done = threading.Event()
        self.found: HealthReport | None = None

    def run(self) -> None:
        """Ask, and tell everybody who waits."""
        try:
            self.found = self._ask(self._begun)
        finally:
            self.done.set()


class AsyncHealth(Health):
    """Health for asyncio: `check` and `check_on_start` are awaited."""

    async def check(self) -> HealthReport:  # type: ignore[override]
        """Ask now: one round trip, never longer than `timeout`. Raises nothing."""
        if self._off:
            return OFF
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout):
                if self._talker is None:
                    self._talker = self._made()
                parts = await self._talker.run(_conversation(self.key, token_hex(4)))
        except TimeoutError:
            return late(self._place, time.monotonic() - begun)
        except (KeywrightError, OSError) as error:
            return failed(error, self._place, time.monotonic() - begun)
        return judged(parts, self._place, time.monotonic() - begun)

    async def check_on_start(self) -> HealthReport | None:  # type: ignore[override]
        """Ask when the application starts, as Health does. Raises Unreachable."""
        if not self.on_start:
            return None
        report = await self.check()
        if not report.ready:
            first = report.problems[0]
            raise Unreachable(f"Redis is not ready: {first.sentence}", first.hint)
        return report

    async def aclose(self) -> None:
        """Close the connection of this event loop."""
        if self._talker is not None:
            await self._talker.aclose()

    def _made(self) -> Any:
        if self._client is not None:
            from keywright.talkers.client_async import AsyncClientTalker

            return AsyncClientTalker(self._client)
        from keywright.talkers.multiplexed import MultiplexedTalker

        return MultiplexedTalker(self._place, name="keywright:health", patience=0)


def _conversation(key: str, value: str) -> Flow[list[Any]]:
    """Write and read the health key, and ask who answers: one round trip.

    INFO is dangerous by the ACL's own words, and an application's user may not send it; HELLO it may.
    """
    replies = yield Batch((("SET", key, value, "EX", LIVES), ("GET", key), ("HELLO",), ("INFO",)))
    return replies
