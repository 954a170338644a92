"""The cache backend: `{"BACKEND": "keywright.contrib.django.cache.RedisCache", "LOCATION": url or ""}`.

Without LOCATION the environment says where Redis is. Keys are `<CACHE_PREFIX>django:` and Django's own
key. Rule: each operation is one round trip (clear: one for each thousand keys).
"""

import pickle
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from typing import Any

from keywright.contrib.django.talkers import shared
from keywright.errors import InputError, ReplyError
from keywright.flows import AsyncTalker, Batch, Flow, Reply, Script, Talker, Word, checked
from keywright.talkers.choice import settings_of

try:
    from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache, default_key_func
    from django.utils.module_loading import import_string
except ModuleNotFoundError:
    raise InputError("django is not installed", "pip install 'keywright[django]'") from None


class Pickle:
    """Integers as they stand, so that incr counts them; anything else as a pickle, as Django's own cache."""

    def dumps(self, value: Any) -> bytes:
        """Octets of a value."""
        if type(value) is int:
            return b"%d" % value
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)

    def loads(self, octets: bytes) -> Any:
        """The value of octets that this class wrote."""
        if octets[:1] == b"\x80":
            return pickle.loads(octets)  # noqa: S301 - what the application itself put into its cache
        return int(octets)


def _counted(store: Any, keys: Any, args: Any) -> Reply:
    return store.incr(keys[0], int(args[0])) if store.exists(keys[0]) else None


COUNT = Script(
    "count a cached number that is there",
    "if redis.call('EXISTS', KEYS[1]) == 0 then return false end\n"
    "return redis.call('INCRBY', KEYS[1], ARGV[1])",
    _counted,
)


