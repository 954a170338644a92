"""Sessions on every engine, for threads and for asyncio: what each operation does, and what it costs."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
import redis.asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.app.conftest import emptied
from tests.app.faces import driven
from tests.engines.servers import Server

from keywright.endpoint import Endpoint
from keywright.errors import (
    SessionChanged,
    SessionGone,
    SessionUnreadable,
    SettingsError,
    Unreachable,
)
from keywright.flows import as_flow
from keywright.sessions import AsyncSessionStore, Session, SessionStore
from keywright.talkers.blocking import BlockingTalker
from keywright.talkers.memory import AsyncMemoryTalker, MemoryTalker
from keywright.talkers.multiplexed import MultiplexedTalker

PREFIX = "esabcfg:"


def made(face: str, endpoint: Endpoint, **named: Any) -> Any:
    """A store of either face; `driven` lets asyncio's be called the same way."""
    named = {"ttl": 60, "prefix": PREFIX, **named}
    if face == "redis-py":
        client = redis.Redis(port=endpoint.port, decode_responses=True)
        return SessionStore(client=client, **named)
    if face == "redis.asyncio":
        return driven(AsyncSessionStore(client=redis.asyncio.Redis(port=endpoint.port), **named))
    if face == "threads":
        return SessionStore(talker=BlockingTalker(endpoint), **named)
    return driven(AsyncSessionStore(talker=MultiplexedTalker(endpoint), **named))


@pytest.fixture(params=["threads", "asyncio", "redis-py", "redis.asyncio"])
def face(request: pytest.FixtureRequest) -> str:
    """Which of the two stores."""
    return str(request.param)


@pytest.fixture
def store(face: str, endpoint: Endpoint) -> Iterator[Any]:
    """A store of either face on an empty server."""
    one = made(face, endpoint)
    yield one
    one.close()


def asked(server: Server) -> dict[str, int]:
    """How often each command was called since the last look, without those of looking."""
    with server.line() as line:
        text = line.ask("INFO", "commandstats")
        line.ask("CONFIG", "RESETSTAT")
    calls = {}
    for row in text.splitlines():
        name, _, rest = row.removeprefix("cmdstat_").partition(":calls=")
        if rest and name not in ("info", "config", "config|resetstat", "flushall"):
            calls[name] = int(rest.partition(",")[0])
    return calls


def test_what_is_stored_comes_back(store: Any) -> None:
    """A session's data, owner and client come back as they were given; repr shows neither id nor data."""
    begun = store.create({"cart": [1, 2]}, user="ada", address="10.0.0.7", agent="Firefox")
    found = store.load(begun.id)
    assert {"cart": [1, 2]} == found.data == dict(found)
    assert ("ada", "10.0.0.7", "Firefox") == (found.user, found.address, found.agent)
    assert found.created == begun.created > 1_700_000_000
    assert begun.id not in repr(found) and "cart" not in repr(found)
    assert store.load("no-such-session") is None


def test_each_is_one_command(store: Any, server: Server) -> None:
    """load, touch and a plain save are one command each; what else there is takes one script."""
    session = store.create({"a": 1}, user="ada")
    store.count("ada")
    store.rotate(session)
    store.save(session, check=True)
    store.destroy_all("nobody")
    asked(server)
    for act, expected in (
        (lambda: store.load(session.id), {"getex": 1}),
        (lambda: store.touch(session), {"expire": 1}),
        (lambda: store.save(session), {"set": 1}),
        (store.create, {"set": 1}),
        (lambda: store.destroy(session.id), {"unlink": 1}),
    ):
        act()
        assert expected == asked(server)
    for act in (
        lambda one: store.create({}, user="ada"),
        lambda one: store.list("ada"),
        lambda one: store.count("ada"),
        store.rotate,
        lambda one: store.destroy_all("ada"),
    ):
        fresh = store.create({}, user="ada")
        asked(server)
        act(fresh)
        assert asked(server)["evalsha"] == 1


def test_time_begins_anew_without_the_value(store: Any, server: Server) -> None:
    """load and touch slide the time; neither writes the value, so a save of somebody else stays."""
    session = store.create({"n": 1})
    key = f"{PREFIX}session:{session.id}"
    with server.line() as line:
        line.ask("EXPIRE", key, "5")
        assert store.load(session.id) is not None
        assert line.ask("TTL", key) in (59, 60)
        line.ask("EXPIRE", key, "5")
        assert store.touch(session)
        assert line.ask("TTL", key) in (59, 60)
    assert not store.touch("gone")


def test_a_session_that_ended_is_not_revived(store: Any) -> None:
    """After a logout nothing that a slow request does brings it back."""
    session = store.create({"n": 1}, user="ada")
    slow = store.load(session.id)
    assert store.destroy(session)
    assert not store.destroy(session)
    for act in (
        lambda: store.save(slow),
        lambda: store.save(slow, check=True),
        lambda: store.save(slow, merge=lambda a, b, c: b),
        lambda: store.rotate(slow),
        lambda: store.rotate(slow, user="eve"),
    ):
        with pytest.raises(SessionGone):
            act()
    assert not store.touch(slow)
    assert store.load(session.id) is None
    assert (slow.id, slow.user) == (session.id, "ada")


