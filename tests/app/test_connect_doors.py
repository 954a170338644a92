"""`connect()` through TLS, sentinels and a cluster, on real servers."""

import asyncio
import time
from typing import Any

import pytest
import redis
import redis.asyncio
from tests.app.clients import Knock
from tests.app.clients import knock as knock
from tests.app.test_cluster import cluster as cluster
from tests.app.test_doors import Encrypted, Watched
from tests.app.test_doors import encrypted as encrypted
from tests.app.test_doors import watched as watched
from tests.engines.servers import Server

from keywright.connecting import _only_master, _only_master_async
from keywright.errors import KeywrightError, ProtocolError, ReplyError, Unreachable


def url_of(encrypted: Encrypted, host: str = "localhost", scheme: str = "rediss") -> str:
    """The server's URL by one of its names."""
    return f"{scheme}://{host}:{encrypted.server.port}/0"


def shown(encrypted: Encrypted, **named: Any) -> dict[str, Any]:
    """The arguments for its authority and our certificate."""
    files = encrypted.folder
    return {
        "ssl_ca_certs": f"{files}/ca.crt", "ssl_certfile": f"{files}/client.crt",
        "ssl_keyfile": f"{files}/client.key", **named,
    }  # fmt: skip


def test_tls(knock: Knock, encrypted: Encrypted) -> None:
    """Both sides show a certificate; a name that does not fit may be waived, and the check too."""
    assert knock(url_of(encrypted), **shown(encrypted)).ping() is True
    loose = shown(encrypted, ssl_check_hostname=False)
    assert knock(url_of(encrypted, "127.0.0.1"), **loose).ping() is True
    never = shown(encrypted, ssl_cert_reqs="none", ssl_ca_certs=None, ssl_check_hostname=False)
    assert knock(url_of(encrypted, "127.0.0.1"), **never).ping() is True
    assert knock(url_of(encrypted, scheme="redis"), ssl=True, **shown(encrypted)).ping() is True


def refused(knock: Knock, kind: type[KeywrightError], *words: Any, **named: Any) -> KeywrightError:
    """What knocking raises."""
    with pytest.raises(kind) as caught:
        knock(*words, **named)
    return caught.value


def test_tls_refusals(knock: Knock, encrypted: Encrypted) -> None:
    """Each certificate that is not right is said in its own sentence, with what to do."""
    error = refused(knock, Unreachable, url_of(encrypted), **shown(encrypted, ssl_ca_certs=None))
    assert "signed by an authority that is not known here" in str(error)
    assert "REDIS_SSL_CA_CERTS" in error.hint
    error = refused(knock, Unreachable, url_of(encrypted, "127.0.0.1"), **shown(encrypted))
    assert "made for another name than 127.0.0.1" in str(error)
    without = {"ssl_ca_certs": f"{encrypted.folder}/ca.crt"}
    error = refused(knock, KeywrightError, url_of(encrypted), **without)
    assert "client certificate" in f"{error} {error.hint}"
    error = refused(knock, Unreachable, url_of(encrypted, scheme="redis"))
    assert "does the port expect TLS?" in error.hint


def test_tls_on_a_plain_port(knock: Knock, debian: Server) -> None:
    """A server that waits for the rest of what it takes for a command never shakes hands."""
    url = f"rediss://127.0.0.1:{debian.port}/0"
    error = refused(knock, KeywrightError, url, socket_connect_timeout=0.3, socket_timeout=0.3)
    assert isinstance(error, Unreachable | ProtocolError)
    assert "TLS" in error.hint


def sentinel_url(watched: Watched, name: str = "main") -> str:
    """The URL of the watched pair."""
    sentinels = watched.endpoint.sentinels
    assert sentinels is not None
    hosts = ",".join(f"{host}:{port}" for host, port in sentinels.nodes)
    return f"redis+sentinel://{hosts}/{name}/0"


def test_sentinels(knock: Knock, watched: Watched) -> None:
    """The master is found, named by URL or by arguments; another name is said."""
    sentinels = watched.endpoint.sentinels
    assert sentinels is not None
    held = knock(sentinel_url(watched), decode_responses=True)
    assert held.set("a", "1") is True
    other = knock(sentinels=list(sentinels.nodes), service_name="main", min_other_sentinels=2)
    assert other.get("a") == b"1"
    error = refused(knock, Unreachable, sentinel_url(watched, "other"))
    assert "no sentinel names a master of other" in str(error)
    error = refused(knock, Unreachable, sentinel_url(watched), min_other_sentinels=3)
    assert "no sentinel names a master of main" in str(error)
    host, port = sentinels.nodes[0]
    error = refused(knock, Unreachable, f"redis://{host}:{port}/0")
    assert "is a sentinel" in str(error)


def test_failover(knock: Knock, watched: Watched) -> None:
    """The master is killed: the same client finds the new one, and never the old one."""
    held = knock(sentinel_url(watched), decode_responses=True, socket_timeout=1)
    assert held.set("a", "1") is True
    held.wait(1, 1000)
    master = int(held.config_get("port")["port"])
    watched.servers[master].process.kill()
    deadline = time.monotonic() + 20
    while True:
        try:
            assert held.set("b", "2") is True
            break
        except redis.RedisError:
            assert time.monotonic() < deadline, "no new master was found"
            time.sleep(0.1)
    assert held.get("a") == "1"
    assert int(held.config_get("port")["port"]) != master


def test_a_replica_is_no_master(watched: Watched) -> None:
    """Whoever the sentinels name is believed only when it says of itself that it is the master."""
    roles = {}
    for port in watched.servers:
        client = redis.Redis(port=port, redis_connect_func=_only_master)
        later = redis.asyncio.Redis(port=port, redis_connect_func=_only_master_async)
        try:
            roles[port] = asyncio.run(_asked(later)) and client.ping()
        except redis.exceptions.ConnectionError as error:
            roles[port] = str(error)
        client.close()
    words = "the sentinels named a server that is a replica"
    assert sorted(map(str, roles.values())) == ["True", words]


async def _asked(client: Any) -> Any:
    try:
        return await client.ping()
    finally:
        await client.aclose()


def test_a_cluster(knock: Knock, cluster: list[Server]) -> None:
    """`cluster=True` finds all nodes from one; without it one node of several is refused."""
    url = f"redis://127.0.0.1:{cluster[0].port}/0"
    held = knock(url, cluster=True)
    for n in range(20):
        assert held.set(f"key {n}", n) is True
    assert [held.get(f"key {n}") for n in range(20)] == [str(n).encode() for n in range(20)]
    error = refused(knock, ReplyError, url)
    assert error.code == "MOVED"
    assert "cluster=True" in error.hint


def test_no_cluster(knock: Knock, debian: Server) -> None:
    """A server without cluster mode is said to be one."""
    error = refused(knock, Unreachable, f"redis://127.0.0.1:{debian.port}/0", cluster=True)
    assert "is no cluster" in str(error)
