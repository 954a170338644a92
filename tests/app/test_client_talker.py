"""Flows through somebody's own client: redis-py and valkey-py, either face, decoded or not, a cluster."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio
from tests.app.conftest import emptied
from tests.app.faces import driven
from tests.app.test_cluster import cluster as cluster
from tests.engines.servers import Server
from tests.ports import free_port

from keywright.connecting import connect
from keywright.errors import ConnectionLost, OutcomeUnknown, ReplyError, TimedOut, Unreachable
from keywright.flows import Batch, Script, one
from keywright.talkers.client import ClientTalker
from keywright.talkers.client_async import AsyncClientTalker

Make = Callable[..., Any]
KINDS: dict[str, Any] = {
    "redis": (redis.Redis, ClientTalker),
    "redis.asyncio": (redis.asyncio.Redis, AsyncClientTalker),
    "valkey": (valkey.Valkey, ClientTalker),
    "valkey.asyncio": (valkey.asyncio.Valkey, AsyncClientTalker),
}


@pytest.fixture(params=KINDS)
def talker(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Make talkers over a client of each kind: `talker(port, decode_responses=True, …)`."""
    client_kind, talker_kind = KINDS[request.param]
    made: list[Any] = []

    def make(port: int, **named: Any) -> Any:
        held = talker_kind(client_kind(port=port, **named))
        made.append(driven(held) if talker_kind is AsyncClientTalker else held)
        return made[-1]

    yield make
    for each in made:
        each.close()


def batch(*commands: Any, repeatable: bool = True) -> Any:
    """A flow of one batch that returns its replies."""
    return (yield Batch(commands, repeatable))


@pytest.mark.parametrize("decoded", [False, True])
def test_replies_are_those_of_our_own_wire(talker: Make, debian: Server, decoded: bool) -> None:
    """Neither callbacks nor decoding nor RESP3 change what a flow is given."""
    emptied(debian)
    held = talker(debian.port, decode_responses=decoded)
    assert held.run(one("SET", "a", b"\xff\x00")) == b"OK"
    assert held.run(one("GET", "a")) == b"\xff\x00"
    assert held.run(one("GET", "none")) is None
    assert held.run(one("EXPIRE", "a", 10)) == 1
    assert held.run(one("PING")) == b"PONG"
    assert held.run(
        batch(("HSET", "h", "f", "v"), ("HGETALL", "h"), ("SADD", "s", "m"), ("SMEMBERS", "s"))
    ) == [1, [b"f", b"v"], 1, [b"m"]]
    assert held.run(
        batch(("ZADD", "z", 1.5, "x", 2, "y"), ("ZSCORE", "z", "x"), ("ZRANGE", "z", 0, -1, "WITHSCORES"))
    ) == [2, b"1.5", [b"x", b"1.5", b"y", b"2"]]  # fmt: skip


def test_errors_are_values_with_their_codes(talker: Make, debian: Server) -> None:
    """What the server refuses stands in its place, and the others are carried out."""
    emptied(debian)
    held = talker(debian.port)
    said = held.run(batch(("SET", "a", "x"), ("INCR", "a"), ("LPUSH", "a", 1), ("GET", "a")))
    assert [said[0], said[3]] == [b"OK", b"x"]
    assert [each.code for each in said[1:3]] == ["ERR", "WRONGTYPE"]
    script = Script("tests", "return redis.call('GET', KEYS[1])", lambda *_: None)
    held.run(one("SCRIPT", "FLUSH"))
    assert held.run(script.run(("a",), ())) == b"x"
    with pytest.raises(ReplyError) as refused:
        held.run(one("EVALSHA", "0" * 40, 0))
    assert refused.value.code == "NOSCRIPT"


def test_a_transaction_stays_on_one_connection(talker: Make, debian: Server) -> None:
    """MULTI to EXEC is one write on one connection, with its replies as they are."""
    emptied(debian)
    held = talker(debian.port)
    said = held.run(batch(("MULTI",), ("SET", "a", 1), ("HGETALL", "h"), ("EXEC",)))
    assert said == [b"OK", b"QUEUED", b"QUEUED", [b"OK", []]]
    said = held.run(batch(("MULTI",), ("SET", "a"), ("EXEC",)))
    assert [said[1].code, said[2].code] == ["ERR", "EXECABORT"]


def test_a_connection_that_was_killed(talker: Make, debian: Server) -> None:
    """What may be repeated is sent again; what may not says that its outcome is not known."""
    emptied(debian)
    held = talker(debian.port, socket_timeout=2)
    assert held.run(one("SET", "a", 1)) == b"OK"
    kill = ("EVAL", "redis.call('SET', KEYS[1], ARGV[1]) return 1", 1, "a", 2)
    assert held.run(one(*kill)) == 1
    with debian.line() as line:
        assert line.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") >= 1
    assert held.run(one("GET", "a")) == b"2"