class RedisCache(BaseCache):
    """Django's cache on Keywright's connections, with all of BaseCache, awaited too.

    OPTIONS: `SERIALIZER` (an object, a class or its dotted path, with dumps and loads). A timeout of None
    keeps a value for ever, 0 or less ends it at once. `clear` removes the keys of this cache's KEY_PREFIX
    and nothing else. While Redis is away every operation raises Unreachable.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._source = server or None
        options = params.get("OPTIONS", {})
        serializer = options.get("SERIALIZER", options.get("serializer", Pickle))
        serializer = import_string(serializer) if isinstance(serializer, str) else serializer
        serializer = serializer() if callable(serializer) else serializer
        self._dumps: Callable[[Any], bytes] = serializer.dumps
        self._loads: Callable[[bytes], Any] = serializer.loads

    @cached_property
    def _root(self) -> str:
        return _prefix(self._source) + "django:"

    @cached_property
    def _threads(self) -> Talker:
        return shared(self._source)[0]

    @cached_property
    def _tasks(self) -> AsyncTalker:
        return shared(self._source)[1]

    # --- for threads ------------------------------------------------------------------------------

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Store it unless there is one; whether it was stored."""
        return self._threads.run(self._add(self._name(key, version), value, timeout))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """The value, `default` when there is none."""
        return self._threads.run(self._get(self._name(key, version), default))

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Store it."""
        self._threads.run(self._set([(self._name(key, version), value)], timeout))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Give it another end; False when it is not there."""
        return self._threads.run(self._touch(self._name(key, version), timeout))

    def delete(self, key: str, version: int | None = None) -> bool:
        """Remove it; whether it was there."""
        return self._threads.run(self._delete([self._name(key, version)])) > 0

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        """Those of the keys that are there."""
        return self._threads.run(self._get_many(self._names(keys, version)))

    def has_key(self, key: str, version: int | None = None) -> bool:
        """Whether it is there."""
        return self._threads.run(_exists(self._name(key, version)))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Count it up. Raises ValueError when it is not there, or no integer."""
        return self._threads.run(_count(key, self._name(key, version), delta))

    def set_many(
        self, data: Mapping[str, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[str]:
        """Store all of them; [] (none failed)."""
        rows = [(self._name(key, version), value) for key, value in data.items()]
        self._threads.run(self._set(rows, timeout))
        return []

    def delete_many(self, keys: Iterable[str], version: int | None = None) -> None:
        """Remove them."""
        self._threads.run(self._delete([self._name(key, version) for key in keys]))

    def clear(self) -> bool:
        """Remove every key of this cache."""
        return self._threads.run(self._clear())

    # --- for asyncio ------------------------------------------------------------------------------

    async def aadd(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """As add."""
        return await self._tasks.run(self._add(self._name(key, version), value, timeout))

    async def aget(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """As get."""
        return await self._tasks.run(self._get(self._name(key, version), default))

    async def aset(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """As set."""
        await self._tasks.run(self._set([(self._name(key, version), value)], timeout))

    async def atouch(
        self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """As touch."""
        return await self._tasks.run(self._touch(self._name(key, version), timeout))

    async def adelete(self, key: str, version: int | None = None) -> bool:
        """As delete."""
        return await self._tasks.run(self._delete([self._name(key, version)])) > 0

    async def aget_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        """As get_many."""
        return await self._tasks.run(self._get_many(self._names(keys, version)))

    async def ahas_key(self, key: str, version: int | None = None) -> bool:
        """As has_key."""
        return await self._tasks.run(_exists(self._name(key, version)))

    async def aincr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """As incr."""
        return await self._tasks.run(_count(key, self._name(key, version), delta))

    async def aset_many(
        self, data: Mapping[str, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[str]:
        """As set_many."""
        rows = [(self._name(key, version), value) for key, value in data.items()]
        await self._tasks.run(self._set(rows, timeout))
        return []

    async def adelete_many(self, keys: Iterable[str], version: int | None = None) -> None:
        """As delete_many."""
        await self._tasks.run(self._delete([self._name(key, version) for key in keys]))

    async def aclear(self) -> bool:
        """As clear."""
        return await self._tasks.run(self._clear())

    # --- flows ------------------------------------------------------------------------------------

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> int | None:
        """Milliseconds; None for ever, 0 for what ends at once."""
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return None if seconds is None else max(0, int(seconds * 1000))

    def _name(self, key: str, version: int | None) -> str:
        name: str = self.make_and_validate_key(key, version=version)
        return self._root + name

    def _names(self, keys: Iterable[str], version: int | None) -> dict[str, str]:
        return {self._name(key, version): key for key in keys}

    def _get(self, name: str, default: Any) -> Flow[Any]:
        (value,) = checked((yield Batch((("GET", name),))))
        return default if value is None else self._loads(value)

    def _get_many(self, names: dict[str, str]) -> Flow[dict[str, Any]]:
        if not names:
            return {}
        (values,) = checked((yield Batch((("MGET", *names),))))
        pairs = zip(names.values(), values, strict=True)
        return {key: self._loads(value) for key, value in pairs if value is not None}

    def _set(self, rows: list[tuple[str, Any]], timeout: Any) -> Flow[None]:
        life = self.get_backend_timeout(timeout)
        if life == 0:
            yield from self._delete([name for name, _ in rows])
        elif rows:
            ends: tuple[Word, ...] = () if life is None else ("PX", life)
            words = tuple(("SET", name, self._dumps(value), *ends) for name, value in rows)
            checked((yield Batch(words)))

    def _add(self, name: str, value: Any, timeout: Any) -> Flow[bool]:
        life = self.get_backend_timeout(timeout)
        if life == 0:
            return not (yield from _exists(name))
        ends: tuple[Word, ...] = () if life is None else ("PX", life)
        words = ("SET", name, self._dumps(value), "NX", *ends)
        (stored,) = checked((yield Batch((words,), repeatable=False)))
        return stored is not None

    def _touch(self, name: str, timeout: Any) -> Flow[bool]:
        life = self.get_backend_timeout(timeout)
        if life == 0:
            return (yield from self._delete([name])) > 0
        change: tuple[Word, ...] = ("PERSIST", name) if life is None else ("PEXPIRE", name, life)
        _, there = checked((yield Batch((change, ("EXISTS", name)))))
        return bool(there)

    def _delete(self, names: list[str]) -> Flow[int]:
        if not names:
            return 0
        (gone,) = checked((yield Batch((("UNLINK", *names),))))
        return int(gone)

    def _clear(self) -> Flow[bool]:
        own = f"{self.key_prefix}:" if self.key_func is default_key_func else ""
        pattern = "".join(f"\\{c}" if c in "*?[]\\" else c for c in self._root + own) + "*"
        cursor: Any = b"0"
        while True:
            asked: tuple[Word, ...] = ("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            ((cursor, found),) = checked((yield Batch((asked,))))
            if found:
                checked((yield Batch((("UNLINK", *found),))))
            if cursor in (b"0", "0"):
                return True


@cache
def _prefix(source: str | None) -> str:
    """CACHE_PREFIX; read once, for Django makes a cache for each thread."""
    settings = settings_of(source)
    return settings.cache_prefix if settings is not None else ""


def _exists(name: str) -> Flow[bool]:
    (there,) = checked((yield Batch((("EXISTS", name),))))
    return bool(there)


def _count(key: str, name: str, delta: int) -> Flow[int]:
    try:
        found = yield from COUNT.run((name,), (delta,), repeatable=False)
    except ReplyError as error:
        raise ValueError(f"Key '{key}' holds no integer, or one too large: {error}") from None
    if found is None:
        raise ValueError(f"Key '{key}' not found")
    return int(found)