def test_a_lost_update_is_seen(store: Any) -> None:
    """With check the second who saves is told; a merge keeps both; plain, the last one wins."""
    session = store.create({"n": 1})
    mine, theirs = store.load(session.id), store.load(session.id)
    theirs["theirs"] = True
    store.save(theirs, check=True)
    mine["mine"] = True
    with pytest.raises(SessionChanged):
        store.save(mine, check=True)
    assert store.load(session.id).data == {"n": 1, "theirs": True}
    seen = []

    def merge(base: dict[str, Any], ours: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        seen.append((base, dict(ours), dict(other)))
        return {**other, **ours}

    store.save(mine, merge=merge)
    assert [({"n": 1}, {"n": 1, "mine": True}, {"n": 1, "theirs": True})] == seen
    assert store.load(session.id).data == {"n": 1, "theirs": True, "mine": True}
    store.save(theirs)
    assert store.load(session.id).data == {"n": 1, "theirs": True}
    store.save(mine, merge=merge)
    store.save(mine, check=True)


class Broken:
    """A talker whose line breaks before the reply."""

    def run(self, flow: Any) -> Any:
        """Send, and hear nothing."""
        next(as_flow(flow))
        raise Unreachable("the line broke")

    def close(self) -> None:
        """Nothing is open."""


def test_a_save_that_fails_leaves_it_unsaved(debian: Server) -> None:
    """When the line breaks in a save or a rotation, the session is as it was: changed, and nobody's."""
    store = made("threads", emptied(debian))
    broken = SessionStore(talker=Broken(), ttl=60, prefix=PREFIX)
    session = store.create({"n": 1})
    before = session.id
    session["n"] = 2
    for act in (
        lambda: broken.save(session),
        lambda: broken.save(session, check=True),
        lambda: broken.rotate(session, user="ada"),
    ):
        with pytest.raises(Unreachable):
            act()
        assert (True, before, "") == (store.changed(session), session.id, session.user)
    store.save(session, check=True)
    assert not store.changed(session)
    assert store.load(before).data == {"n": 2}
    store.close()


def test_a_plain_save_between_is_seen_too(store: Any) -> None:
    """Two plain saves leave versions of their own: a checked save does not take one for the other."""
    session = store.create({"n": 0})
    first, second = store.load(session.id), store.load(session.id)
    store.save(first)
    late = store.load(session.id)
    store.save(second)
    with pytest.raises(SessionChanged):
        store.save(late, check=True)


def test_rotation(store: Any) -> None:
    """At a login the id changes, the old one is dead, and the session is the user's."""
    session = store.create({"cart": [1]})
    old = session.id
    store.rotate(session, user="ada")
    assert old != session.id
    assert store.load(old) is None
    assert store.load(session.id).user == "ada"
    assert [session.id] == [row.id for row in store.list("ada")]
    second = session.id
    store.rotate(session)
    assert store.load(second) is None
    assert [session.id] == [row.id for row in store.list("ada")]
    store.rotate(session, user="")
    assert store.list("ada") == []
    assert store.load(session.id).data == {"cart": [1]}


def test_sessions_of_a_user(store: Any, server: Server) -> None:
    """They are listed and counted, and ended together; an expired one is not among them."""
    mine = [store.create({"n": n}, user="ada", agent=f"a{n}") for n in range(3)]
    other = store.create({}, user="bob")
    assert [each.id for each in mine] == [row.id for row in store.list("ada")]
    row = store.list("ada")[1]
    assert ("ada", "a1", mine[1].created) == (row.user, row.agent, row.created)
    assert abs(row.ends - row.last_seen - 60) < 0.01
    assert row.id not in repr(row)
    with server.line() as line:
        line.ask("DEL", f"{PREFIX}session:{mine[0].id}")
        assert store.count("ada") == 2
        assert line.ask("ZCARD", f"{PREFIX}user-sessions:ada") == 2
    assert store.destroy_all("ada", keep=mine[1]) == 1
    assert store.load(mine[1].id) is not None
    assert store.destroy_all("ada") == 1
    assert store.count("ada") == 0
    assert store.load(other.id) is not None


def test_limit(face: str, endpoint: Endpoint) -> None:
    """The oldest sessions of a user end when more begin, by create and by rotate."""
    store = made(face, endpoint, limit=2)
    mine = [store.create({}, user="ada") for _ in range(3)]
    assert [False, True, True] == [store.load(each.id) is not None for each in mine]
    guest = store.create({})
    store.rotate(guest, user="ada")
    assert [mine[2].id, guest.id] == [row.id for row in store.list("ada")]
    store.close()


def test_absolute_life(face: str, endpoint: Endpoint, server: Server) -> None:
    """However often it is loaded, a session ends after its absolute lifetime."""
    store = made(face, endpoint, absolute=100)
    session = store.create({}, user="ada")
    key = f"{PREFIX}session:{session.id}"
    with server.line() as line:
        assert 150 < line.ask("TTL", f"{PREFIX}user-sessions:ada") <= 160
        value = line.ask("GET", key)
        assert store.load(session.id) is not None
        line.ask("SET", key, value.replace(str(session.created), str(session.created - 100)))
        assert store.load(session.id) is None
        assert line.ask("EXISTS", key) == 0
    store.close()


def test_not_sliding(face: str, endpoint: Endpoint, server: Server) -> None:
    """Without sliding neither load nor save changes when it ends."""
    store = made(face, endpoint, sliding=False)
    session = store.create({})
    key = f"{PREFIX}session:{session.id}"
    with server.line() as line:
        line.ask("EXPIRE", key, "5")
        found = store.load(session.id)
        store.save(found)
        store.save(found, check=True)
        assert line.ask("TTL", key) in (4, 5)
    store.close()


def test_values_of_others(store: Any, server: Server) -> None:
    """The guide's bare values are read and saved; what cannot be read is said, and stays."""
    with server.line() as line:
        line.ask("SET", f"{PREFIX}session:abc-123", '{"user_id": 1}')
        found = store.load("abc-123")
        assert {"user_id": 1} == found.data
        store.save(found, check=True)
        assert store.load("abc-123").data == {"user_id": 1}
        line.ask("SET", f"{PREFIX}session:rubbish", b"\xff\x00k")
        line.ask("SET", f"{PREFIX}session:list", "[1]")
        line.ask("SET", f"{PREFIX}session:torn", "k1 abc")
        line.ask("RPUSH", f"{PREFIX}session:other", "a")
        for name in ("rubbish", "list", "torn", "other"):
            with pytest.raises(SessionUnreadable):
                store.load(name)
        assert line.ask("EXISTS", f"{PREFIX}session:rubbish") == 1


@pytest.mark.parametrize("name", ["", "a b", "a\r\nFLUSHALL", "*", "x" * 300, "ä", "\x00", "a/b"])
def test_impossible_ids_ask_nobody(store: Any, server: Server, name: str) -> None:
    """What cannot be an id of ours is no session, and no server is asked."""
    asked(server)
    assert store.load(name) is None
    assert asked(server) == {}


@pytest.mark.parametrize("wrong", [{"ttl": 0}, {"absolute": -1}, {"limit": -1}])
def test_impossible_lives(wrong: dict[str, int]) -> None:
    """A time that makes no sense is one sentence."""
    with pytest.raises(SettingsError):
        SessionStore(talker=BlockingTalker(Endpoint()), prefix=PREFIX, **{"ttl": 60, **wrong})


@pytest.mark.parametrize("face", ["threads"])
def test_any_user_and_any_data(face: str, debian: Server) -> None:
    """Any text is a user, an agent and a value: what goes in comes out."""
    store = made(face, emptied(debian))
    texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)

    @settings(max_examples=60, deadline=None)
    @given(texts, texts, st.dictionaries(texts, st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
        lambda inner: st.lists(inner, max_size=3), max_leaves=5), max_size=4))  # fmt: skip
    def held(user: str, agent: str, data: dict[str, Any]) -> None:
        session: Session = store.create(data, user=user, agent=agent)
        found = store.load(session.id)
        assert (user, agent, data) == (found.user, found.agent, found.data)
        if user:
            assert session.id in [row.id for row in store.list(user)]
            assert store.destroy_all(user) >= 1
            assert store.load(session.id) is None

    held()
    store.close()


