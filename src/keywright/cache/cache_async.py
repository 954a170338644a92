"""The cache for asyncio."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from keywright.cache.cache import LEASE, POLL
from keywright.cache.conversations import MISSING, Found, Tags
from keywright.cache.plan import Ttl, flows_for, lives_and_prefix, name_of
from keywright.errors import AWAY
from keywright.flows import AsyncTalker
from keywright.serializers import JSON
from keywright.talkers.choice import Source, async_talker_for
from keywright.tracking import LocalCache

P = ParamSpec("P")
T = TypeVar("T")


class AsyncCache:
    """Values that can be computed again, as Cache keeps them and with the same arguments; its methods are
    awaited, and `cached` decorates functions that are.
    """

    def __init__(
        self,
        source: Source = None,
        *,
        client: Any = None,
        talker: AsyncTalker | None = None,
        namespace: str = "cache",
        prefix: str | None = None,
        serializer: Any = JSON,
        jitter: float = 0.05,
        local: LocalCache | bool = False,
    ) -> None:
        self._talker = talker or async_talker_for(source, client=client, name="cache")
        self._lives, whole = lives_and_prefix(source, prefix, namespace)
        self._flows, self._local = flows_for(whole, serializer, local, self._talker)
        self._jitter = jitter
        self._flights: dict[str, asyncio.Future[Any]] = {}

    async def get(self, key: str, default: Any = None, *, tags: Tags = ()) -> Any:
        """The value, `default` when there is none (MISSING tells that from a stored None).

        Name the tags that it was stored with, else one that has any costs a second round trip.
        """
        found = await self._talker.run(self._flows.look(key, tags))
        return default if found.value is MISSING or found.stale else found.value

    async def set(self, key: str, value: Any, ttl: Ttl = "default", *, tags: Tags = ()) -> None:
        """Store a value. With tags one or two round trips more, for their generations."""
        await self.set_many({key: value}, ttl, tags=tags)

    async def get_many(self, keys: Sequence[str]) -> dict[str, Any]:
        """The values that are there, by key; one round trip more when any has tags."""
        return await self._talker.run(self._flows.look_many(keys)) if keys else {}

    async def set_many(
        self, values: Mapping[str, Any], ttl: Ttl = "default", *, tags: Tags = ()
    ) -> None:
        """Store several values. With tags one or two round trips more."""
        if not values:
            return
        generations = await self._talker.run(self._flows.generations(tags)) if tags else {}
        life = self._flows.spread(self._lives.seconds(ttl), self._jitter)
        await self._talker.run(self._flows.store(values, life, generations))

    async def delete(self, *keys: str) -> int:
        """Remove values; returns how many were there."""
        return await self._talker.run(self._flows.delete(keys)) if keys else 0

    async def invalidate(self, *tags: str) -> None:
        """Make a miss of everything stored with any of the tags, and of what is being computed now."""
        if tags:
            await self._talker.run(self._flows.invalidate(tags))

    async def get_or_set(
        self,
        key: str,
        make: Callable[[], Awaitable[T]],
        ttl: Ttl = "default",
        *,
        tags: Tags = (),
        absent: Ttl = "short",
        grace: float = 0,
        raises: bool = False,
    ) -> T:
        """The value, computed by `make` when there is none: once, however many ask.

        In this process the first who misses computes and the others wait (a task that is cancelled does
        not end the computation of the others); between processes whoever
        gets the lease (10 seconds) does. With `grace` (seconds) a value that has ended is still given
        to the others meanwhile. A None is stored for `absent` only. When the server cannot be asked, `make`
        is called, unless `raises`. One round trip for a hit, four or five for a miss.
        """
        try:
            found = await self._talker.run(self._flows.look(key, tags))
        except AWAY:
            if raises:
                raise
            return await make()
        if found.value is not MISSING and not found.stale:
            value: T = found.value
            return value
        flight = self._flights.get(key)
        if flight is not None and flight.get_loop() is asyncio.get_running_loop():
            if found.value is not MISSING:
                return found.value  # type: ignore[no-any-return]
            return await asyncio.shield(flight)
        work = self._computed(key, make, ttl, tags, absent, grace, raises, found)
        flight = self._flights[key] = asyncio.get_running_loop().create_task(work)
        flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight)

    def _landed(self, key: str, flight: "asyncio.Future[Any]") -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # whoever waited may be gone: then nobody needs to be told

    async def _computed(
        self,
        key: str,
        make: Callable[[], Awaitable[Any]],
        ttl: Ttl,
        tags: Tags,
        absent: Ttl,
        grace: float,
        raises: bool,
        found: Found,
    ) -> Any:
        """Get the lease, or what its holder computes; else compute and store."""
        alone = False  # without a lease, and without storing
        try:
            deadline = time.monotonic() + LEASE
            while not alone and not await self._talker.run(
                self._flows.lend(key, int(LEASE * 1000))
            ):
                if found.value is not MISSING:
                    return found.value
                alone = time.monotonic() >= deadline
                await asyncio.sleep(POLL)
                found = await self._talker.run(self._flows.look(key, tags))
                if found.value is not MISSING and not found.stale:
                    return found.value
            if not alone:  # somebody may have stored it between our look and our lease
                found = await self._talker.run(self._flows.look(key, tags))
                if found.value is not MISSING and not found.stale:
                    await self._quietly(self._flows.give_back(key), raises=False)
                    return found.value
                known = await self._talker.run(self._flows.generations(tags, found.generations))
        except AWAY:
            if raises:
                raise
            alone = True
        if alone:
            return await make()
        try:
            value = await make()
            life = self._flows.spread(
                self._lives.seconds(absent if value is None else ttl), self._jitter
            )
            flow = self._flows.store({key: value}, life, known, grace, lease=key)
            await self._quietly(flow, raises)
        except BaseException:  # also what cannot be written: nobody shall wait for it
            await self._quietly(self._flows.give_back(key), raises=False)
            raise
        return value

    async def _quietly(self, flow: Any, raises: bool) -> None:
        try:
            await self._talker.run(flow)
        except AWAY:
            if raises:
                raise

    def cached(
        self,
        ttl: Ttl = "default",
        *,
        key: Callable[..., str] | None = None,
        tags: Tags | Callable[..., Tags] = (),
        absent: Ttl = "short",
        grace: float = 0,
        on_error: str = "call",
    ) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
        """Decorate a function: its results are kept by its arguments, and computed once where many ask.

        `key` and `tags` may be functions of the arguments. `on_error="raise"` raises when the server
        cannot be asked; else the function is called. The decorated function has `invalidate(*args)`, which
        removes one result, and `fresh(*args)`, which computes and stores it anew.
        """

        def decorate(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
            def named(*args: Any, **more: Any) -> tuple[str, Tags]:
                name = key(*args, **more) if key else name_of(function, args, more)
                return name, tags(*args, **more) if callable(tags) else tags

            @wraps(function)
            async def call(*args: P.args, **more: P.kwargs) -> T:
                name, its = named(*args, **more)
                return await self.get_or_set(
                    name, lambda: function(*args, **more), ttl, tags=its, absent=absent,
                    grace=grace, raises=on_error == "raise",
                )  # fmt: skip

            async def fresh(*args: P.args, **more: P.kwargs) -> T:
                name, its = named(*args, **more)
                generations = await self._talker.run(self._flows.generations(its))
                value = await function(*args, **more)
                life = self._lives.seconds(absent if value is None else ttl)
                await self._talker.run(self._flows.store({name: value}, life, generations, grace))
                return value

            call.invalidate = lambda *args, **more: self.delete(named(*args, **more)[0])  # type: ignore[attr-defined]
            call.fresh = fresh  # type: ignore[attr-defined]
            return call

        return decorate

    async def aclose(self) -> None:
        """Close the connections of this event loop; the next call opens new ones."""
        if self._local is not None:
            self._local.close()
        await self._talker.aclose()
