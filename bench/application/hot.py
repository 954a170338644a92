"""Hot reads: a hundred sessions kept in the process and dropped when the server says that they changed."""

import asyncio
from collections.abc import Sequence
from typing import Any

from driving import Sample, by_tasks, in_a_row
from lab import session
from ours import serializer, settings
from rounds import Measured, Run, Subject
from table import BASE, Figure
from thin import NAMES, async_recipe, recipe

HOT = 100  # sessions
BARE = "redis-py, GET"


def subjects(port: int, loop: asyncio.Runner) -> list[Subject]:
    """Loads by ten tasks, decoded each time so that every caller owns its dict; and raw values."""
    base = async_recipe(port)

    def by_ten(load: Any) -> Run:
        return lambda numbers: loop.run(by_tasks(load, _hot(numbers), 10))

    decoded = {BASE: by_ten(base.load)}
    for kind in ("json", "msgspec"):
        decoded[f"keywright, held, {kind}"] = by_ten(loop.run(_held(port, kind)))
    raw = {BASE: _in_a_row(recipe(port).load), BARE: _in_a_row(_get(port)),
           "keywright, held, raw": _in_a_row(_raw(port))}  # fmt: skip
    return [Subject("hot load, 10 tasks", decoded, 10), Subject("hot raw value, 1 thread", raw)]


def figures(found: dict[str, Measured]) -> list[Figure]:
    """Decoded by the recipe; the raw value by one GET of redis-py, which is the harder comparison."""
    decoded, raw = found["hot load, 10 tasks"], found["hot raw value, 1 thread"]
    return [
        Figure("hot load, 10 tasks, json", decoded.ratio("keywright, held, json", BASE), 15.0),
        Figure(
            "hot load, 10 tasks, msgspec", decoded.ratio("keywright, held, msgspec", BASE), 15.0
        ),
        Figure("hot raw value, by GET", raw.ratio("keywright, held, raw", BARE), 100.0),
    ]


def _hot(numbers: Sequence[int]) -> list[int]:
    return [each % HOT for each in numbers]


def _in_a_row(load: Any) -> Run:
    def run(numbers: Sequence[int]) -> Sample:
        return in_a_row(load, _hot(numbers))

    return run


async def _held(port: int, format: str) -> Any:
    from keywright import AsyncSessionStore

    store = AsyncSessionStore(settings(port), serializer=serializer(format), local=True)
    ids = [(await store.create(session())).id for _ in range(HOT)]
    for _ in range(20):  # the first load refreshes, the second holds, once pushes are heard
        for each in ids:
            await store.load(each)
        await asyncio.sleep(0.02)
    return lambda number: store.load(ids[number])


def _get(port: int) -> Any:
    import redis

    client = redis.Redis(port=port)
    return lambda number: client.get(NAMES[number])


def _raw(port: int) -> Any:
    import redis

    from keywright.places import endpoint_of
    from keywright.tracking import LocalCache

    client, cache = redis.Redis(port=port), LocalCache(endpoint_of(settings(port)), NAMES[0][:16])
    assert cache.wait(5)
    names = NAMES[HOT : 2 * HOT]  # which no other way of these rounds writes

    def load(number: int) -> Any:
        value = cache.get(names[number])
        if value is None:
            token = cache.reserve(names[number])
            value = client.get(names[number])
            cache.put(names[number], value, token)
        return value

    for number in range(HOT):
        load(number)
    return load
