"""The peers, each as its own documentation has it, sliding the time to live on every load.

In process and without HTTP around them: what is measured is the store, and a peer is spared whatever
its framework adds.
"""

from datetime import timedelta
from typing import Any

from driving import AsyncWay, Way
from lab import IDS, PREFIX, TTL, session
from thin import NAMES

# ruff: noqa: SLF001 - a peer's store is called below its framework, which favours the peer


def sync_peers(port: int) -> list[Way]:
    """Flask-Session, and Django's cache sessions over django-redis and over Django's own cache."""
    _django(port)
    return [_flask(port), _django_sessions("django-redis"), _django_sessions("Django's own")]


def _flask(port: int) -> Way:
    import redis
    from flask import Flask
    from flask_session.redis import RedisSessionInterface

    app, data = Flask("bench"), session()
    store = RedisSessionInterface(app, client=redis.Redis(port=port), key_prefix="flask:")
    lifetime = timedelta(seconds=TTL)
    names = [store._get_store_id(each) for each in IDS]
    made = store.session_class

    def load(number: int) -> Any:
        found = store._retrieve_session_data(names[number])
        opened = made(found, sid=IDS[number])
        store._upsert_session(lifetime, opened, names[number])  # SESSION_REFRESH_EACH_REQUEST
        return opened

    def save(number: int) -> None:
        data["count"] = number
        store._upsert_session(lifetime, made(data, sid=IDS[number]), names[number])

    return Way("Flask-Session", load, save)


def _django(port: int) -> None:
    from django.conf import settings

    place = {"LOCATION": f"redis://127.0.0.1:{port}/0"}
    settings.configure(
        CACHES={
            "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
            "django-redis": {"BACKEND": "django_redis.cache.RedisCache", **place},
            "Django's own": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "KEY_PREFIX": "own",
                **place,
            },
        },
        SESSION_COOKIE_AGE=TTL,
        SECRET_KEY="a bench has no secrets",
    )


def _django_sessions(alias: str) -> Way:
    from django.contrib.sessions.backends.cache import SessionStore
    from django.core.cache import caches

    data, cache = session(), caches[alias]

    class Store(SessionStore):
        """Sessions in this cache, whatever SESSION_CACHE_ALIAS says."""

        def __init__(self, key: str) -> None:
            super().__init__(key)
            self._cache = cache

    for each in IDS:
        cache.set(Store.cache_key_prefix + each, data, TTL)

    def load(number: int) -> Any:
        opened = Store(IDS[number])
        opened["user_id"]  # reads it
        opened.save()  # SESSION_SAVE_EVERY_REQUEST
        return opened

    def save(number: int) -> None:
        opened = Store(IDS[number])
        data["count"] = number
        opened._session_cache = data
        opened.save()

    return Way(alias, load, save)


def async_peers(port: int) -> list[AsyncWay]:
    """starsessions, cashews and aiocache; redis-om runs in a process of its own."""
    return [_starsessions(port), _cashews(port), _aiocache(port)]


def _starsessions(port: int) -> AsyncWay:
    import redis.asyncio
    from starlette.requests import HTTPConnection
    from starsessions import JsonSerializer
    from starsessions.session import SessionHandler
    from starsessions.stores.redis import RedisStore

    store = RedisStore(connection=redis.asyncio.Redis(port=port), prefix="star:")
    serializer, data = JsonSerializer(), session()

    def opened(number: int) -> SessionHandler:
        link = HTTPConnection({"type": "http", "session": {}})
        return SessionHandler(link, IDS[number], store, serializer, TTL)

    async def load(number: int) -> Any:
        handler = opened(number)
        await handler.load()
        await handler.save(TTL)  # rolling=True
        return handler.connection.session

    async def save(number: int) -> None:
        data["count"] = number
        await store.write(IDS[number], serializer.serialize(data), TTL, TTL)

    return AsyncWay("starsessions", load, save)


def _cashews(port: int) -> AsyncWay:
    from cashews import Cache

    cache, data = Cache(), session()
    cache.setup(f"redis://127.0.0.1:{port}/0", max_connections=1000)
    names = [f"cashews:{each}" for each in IDS]

    async def load(number: int) -> Any:
        value = await cache.get(names[number])
        await cache.expire(names[number], TTL)
        return value

    async def save(number: int) -> None:
        data["count"] = number
        await cache.set(names[number], data, expire=TTL)

    return AsyncWay("cashews", load, save)


def _aiocache(port: int) -> AsyncWay:
    from aiocache import Cache
    from aiocache.serializers import JsonSerializer

    cache = Cache(Cache.REDIS, endpoint="127.0.0.1", port=port, serializer=JsonSerializer())
    data = session()

    async def load(number: int) -> Any:
        value = await cache.get(NAMES[number])
        await cache.expire(NAMES[number], TTL)
        return value

    async def save(number: int) -> None:
        data["count"] = number
        await cache.set(NAMES[number], data, ttl=TTL)

    assert PREFIX in NAMES[0]
    return AsyncWay("aiocache", load, save)