@pytest.mark.parametrize("face", ["threads", "asyncio"])
def test_inside_the_process(face: str) -> None:
    """Without Redis the same operations work inside the process."""
    talker: Any = MemoryTalker() if face == "threads" else AsyncMemoryTalker()
    kind: Any = SessionStore if face == "threads" else AsyncSessionStore
    store: Any = kind(talker=talker, ttl=60, prefix=PREFIX, limit=2)
    store = store if face == "threads" else driven(store)
    test_what_is_stored_comes_back(store)
    test_a_session_that_ended_is_not_revived(store)
    test_a_lost_update_is_seen(store)
    store.destroy_all("ada")
    test_rotation(store)
    mine = [store.create({}, user="bob") for _ in range(3)]
    assert [each.id for each in mine[1:]] == [row.id for row in store.list("bob")]
    assert store.touch(mine[2]) and store.count("bob") == 2
    assert store.destroy_all("bob", keep=mine[1]) == 1
    store.close()


def test_tasks_share_their_trips(debian: Server) -> None:
    """A hundred loads at once reach the server in a few reads, over one connection."""
    import asyncio

    async def main() -> None:
        store = AsyncSessionStore(talker=MultiplexedTalker(emptied(debian)), ttl=60, prefix=PREFIX)
        session = await store.create({"n": 1})
        with debian.line() as line:
            before = _reads(line)
            found = await asyncio.gather(*(store.load(session.id) for _ in range(100)))
            assert [1] * 100 == [each["n"] for each in found if each]
            assert _reads(line) - before <= 10
            assert line.ask("CLIENT", "LIST").count("cmd=getex") == 1
        await store.aclose()

    asyncio.run(main())


def _reads(line: Any) -> int:
    text = line.ask("INFO", "stats")
    return int(text.partition("total_reads_processed:")[2].partition("\r\n")[0])
