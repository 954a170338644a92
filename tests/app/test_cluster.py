"""Sessions in a real Redis Cluster of three nodes, through redis-py."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
from tests.app import test_sessions as laws
from tests.app.faces import driven
from tests.engines.servers import ENGINES, Server, running
from tests.ports import free_port

from keywright.errors import SettingsError
from keywright.sessions import AsyncSessionStore, SessionStore

SLOTS = 16384


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Three masters that know each other and share the slots."""
    engine = next(each for each in ENGINES if each.program)
    with ExitStack() as stack:
        servers: list[Server] = []
        buses: list[int] = []
        for n in range(3):
            folder, port = tmp_path_factory.mktemp(f"node{n}"), free_port()
            buses.append(free_port())
            _configure(folder, port, buses[-1])
            servers.append(stack.enter_context(running(engine, folder, port)))
        for n, server in enumerate(servers):
            with server.line() as line:
                slots = [str(each) for each in range(SLOTS) if each * 3 // SLOTS == n]
                assert line.ask("CLUSTER", "ADDSLOTS", *slots) == "OK"
                assert line.ask("CLUSTER", "SET-CONFIG-EPOCH", str(n + 1)) == "OK"
                meet = ("127.0.0.1", str(servers[0].port), str(buses[0]))
                assert line.ask("CLUSTER", "MEET", *meet) == "OK"
        deadline = time.monotonic() + 20
        while not all(_well(server) for server in servers):
            assert time.monotonic() < deadline, "the cluster did not come to be"
            time.sleep(0.05)
        yield servers


def _configure(folder: Path, port: int, bus: int) -> None:
    (folder / "redis.conf").write_text(
        f'port {port}\nbind 127.0.0.1\nsave ""\ndir {folder}\ncluster-enabled yes\n'
        f"cluster-node-timeout 2000\ncluster-port {bus}\n"
    )


def _well(server: Server) -> bool:
    with server.line() as line:
        text = line.ask("CLUSTER", "INFO")
    return "cluster_state:ok" in text and "cluster_known_nodes:3" in text


@pytest.fixture(params=["threads", "asyncio"])
def store(request: pytest.FixtureRequest, cluster: list[Server]) -> Iterator[Any]:
    """A store of either kind over redis-py's cluster client."""
    port = cluster[0].port
    named: dict[str, Any] = {"ttl": 60, "prefix": laws.PREFIX, "cluster": True}
    if request.param == "threads":
        client = redis.RedisCluster(host="127.0.0.1", port=port)
        yield SessionStore(client=client, **named)
        client.close()
        return
    later = redis.asyncio.RedisCluster(host="127.0.0.1", port=port)
    held = driven(AsyncSessionStore(client=later, **named))
    yield held
    held.loop.run_until_complete(later.aclose())
    held.close()


def test_each_operation(store: Any) -> None:
    """What sessions do on one server they do in a cluster; a user's sessions lie in one slot."""
    store.destroy_all("ada")
    laws.test_what_is_stored_comes_back(store)
    laws.test_a_session_that_ended_is_not_revived(store)
    laws.test_a_lost_update_is_seen(store)
    store.destroy_all("ada")
    laws.test_rotation(store)
    store.destroy_all("bob")
    mine = [store.create({"n": n}, user="bob") for n in range(3)]
    assert [each.id for each in mine] == [row.id for row in store.list("bob")]
    assert store.count("bob") == 3
    assert store.destroy_all("bob", keep=mine[0]) == 2
    assert store.load(mine[0].id) is not None


def test_many_users(store: Any) -> None:
    """Users and guests spread over the nodes, and each finds what is theirs."""
    for n in range(30):
        guest = store.create({"n": n})
        store.rotate(guest, user=f"user {n}")
        assert store.load(guest.id).data == {"n": n}
        assert [guest.id] == [row.id for row in store.list(f"user {n}")]
        assert store.destroy_all(f"user {n}") == 1


def test_a_prefix_with_braces_is_refused() -> None:
    """A hash tag of the prefix would put every key into one slot."""
    with pytest.raises(SettingsError, match="no { or }"):
        SessionStore(client=object(), ttl=60, prefix="{a}:", cluster=True)
