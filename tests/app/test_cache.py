"""The cache on every engine, for threads and asyncio: lifetimes, tags, one computation where many ask."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.app.conftest import emptied
from tests.app.faces import driven
from tests.app.test_sessions import asked
from tests.engines.servers import Server
from tests.ports import free_port

from keywright.cache import MISSING, AsyncCache, Cache
from keywright.endpoint import Endpoint
from keywright.errors import InputError, Unreachable
from keywright.talkers.blocking import BlockingTalker
from keywright.talkers.memory import MemoryTalker
from keywright.talkers.multiplexed import MultiplexedTalker

PREFIX = "esabcfg:"


@pytest.fixture(params=["threads", "asyncio"])
def cache(request: pytest.FixtureRequest, endpoint: Endpoint) -> Iterator[Any]:
    """A cache of either kind on an empty server."""
    if request.param == "threads":
        held: Any = Cache(talker=BlockingTalker(endpoint), prefix=PREFIX, jitter=0)
    else:
        held = driven(AsyncCache(talker=MultiplexedTalker(endpoint), prefix=PREFIX, jitter=0))
    yield held
    held.close()


def maker(cache: Any, *values: Any) -> Any:
    """A function that gives one value after another, and counts; awaited where the cache awaits it."""
    given = list(values)

    def make() -> Any:
        made.calls += 1  # type: ignore[attr-defined]
        value = given.pop(0)
        if isinstance(value, Exception):
            raise value
        return value

    async def later() -> Any:
        return make()

    made = later if hasattr(cache, "store") else make
    made.calls = 0  # type: ignore[attr-defined]
    return made


def test_values(cache: Any, server: Server) -> None:
    """What is set is there for its time; a stored None is not a miss; what is deleted is gone."""
    assert cache.get("a") is None and cache.get("a", MISSING) is MISSING
    cache.set("a", {"n": [1, None]})
    cache.set("none", None, 7)
    assert {"n": [1, None]} == cache.get("a")
    assert cache.get("none", MISSING) is None
    with server.line() as line:
        assert line.ask("TTL", f"{PREFIX}cache:a") in (3599, 3600)
        assert line.ask("TTL", f"{PREFIX}cache:none") in (6, 7)
    cache.set_many({"b": 1, "c": 2}, "short")
    assert {"b": 1, "c": 2} == cache.get_many(["b", "c", "d"])
    assert cache.delete("b", "c", "d") == 2
    assert cache.get_many([]) == {} and cache.delete() == 0


def test_each_is_one_command(cache: Any, server: Server) -> None:
    """get, set, delete and invalidate are one command each; with tags named a look is one trip."""
    cache.set("a", 1, tags=["t"])
    for act, expected in (
        (lambda: cache.get("b"), {"get": 1}),
        (lambda: cache.set("b", 1), {"set": 1}),
        (lambda: cache.delete("b"), {"unlink": 1}),
        (lambda: cache.invalidate("u"), {"set": 1}),
        (lambda: cache.get("a", tags=["t"]), {"get": 2}),
    ):
        asked(server)
        act()
        assert expected == asked(server)


@pytest.mark.parametrize("ttl", [0, -1, "soon"])
def test_lifetimes_that_are_none(cache: Any, ttl: Any) -> None:
    """A lifetime without sense is one sentence."""
    with pytest.raises(InputError):
        cache.set("a", 1, ttl)


def test_tags(cache: Any) -> None:
    """One write makes a miss of all that carry a tag, and of nothing else."""
    cache.set("a", 1, tags=["x", "y"])
    cache.set("b", 2, tags=["y"])
    cache.set("c", 3)
    assert [1, 1, 2, 3] == [
        cache.get("a"), cache.get("a", tags=["x", "y"]), cache.get("b"), cache.get("c"),
    ]  # fmt: skip
    assert {"a": 1, "b": 2, "c": 3} == cache.get_many(["a", "b", "c"])
    cache.invalidate("x")
    assert [None, 2, 3] == [cache.get("a", tags=["x"]), cache.get("b"), cache.get("c")]
    cache.invalidate("x", "y")
    assert {"c": 3} == cache.get_many(["a", "b", "c"])
    cache.set("a", 5, tags=["x"])
    assert cache.get("a") == 5


def test_a_tag_that_was_evicted(cache: Any, server: Server) -> None:
    """Without its generation a tagged value is a miss, also when the tag is born again."""
    cache.set("a", 1, tags=["x"])
    with server.line() as line:
        line.ask("DEL", f"{PREFIX}cache:tag:x")
    assert cache.get("a") is None
    cache.set("b", 1, tags=["x"])
    assert cache.get("a") is None and cache.get("b") == 1


def test_computed_once(cache: Any) -> None:
    """A miss computes and stores; a hit does not; an error is not stored; None for a short time only."""
    make = maker(cache, 1, 2)
    assert cache.get_or_set("a", make) == 1 == cache.get_or_set("a", make)
    assert make.calls == 1
    fails = maker(cache, ValueError("no"), 7)
    with pytest.raises(ValueError, match="no"):
        cache.get_or_set("b", fails)
    assert cache.get_or_set("b", fails) == 7
    none = maker(cache, None, 1)
    assert cache.get_or_set("n", none, absent=30) is None
    assert cache.get_or_set("n", none) is None
    assert none.calls == 1


def test_an_invalidation_while_it_is_computed(cache: Any, endpoint: Endpoint) -> None:
    """What was computed before an invalidation and stored after it is a miss."""
    other = Cache(talker=BlockingTalker(endpoint), prefix=PREFIX)

    def slow() -> int:
        other.invalidate("x")
        return 1

    async def later() -> int:
        return slow()

    make = later if hasattr(cache, "store") else slow
    assert cache.get_or_set("a", make, tags=["x"]) == 1
    assert cache.get("a", tags=["x"]) is None
    other.close()


def test_stale_while_somebody_computes(cache: Any, endpoint: Endpoint) -> None:
    """With grace an ended value is given to the others while one computes; then the new one."""
    make = maker(cache, 1, 2)
    assert cache.get_or_set("a", make, 0.2, grace=30) == 1
    time.sleep(0.25)
    other = Cache(talker=BlockingTalker(endpoint), prefix=PREFIX)
    assert cache.get("a") is None
    assert other._talker.run(other._flows.lend("a", 5000))
    assert cache.get_or_set("a", make, 0.2, grace=30) == 1
    other._talker.run(other._flows.give_back("a"))
    assert cache.get_or_set("a", make, 30, grace=30) == 2
    assert cache.get("a") == 2
    other.close()


def test_many_threads_and_processes(endpoint: Endpoint) -> None:
    """Thirty threads over two caches (as two processes have them) miss at once: computed once."""
    caches = [Cache(talker=BlockingTalker(endpoint), prefix=PREFIX) for _ in range(2)]
    calls, found = [0], []

    def make() -> int:
        calls[0] += 1
        time.sleep(0.1)
        return 42

    threads = [
        threading.Thread(target=lambda n=n: found.append(caches[n % 2].get_or_set("m", make)))
        for n in range(30)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [42] * 30 == found and calls == [1]
    for each_cache in caches:
        each_cache.close()


def test_many_tasks(endpoint: Endpoint) -> None:
    """A hundred tasks miss at once: computed once, also when the first of them is cancelled."""

    async def main() -> None:
        cache, calls = AsyncCache(talker=MultiplexedTalker(endpoint), prefix=PREFIX), [0]

        async def make() -> int:
            calls[0] += 1
            await asyncio.sleep(0.1)
            return 42

        tasks = [asyncio.create_task(cache.get_or_set("m", make)) for _ in range(100)]
        await asyncio.sleep(0.03)
        tasks[0].cancel()
        said = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(said[0], asyncio.CancelledError) and [42] * 99 == said[1:]
        assert calls == [1]
        await cache.aclose()

    asyncio.run(main())


def test_a_holder_of_the_lease_that_died(endpoint: Endpoint, monkeypatch: Any) -> None:
    """Whoever waits for a computation that never ends computes itself after the lease."""
    monkeypatch.setattr("keywright.cache.cache.LEASE", 0.3)
    cache = Cache(talker=BlockingTalker(endpoint), prefix=PREFIX)
    assert cache._talker.run(cache._flows.lend("a", 60000))
    assert cache.get_or_set("a", lambda: 5) == 5
    cache.close()


def test_without_a_server() -> None:
    """When nobody answers the function is called; with on_error="raise" the error is raised."""
    cache = Cache(talker=BlockingTalker(Endpoint(port=free_port()), patience=0), prefix=PREFIX)
    assert cache.get_or_set("a", lambda: 5) == 5

    @cache.cached(on_error="raise")
    def work(n: int) -> int:
        return n

    with pytest.raises(Unreachable):
        work(1)
    with pytest.raises(Unreachable):
        cache.get("a")


def test_decorated(debian: Server) -> None:
    """A decorated function is called once per arguments; tags and keys may depend on them."""
    cache, calls = Cache(talker=BlockingTalker(emptied(debian)), prefix=PREFIX), []

    @cache.cached("short", tags=lambda user, size=1: [f"user:{user}"])
    def report(user: str, size: int = 1) -> dict[str, Any]:
        """A report."""
        calls.append((user, size))
        return {"of": user, "size": size}

    assert report("ada") == report("ada", size=1) == {"of": "ada", "size": 1}
    assert report("bob", 2) == {"of": "bob", "size": 2}
    assert [("ada", 1), ("bob", 2)] == calls
    cache.invalidate("user:ada")
    report("ada")
    report("bob", 2)
    assert len(calls) == 3
    report.invalidate("bob", 2)  # type: ignore[attr-defined]
    report("bob", 2)
    report.fresh("bob", 2)  # type: ignore[attr-defined]
    assert len(calls) == 5 and report.__doc__ == "A report."

    @cache.cached(key=lambda _: "mine")
    def odd(_: object) -> int:
        return 1

    assert odd(object()) == 1

    @cache.cached()
    def plain(_: object) -> int:
        return 1

    with pytest.raises(InputError, match="cannot be part of a key"):
        plain(object())
    cache.close()


def test_decorated_in_asyncio(debian: Server) -> None:
    """The same for functions that are awaited."""

    async def main() -> None:
        cache, calls = AsyncCache(talker=MultiplexedTalker(emptied(debian)), prefix=PREFIX), [0]

        @cache.cached(tags=["all"])
        async def double(n: int) -> int:
            calls[0] += 1
            return 2 * n

        assert [4, 4, 6] == [await double(2), await double(2), await double(3)]
        await cache.invalidate("all")
        assert await double(2) == 4 and calls == [3]
        await cache.aclose()

    asyncio.run(main())


def test_held_in_the_process(endpoint: Endpoint, server: Server) -> None:
    """With local=True hot values and tags cost no command; a write is seen at once."""
    cache = Cache(talker=BlockingTalker(endpoint), prefix=PREFIX, local=True)
    held = cache._local
    assert held is not None and held.wait(5)
    cache.set("a", 1, tags=["t"])
    assert held.settle()
    cache.get("a", tags=["t"])
    asked(server)
    assert [1] * 10 == [cache.get("a", tags=["t"]) for _ in range(10)]
    assert "get" not in asked(server)
    cache.set("a", 2, tags=["t"])
    assert cache.get("a", tags=["t"]) == 2
    cache.invalidate("t")
    assert cache.get("a", tags=["t"]) is None
    cache.close()


def test_inside_the_process() -> None:
    """Without Redis it works inside the process."""
    cache = Cache(talker=MemoryTalker(), prefix=PREFIX)
    test_tags(cache)
    test_computed_once(Cache(talker=MemoryTalker(), prefix=PREFIX))


def test_what_cannot_be_written(cache: Any) -> None:
    """A result without a form is said, and nobody waits for it afterwards."""
    odd = maker(cache, {1, 2}, 5)
    with pytest.raises(InputError, match="is a set"):
        cache.get_or_set("a", odd)
    begun = time.monotonic()
    assert cache.get_or_set("a", odd) == 5
    assert time.monotonic() - begun < 5  # the lease is ten seconds
    for name in ("tag:x", "lease:a"):
        with pytest.raises(InputError, match="does not begin with"):
            cache.set(name, 1)


def test_many_at_once_are_fresh(cache: Any) -> None:
    """get_many gives no value that has ended, though it is kept for its grace."""
    cache.get_or_set("a", maker(cache, 1), 0.1, grace=30)
    assert {"a": 1} == cache.get_many(["a"])
    time.sleep(0.15)
    assert {} == cache.get_many(["a"])


def test_a_fork_while_somebody_computes(debian: Server) -> None:
    """A child does not wait for what is computed in its parent."""
    import os

    cache = Cache(talker=BlockingTalker(emptied(debian)), prefix=PREFIX)

    def make() -> int:
        child = os.fork()
        if child == 0:
            os._exit(7 if cache.get_or_set("b", lambda: 7) == 7 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        return 1

    assert cache.get_or_set("a", make) == 1
    cache.close()