def test_silence(talker: Make, debian: Server) -> None:
    """A server that does not answer in time: nothing is sent again."""
    emptied(debian)
    held = talker(debian.port, socket_timeout=0.2)
    held.run(one("SET", "n", 0))
    with debian.line() as line:
        line.ask("CLIENT", "PAUSE", "600", "ALL")
    with pytest.raises(TimedOut):
        held.run(one("INCR", "n"))
    with debian.line() as line:
        line.ask("CLIENT", "UNPAUSE")
    held.run(one("PING"))
    with debian.line() as line:
        line.ask("CLIENT", "PAUSE", "600", "ALL")
    with pytest.raises(OutcomeUnknown, match="not known"):
        held.run(one("INCR", "n", repeatable=False))
    with debian.line() as line:
        line.ask("CLIENT", "UNPAUSE")


def test_nobody_there(talker: Make) -> None:
    """A client of a server that is not there raises Unreachable, and a sentence."""
    held = talker(free_port(), socket_connect_timeout=1)
    with pytest.raises(Unreachable, match="nobody listens on") as caught:
        held.run(one("GET", "a", repeatable=False))
    assert not isinstance(caught.value, ConnectionLost)


def test_a_client_of_connect(debian: Server) -> None:
    """What `connect()` returns is such a client; closing the talker leaves it open."""
    emptied(debian)
    with connect(f"redis://127.0.0.1:{debian.port}/0", decode_responses=True) as client:
        held = ClientTalker(client)
        assert held.run(one("SET", "a", 1)) == b"OK"
        held.close()
        assert client.get("a") == "1"


def test_a_cancelled_task_shifts_no_reply(debian: Server) -> None:
    """A task that is cancelled takes its connection with it."""
    emptied(debian)

    async def story() -> list[Any]:
        client = redis.asyncio.Redis(port=debian.port)
        held = AsyncClientTalker(client)
        await held.run(one("MSET", "a", 1, "b", 2))
        for _ in range(20):
            task = asyncio.create_task(held.run(one("GET", "a")))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert await held.run(one("GET", "b")) == b"2"
        await client.aclose()
        return []

    assert asyncio.run(story()) == []


# --- a cluster ----------------------------------------------------------------------------------------


@pytest.fixture(params=["redis", "redis.asyncio", "valkey", "valkey.asyncio"])
def spread(request: pytest.FixtureRequest, cluster: list[Server]) -> Iterator[Any]:
    """A talker over a cluster client of each kind."""
    port = cluster[0].port
    if request.param == "redis":
        yield ClientTalker(redis.RedisCluster(host="127.0.0.1", port=port))
    elif request.param == "valkey":
        yield ClientTalker(valkey.ValkeyCluster(host="127.0.0.1", port=port))
    else:
        kind: Any = redis.asyncio.RedisCluster
        if request.param == "valkey.asyncio":
            kind = valkey.asyncio.ValkeyCluster
        client = kind(host="127.0.0.1", port=port)
        held = driven(AsyncClientTalker(client))
        yield held
        held.loop.run_until_complete(client.aclose())
        held.close()


def test_a_batch_is_cut_by_node(spread: Any) -> None:
    """Replies come in the batch's order, whichever nodes they are from."""
    keys = [f"k{n}" for n in range(40)]
    assert spread.run(batch(*(("SET", key, key) for key in keys))) == [b"OK"] * 40
    assert spread.run(batch(*(("GET", key) for key in keys))) == [key.encode() for key in keys]
    said = spread.run(batch(("MULTI",), ("SET", "{a}1", 1), ("INCR", "{a}1"), ("EXEC",)))
    assert said == [b"OK", b"QUEUED", b"QUEUED", [b"OK", 2]]
    script = "return redis.call('GET', KEYS[1])"
    assert spread.run(one("EVAL", script, 1, "k7")) == b"k7"
    assert spread.run(one("PING")) == b"PONG"


def test_a_slot_that_moves(spread: Any, cluster: list[Server]) -> None:
    """ASK is followed while a slot moves, MOVED when it has."""
    key = "moving"
    spread.run(one("DEL", key))
    with cluster[0].line() as line:
        slot = str(line.ask("CLUSTER", "KEYSLOT", key))
    ids, owner = [], 0
    for n, server in enumerate(cluster):
        with server.line() as line:
            ids.append(line.ask("CLUSTER", "MYID"))
            if not str(line.ask("GET", key)).startswith("MOVED"):
                owner = n
    other = (owner + 1) % 3
    with cluster[owner].line() as old, cluster[other].line() as new:
        assert new.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[owner]) == "OK"
        assert old.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[other]) == "OK"
        assert spread.run(one("SET", key, "1")) == b"OK"  # on its way: the old node says ASK
        for each in (new, old):
            assert each.ask("CLUSTER", "SETSLOT", slot, "NODE", ids[other]) == "OK"
    assert spread.run(batch(("GET", key), ("GET", "k1"))) is not None
    assert spread.run(one("GET", key)) == b"1"
