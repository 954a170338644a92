"""Values held in this process: gone when the server says so, and never an old one after it did."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.app.conftest import emptied
from tests.app.faces import driven
from tests.app.test_sessions import asked
from tests.engines.servers import Server

from keywright.endpoint import Endpoint
from keywright.flows import one
from keywright.sessions import AsyncSessionStore, SessionStore
from keywright.talkers.blocking import BlockingTalker
from keywright.talkers.multiplexed import MultiplexedTalker
from keywright.tracking import LocalCache

PREFIX = "esabcfg:"


@pytest.fixture
def local(endpoint: Endpoint) -> Iterator[LocalCache]:
    """A cache that hears the server's pushes."""
    one = LocalCache(endpoint, "p:")
    assert one.wait(5)
    yield one
    one.close()


def until(question: Callable[[], object], limit: float = 5.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + limit
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def hold(local: LocalCache, key: str, value: bytes) -> bool:
    """Hold a value as a reader would."""
    return local.put(key, value, local.reserve(key))


@pytest.mark.parametrize(
    "words", [("SET", "p:a", "2"), ("DEL", "p:a"), ("EXPIRE", "p:a", "9"), ("FLUSHALL",),
              ("RENAME", "p:a", "p:b")]
)  # fmt: skip
def test_what_is_written_is_dropped(local: LocalCache, server: Server, words: Any) -> None:
    """Whoever writes a key, however: after `settle` it is not held any more; others are."""
    with server.line() as line:
        line.ask("SET", "p:a", "1")
        local.settle()
        assert hold(local, "p:a", b"1") and hold(local, "p:other", b"x")
        line.ask("GET", "p:a")
        line.ask("SET", "q:a", "1")
        assert local.settle()
        assert local.get("p:a") == b"1"
        line.ask(*words)
        assert local.settle()
        assert local.get("p:a") is None
        assert (local.get("p:other") == b"x") is (words != ("FLUSHALL",))


def test_a_write_between_asking_and_storing(local: LocalCache, server: Server) -> None:
    """What was asked for before a write is not held after it."""
    token = local.reserve("p:a")
    with server.line() as line:
        line.ask("SET", "p:a", "new")
    assert local.settle()
    assert not local.put("p:a", b"old", token)
    assert local.get("p:a") is None
    token = local.reserve("p:a")
    local.drop("p:a")
    assert not local.put("p:a", b"old", token)


def test_nothing_is_held_without_a_connection(local: LocalCache, server: Server) -> None:
    """When the connection breaks everything is dropped; it is made again by itself."""
    hold(local, "p:a", b"1")
    with server.line() as line:
        line.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    until(lambda: not local.live)
    assert len(local) == 0 and local.reserve("p:a") is None
    assert local.wait(5)
    assert hold(local, "p:a", b"1")


def test_it_is_bounded(endpoint: Endpoint) -> None:
    """Never more values than `entries`, none older than `max_age`; a fork's child holds nothing."""
    cache = LocalCache(endpoint, "p:", entries=10, max_age=0.5)
    assert cache.wait(5)
    for n in range(50):
        hold(cache, f"p:{n}", b"x")
    assert len(cache) == 10 and cache.get("p:49") == b"x"
    child = os.fork()
    if child == 0:
        os._exit(len(cache))
    assert os.waitpid(child, 0)[1] == 0
    until(lambda: len(cache) == 0)
    cache.close()


def test_a_silent_server(debian: Server) -> None:
    """A server that stands still loses its pushes' listener: then nothing is held."""
    cache = LocalCache(emptied(debian)._replace(timeout=0.5), "p:")
    assert cache.wait(5)
    hold(cache, "p:a", b"1")
    os.kill(debian.process.pid, signal.SIGSTOP)
    try:
        until(lambda: cache.get("p:a") is None, 8)
    finally:
        os.kill(debian.process.pid, signal.SIGCONT)
    assert cache.wait(5)
    cache.close()


def test_no_stale_read(local: LocalCache, server: Server, endpoint: Endpoint) -> None:
    """A writer counts up, readers read: after each acknowledged and settled write none is older."""
    talker = BlockingTalker(endpoint)
    stop, wrong = threading.Event(), []
    written = [0]

    def read() -> None:
        while not stop.is_set():
            least = written[0]
            value = local.get("p:n")
            if value is None:
                token = local.reserve("p:n")
                value = talker.run(one("GET", "p:n")) or b"0"
                local.put("p:n", value, token)
            if int(value) < least:
                wrong.append((value, least))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    with server.line() as line:
        for n in range(1, 200):
            line.ask("SET", "p:n", str(n))
            assert local.settle()
            written[0] = n
    stop.set()
    for each in readers:
        each.join()
    assert wrong == []
    talker.close()


def test_a_server_that_refuses_the_heartbeat(local: LocalCache, server: Server) -> None:
    """While a script blocks the server its answers are refusals: nothing is held, and later again."""
    hold(local, "p:a", b"1")
    with server.line() as line, server.line() as other:
        line.ask("CONFIG", "SET", "busy-reply-threshold", "10")
        line.ask("CONFIG", "SET", "lua-time-limit", "10")
        thread = threading.Thread(target=lambda: other.ask("EVAL", "while true do end", "0"))
        thread.start()
        until(lambda: local.get("p:a") is None, 8)
        until(lambda: line.ask("SCRIPT", "KILL") == "OK")
        thread.join()
    assert local.wait(8)
    assert hold(local, "p:a", b"1")


def test_what_is_not_there_leaves_nothing(local: LocalCache) -> None:
    """Keys that the server does not have are not remembered."""
    for n in range(50):
        assert not local.put(f"p:{n}", None, local.reserve(f"p:{n}"))
    assert local._asked == {}


# --- sessions -------------------------------------------------------------------------------------


@pytest.fixture(params=["threads", "asyncio"])
def store(request: pytest.FixtureRequest, endpoint: Endpoint) -> Iterator[Any]:
    """A store that holds what is read often."""
    if request.param == "threads":
        held: Any = SessionStore(
            talker=BlockingTalker(endpoint), ttl=60, prefix=PREFIX, limit=3, local=True
        )
        inside = held
    else:
        inside = AsyncSessionStore(
            talker=MultiplexedTalker(endpoint), ttl=60, prefix=PREFIX, limit=3, local=True
        )
        held = driven(inside)
    assert inside._local.wait(5)
    yield held
    held.close()


def settled(store: Any) -> Any:
    """The store's cache, with every push honoured."""
    cache = getattr(store, "store", store)._local
    assert cache.settle()
    return cache


def warm(store: Any, session: Any) -> None:
    """Load a session until it is held."""
    for _ in range(2):
        store.load(session.id)
        settled(store)
    store.load(session.id)


def test_a_hot_session_costs_no_command(store: Any, server: Server) -> None:
    """A session that is read often is held; each reader has data of their own."""
    session = store.create({"n": [1]}, user="ada")
    warm(store, session)
    asked(server)
    for _ in range(20):
        found = store.load(session.id)
        assert found.data == {"n": [1]}
        found["n"].append(2)
    calls = asked(server)
    assert "get" not in calls and "getex" not in calls
    assert store.load(session.id, fresh=True) is not None
    assert asked(server).get("getex") == 1


@pytest.mark.parametrize("act", ["save", "check", "rotate", "destroy", "destroy_all", "limit"])
def test_an_own_write_is_seen_at_once(store: Any, act: str) -> None:
    """From the moment a write of this process is acknowledged nothing older is read, without waiting."""
    session = store.create({"n": 1}, user="ada")
    warm(store, session)
    mine, old = store.load(session.id), session.id
    mine["n"] = 2
    if act == "save":
        store.save(mine)
    elif act == "check":
        store.save(mine, check=True)
    elif act == "rotate":
        store.rotate(mine)
    elif act == "destroy":
        store.destroy(mine)
    elif act == "destroy_all":
        store.destroy_all("ada")
    else:
        for _ in range(3):
            store.create({}, user="ada")
    found = store.load(old)
    if act in ("save", "check"):
        assert found.data == {"n": 2}
    else:
        assert found is None


def test_anothers_write_is_seen(store: Any, endpoint: Endpoint) -> None:
    """A logout on another node is seen after one push."""
    session = store.create({"n": 1}, user="ada")
    warm(store, session)
    other = SessionStore(talker=BlockingTalker(endpoint), ttl=60, prefix=PREFIX)
    theirs = other.load(session.id)
    assert theirs is not None
    theirs["n"] = 5
    other.save(theirs)
    settled(store)
    assert store.load(session.id).data == {"n": 5}
    other.destroy_all("ada")
    settled(store)
    assert store.load(session.id) is None
    other.close()


def test_the_time_is_begun_anew_now_and_then(store: Any, server: Server) -> None:
    """Hits do not slide the time; when the refresh is due the next load does."""
    session = store.create({"n": 1})
    key = f"{PREFIX}session:{session.id}"
    warm(store, session)
    with server.line() as line:
        assert line.ask("TTL", key) >= 59
        cache = settled(store)
        assert not cache.needs_refresh(key)
        until(lambda: cache.needs_refresh(key), 8)
        asked(server)
        store.load(session.id)
        assert asked(server).get("getex") == 1
