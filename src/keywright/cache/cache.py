"""The cache for threads."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from keywright.cache.conversations import MISSING, Found, Tags
from keywright.cache.plan import Ttl, flows_for, lives_and_prefix, name_of
from keywright.errors import AWAY
from keywright.flows import Talker
from keywright.forks import begin_anew_in_a_child
from keywright.serializers import JSON
from keywright.talkers.choice import Source, talker_for
from keywright.tracking import LocalCache

P = ParamSpec("P")
T = TypeVar("T")

LEASE = 10.0  # seconds that a computation is left to whoever began it
POLL = 0.05  # seconds between two looks of those who wait for it


class Cache:
    """Values that can be computed again. Every method is one round trip unless it says otherwise.

    `source` is Settings, a URL or an Endpoint (None: the environment); `client` a redis-py-like client;
    `talker` one of ours. Keys begin with CACHE_PREFIX (or `prefix`) and `namespace`. A `ttl` is "short",
    "default", "long" (CACHE_TTL_SHORT, CACHE_TTL, CACHE_TTL_LONG) or seconds. `jitter` is the part of a
    lifetime that chance may take off, so that values do not all end at once. `local` True holds hot values
    in this process, as keywright.tracking says. `serializer`: see keywright.serializers.

    Raises Unreachable and its kin and ReplyError; `cached` and `get_or_set` do not, unless told to.
    """

    def __init__(
        self,
        source: Source = None,
        *,
        client: Any = None,
        talker: Talker | None = None,
        namespace: str = "cache",
        prefix: str | None = None,
        serializer: Any = JSON,
        jitter: float = 0.05,
        local: LocalCache | bool = False,
    ) -> None:
        self._talker = talker or talker_for(source, client=client, name="cache")
        self._lives, whole = lives_and_prefix(source, prefix, namespace)
        self._flows, self._local = flows_for(whole, serializer, local, self._talker)
        self._jitter = jitter
        self.begin()
        begin_anew_in_a_child(self)

    def begin(self) -> None:
        """Nobody computes yet; also where a fork's child starts: who computes in the parent is not here."""
        self._flights: dict[str, _Flight] = {}
        self._change = threading.Lock()

    def get(self, key: str, default: Any = None, *, tags: Tags = ()) -> Any:
        """The value, `default` when there is none (MISSING tells that from a stored None).

        Name the tags that it was stored with, else one that has any costs a second round trip.
        """
        found = self._talker.run(self._flows.look(key, tags))
        return default if found.value is MISSING or found.stale else found.value

    def set(self, key: str, value: Any, ttl: Ttl = "default", *, tags: Tags = ()) -> None:
        """Store a value. With tags one or two round trips more, for their generations."""
        self.set_many({key: value}, ttl, tags=tags)

    def get_many(self, keys: Sequence[str]) -> dict[str, Any]:
        """The values that are there, by key; one round trip more when any has tags."""
        return self._talker.run(self._flows.look_many(keys)) if keys else {}

    def set_many(self, values: Mapping[str, Any], ttl: Ttl = "default", *, tags: Tags = ()) -> None:
        """Store several values. With tags one or two round trips more."""
        if not values:
            return
        generations = self._talker.run(self._flows.generations(tags)) if tags else {}
        life = self._flows.spread(self._lives.seconds(ttl), self._jitter)
        self._talker.run(self._flows.store(values, life, generations))

    def delete(self, *keys: str) -> int:
        """Remove values; returns how many were there."""
        return self._talker.run(self._flows.delete(keys)) if keys else 0

    def invalidate(self, *tags: str) -> None:
        """Make a miss of everything stored with any of the tags, and of what is being computed now."""
        if tags:
            self._talker.run(self._flows.invalidate(tags))

    def get_or_set(
        self,
        key: str,
        make: Callable[[], T],
        ttl: Ttl = "default",
        *,
        tags: Tags = (),
        absent: Ttl = "short",
        grace: float = 0,
        raises: bool = False,
    ) -> T:
        """The value, computed by `make` when there is none: once, however many ask.

        In this process the first who misses computes and the others wait; between processes whoever
        gets the lease (10 seconds) does. With `grace` (seconds) a value that has ended is still given
        to the others meanwhile. A None is stored for `absent` only. When the server cannot be asked, `make`
        is called, unless `raises`. One round trip for a hit, four or five for a miss.
        """
        try:
            found = self._talker.run(self._flows.look(key, tags))
        except AWAY:
            if raises:
                raise
            return make()
        if found.value is not MISSING and not found.stale:
            value: T = found.value
            return value
        with self._change:
            flight = self._flights.get(key)
            mine = flight is None
            if flight is None:
                flight = self._flights[key] = _Flight()
        if not mine:
            if found.value is not MISSING:
                return found.value  # type: ignore[no-any-return]
            return flight.result()  # type: ignore[no-any-return]
        try:
            flight.value = self._computed(key, make, ttl, tags, absent, grace, raises, found)
            return flight.value  # type: ignore[no-any-return]
        except BaseException as error:
            flight.error = error
            raise
        finally:
            with self._change:
                del self._flights[key]
            flight.done.set()

    def _computed(
        self,
        key: str,
        make: Callable[[], Any],
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
            while not alone and not self._talker.run(self._flows.lend(key, int(LEASE * 1000))):
                if found.value is not MISSING:
                    return found.value
                alone = time.monotonic() >= deadline
                time.sleep(POLL)
                found = self._talker.run(self._flows.look(key, tags))
                if found.value is not MISSING and not found.stale:
                    return found.value
            if not alone:  # somebody may have stored it between our look and our lease
                found = self._talker.run(self._flows.look(key, tags))
                if found.value is not MISSING and not found.stale:
                    self._quietly(self._flows.give_back(key), raises=False)
                    return found.value
                known = self._talker.run(self._flows.generations(tags, found.generations))
        except AWAY:
            if raises:
                raise
            alone = True
        if alone:
            return make()
        try:
            value = make()
            life = self._flows.spread(
                self._lives.seconds(absent if value is None else ttl), self._jitter
            )
            flow = self._flows.store({key: value}, life, known, grace, lease=key)
            self._quietly(flow, raises)
        except BaseException:  # also what cannot be written: nobody shall wait for it
            self._quietly(self._flows.give_back(key), raises=False)
            raise
        return value

    def _quietly(self, flow: Any, raises: bool) -> None:
        try:
            self._talker.run(flow)
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
    ) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Decorate a function: its results are kept by its arguments, and computed once where many ask.

        `key` and `tags` may be functions of the arguments. `on_error="raise"` raises when the server
        cannot be asked; else the function is called. The decorated function has `invalidate(*args)`, which
        removes one result, and `fresh(*args)`, which computes and stores it anew.
        """

        def decorate(function: Callable[P, T]) -> Callable[P, T]:
            def named(*args: Any, **more: Any) -> tuple[str, Tags]:
                name = key(*args, **more) if key else name_of(function, args, more)
                return name, tags(*args, **more) if callable(tags) else tags

            @wraps(function)
            def call(*args: P.args, **more: P.kwargs) -> T:
                name, its = named(*args, **more)
                return self.get_or_set(
                    name, lambda: function(*args, **more), ttl, tags=its, absent=absent,
                    grace=grace, raises=on_error == "raise",
                )  # fmt: skip

            def fresh(*args: P.args, **more: P.kwargs) -> T:
                name, its = named(*args, **more)
                generations = self._talker.run(self._flows.generations(its))
                value = function(*args, **more)
                life = self._lives.seconds(absent if value is None else ttl)
                self._talker.run(self._flows.store({name: value}, life, generations, grace))
                return value

            call.invalidate = lambda *args, **more: self.delete(named(*args, **more)[0])  # type: ignore[attr-defined]
            call.fresh = fresh  # type: ignore[attr-defined]
            return call

        return decorate

    def close(self) -> None:
        """Close the connections that are idle; the next call opens new ones."""
        if self._local is not None:
            self._local.close()
        self._talker.close()


class _Flight:
    """A computation under way in this process, and those who wait for it."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None

    def result(self) -> Any:
        """Wait for it. Raises what the computation raised."""
        self.done.wait()
        if self.error is not None:
            raise self.error
        return self.value
