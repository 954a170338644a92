"""Keywright's ways: its session store, and its talkers without the store, to see what each costs."""

import json
from typing import Any

from driving import AsyncWay, Way, in_a_row
from lab import KEYS, TTL, session
from rounds import Run
from thin import NAMES, formats


def settings(port: int) -> Any:
    """The application's settings for the bench's server."""
    from keywright import Settings

    url = f"redis://127.0.0.1:{port}/0"
    return Settings.from_env({"REDIS_URL": url, "CACHE_PREFIX": "esabcfg:"})


def talker(port: int) -> Any:
    """Who holds conversations for threads."""
    from keywright.places import endpoint_of
    from keywright.talkers.blocking import BlockingTalker

    return BlockingTalker(endpoint_of(settings(port)))


def async_talker(port: int) -> Any:
    """Who holds them for tasks."""
    from keywright.places import endpoint_of
    from keywright.talkers.multiplexed import MultiplexedTalker

    return MultiplexedTalker(endpoint_of(settings(port)))


def serializer(format: str) -> Any:
    """What the store is given."""
    from keywright import serializers

    return serializers.JSON if format == "json" else serializers.msgspec_json()


def ours(port: int, format: str) -> Way:
    """The session store."""
    from keywright import SessionStore

    store = SessionStore(settings(port), serializer=serializer(format))
    ids = [store.create(session()).id for _ in range(KEYS)]
    one = store.create(session())  # as hot as the recipe's own dict: it stands for each in turn

    def load(number: int) -> Any:
        return store.load(ids[number])

    def save(number: int) -> None:
        one.id = ids[number]
        one.data["count"] = number
        store.save(one)

    return Way(f"keywright, {format}", load, save)


async def async_ours(port: int, format: str) -> AsyncWay:
    """The session store of tasks."""
    from keywright import AsyncSessionStore

    store = AsyncSessionStore(settings(port), serializer=serializer(format))
    ids = [(await store.create(session())).id for _ in range(KEYS)]
    one = await store.create(session())

    async def load(number: int) -> Any:
        return await store.load(ids[number])

    async def save(number: int) -> None:
        one.id = ids[number]
        one.data["count"] = number
        await store.save(one)

    return AsyncWay(f"keywright, {format}", load, save)


def touching(port: int) -> Run:
    """Touch, to count its commands."""
    from keywright import SessionStore

    store = SessionStore(settings(port))
    one = store.create(session())
    return lambda numbers: in_a_row(lambda _: store.touch(one), numbers)


def talking(port: int) -> Way:
    """The talker and json, without the store."""
    from keywright.flows import one

    talks, data = talker(port), session()
    decode, encode = formats()["json"]

    def load(number: int) -> Any:
        return decode(talks.run(one("GETEX", NAMES[number], "EX", TTL)))

    def save(number: int) -> None:
        data["count"] = number
        talks.run(one("SET", NAMES[number], encode(data), "XX", "EX", TTL))

    return Way("its talker, json", load, save)


def async_talking(port: int, format: str) -> AsyncWay:
    """The talker of tasks without the store. Format `raw` decodes nothing."""
    from keywright.flows import one

    talks, data = async_talker(port), session()
    decode, encode = formats().get(format, (bytes, str))

    async def load(number: int) -> Any:
        return decode(await talks.run(one("GETEX", NAMES[number], "EX", TTL)))

    async def save(number: int) -> None:
        data["count"] = number
        await talks.run(one("SET", NAMES[number], encode(data), "XX", "EX", TTL))

    return AsyncWay(f"its talker, {format}", load, save)


def seed(port: int) -> None:
    """The recipe's keys, and those that redis-benchmark names."""
    from lab import PREFIX, ask_all

    value = json.dumps(session())
    words = [("SETEX", name, str(TTL), value) for name in NAMES]
    words += [("SETEX", f"{PREFIX}{n:012}", str(TTL), value) for n in range(KEYS)]
    ask_all(port, words)
