"""redis-py clients, made from the application's settings: bounded, timed, named, and checked once.

What is returned is redis-py's own, so everything that people know about it keeps working. What it
does not do by default is done here: time-outs, a bounded pool that waits, keepalive, a health check
of idle connections, few retries with jitter, and one PING whose failure says what to do.
"""

from typing import TYPE_CHECKING, Any, NoReturn, cast

from keywright.errors import ReplyError, Unreachable
from keywright.explain import explained
from keywright.parameters import FIRST_WAIT, LONGEST_WAIT, TRIES, Target, target_of
from keywright.secret import Secret
from keywright.settings import Settings
from keywright.surroundings import in_container

if TYPE_CHECKING:
    import redis
    import redis.asyncio

FIRST_WORDS = (("PING",), ("HELLO",))  # does it serve, and what is it?


def connect(
    source: Settings | str | Secret | None = None, /, *, check: bool = True, **overrides: Any
) -> "redis.Redis":
    """Return a redis-py client for `source`: Settings, a URL, or None for the environment.

    Keyword arguments are redis-py's and win: host, port, db, username, password, ssl,
    ssl_ca_certs, ssl_certfile, ssl_keyfile, ssl_cert_reqs, ssl_check_hostname, unix_socket_path,
    socket_timeout, socket_connect_timeout (seconds), max_connections, credential_provider (redis-py's
    or a source of keywright.credentials), client_name, decode_responses (False unless given), retry …
    `cluster=True` gives a RedisCluster; `sentinels=[(host, port), …]` with `service_name` a client
    of the master, as a redis+sentinel:// URL does (min_other_sentinels, sentinel_kwargs,
    check_connection; the role is verified at every connect).

    With `check` the first connection is made and asked PING and HELLO (one round trip, plus the
    login's; a node of a cluster is asked CLUSTER INFO as well); a failure raises Unreachable,
    TimedOut, ConnectionLost, ProtocolError or ReplyError, each with a hint. Without it nothing is
    sent yet (a cluster's nodes are asked for in any case). Raises SettingsError for wrong settings,
    CachingDisabled when ENABLE_REDIS_CACHING is false.
    """
    import redis

    target = target_of(source, overrides)
    client: Any = None
    try:
        client = _client(target)
        if check:
            _ask(client, target)
    except (redis.RedisError, redis.RedisClusterException, OSError, ReplyError) as error:
        if client is not None:
            client.close()
        _fail(error, target)
    return cast("redis.Redis", client)


async def connect_async(
    source: Settings | str | Secret | None = None, /, *, check: bool = True, **overrides: Any
) -> "redis.asyncio.Redis":
    """Return a redis.asyncio client; arguments, errors and cost are `connect`'s.

    It belongs to the event loop that it is used in first.
    """
    import redis

    target = target_of(source, overrides)
    client: Any = None
    try:
        client = _async_client(target)
        if check:
            await _ask_async(client, target)
    except (redis.RedisError, redis.RedisClusterException, OSError, ReplyError) as error:
        if client is not None:
            await client.aclose()
        _fail(error, target)
    return cast("redis.asyncio.Redis", client)


def _fail(error: Exception, target: Target) -> NoReturn:
    raise explained(error, target.endpoint, in_container=in_container()) from None


# --- making ---------------------------------------------------------------------------------------


def _words(target: Target, retry: Any) -> dict[str, Any]:
    """The keywords of a connection, with few retries of a lost one; `retry` is redis-py's class."""
    from redis.backoff import ExponentialWithJitterBackoff
    from redis.exceptions import BusyLoadingError
    from redis.exceptions import ConnectionError as Lost

    words = dict(target.keywords)
    if "retry" not in words:
        wait = ExponentialWithJitterBackoff(base=FIRST_WAIT, cap=LONGEST_WAIT)
        words["retry"] = retry(wait, TRIES, supported_errors=(Lost,))
    if target.kind != "cluster":
        words.setdefault("retry_on_error", [BusyLoadingError])
    return words


def _pool(pool: Any, kinds: dict[str, Any], target: Target, words: dict[str, Any]) -> Any:
    """A bounded pool whose connections are waited for as long as an answer is."""
    return pool(
        max_connections=target.connections,
        timeout=target.endpoint.timeout or None,
        connection_class=kinds[target.kind],
        **words,
    )


def _client(target: Target) -> Any:
    from redis import BlockingConnectionPool, Redis, RedisCluster
    from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
    from redis.retry import Retry
    from redis.sentinel import Sentinel

    words = _words(target, Retry)
    if target.kind == "cluster":
        return RedisCluster(max_connections=target.connections, **words)
    if target.kind == "sentinel":
        return _master(Sentinel, _only_master, target, words)
    kinds = {"tcp": Connection, "tls": SSLConnection, "unix": UnixDomainSocketConnection}
    return Redis.from_pool(_pool(BlockingConnectionPool, kinds, target, words))


def _async_client(target: Target) -> Any:
    from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
    from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel

    words = _words(target, Retry)
    if target.kind == "cluster":
        return RedisCluster(max_connections=target.connections, **words)
    if target.kind == "sentinel":
        return _master(Sentinel, _only_master_async, target, words)
    kinds = {"tcp": Connection, "tls": SSLConnection, "unix": UnixDomainSocketConnection}
    return Redis.from_pool(_pool(BlockingConnectionPool, kinds, target, words))


def _master(sentinel: Any, only_master: Any, target: Target, words: dict[str, Any]) -> Any:
    """A client of the master that the sentinels name, whose role is looked at on each connection."""
    asked = dict(target.sentinels)
    name, check = asked.pop("service_name"), asked.pop("check_connection")
    del words["host"], words["port"]
    words.setdefault("redis_connect_func", only_master)
    manager = sentinel(asked.pop("sentinels"), **asked)
    return manager.master_for(
        name, check_connection=check, max_connections=target.connections, **words
    )


def _only_master(connection: Any) -> None:
    """Log in, and refuse a server that is a replica: a sentinel that was cut off may name one.

    HELLO tells the role to every user (ROLE does not: it counts as dangerous).
    """
    connection.on_connect()
    connection.send_command("HELLO", check_health=False)
    _expect_master(connection.read_response())


async def _only_master_async(connection: Any) -> None:
    await connection.on_connect()
    await connection.send_command("HELLO", check_health=False)
    _expect_master(await connection.read_response())


def _expect_master(facts: Any) -> None:
    from redis.exceptions import ConnectionError as Lost

    role = hello(facts).get("role", "master")
    if role != "master":
        raise Lost(f"the sentinels named a server that is a {role}")


def hello(facts: Any) -> dict[str, Any]:
    """What HELLO said, as a dict of str (RESP2 says it as a list of name, value, name, value …)."""
    if isinstance(facts, list):
        facts = dict(zip(facts[::2], facts[1::2], strict=True))
    return {_text(name): _text(value) for name, value in facts.items()}


def _text(word: Any) -> Any:
    return word.decode() if isinstance(word, bytes) else word


# --- asking once ------------------------------------------------------------------------------------


def _ask(client: Any, target: Target) -> None:
    """One round trip. A cluster's nodes were asked when the client was made."""
    if target.kind == "cluster":
        client.ping()
        return
    pool = client.connection_pool
    connection = pool.get_connection()
    try:
        connection.send_packed_command(connection.pack_commands(FIRST_WORDS), check_health=False)
        connection.read_response()
        if _node_of_cluster(_facts(connection.read_response)):
            connection.send_command("CLUSTER", "INFO", check_health=False)
            _expect_whole(connection.read_response())
    finally:
        pool.release(connection)


async def _ask_async(client: Any, target: Target) -> None:
    from redis.exceptions import ResponseError

    if target.kind == "cluster":
        await client.initialize()
        await client.ping()
        return
    pool = client.connection_pool
    connection = await pool.get_connection()
    try:
        packed = connection.pack_commands(FIRST_WORDS)
        await connection.send_packed_command(packed, check_health=False)
        await connection.read_response()
        try:
            facts = await connection.read_response()
        except ResponseError:  # a proxy that does not know it
            facts = {}
        if _node_of_cluster(facts):
            await connection.send_command("CLUSTER", "INFO", check_health=False)
            _expect_whole(await connection.read_response())
    finally:
        await pool.release(connection)


def _facts(read: Any) -> Any:
    """What HELLO said; {} of a proxy that does not know it."""
    from redis.exceptions import ResponseError

    try:
        return read()
    except ResponseError:
        return {}


def _node_of_cluster(facts: Any) -> bool:
    """Whether the server is a cluster's node. Raises Unreachable when it is a sentinel."""
    mode = hello(facts).get("mode")
    if mode == "sentinel":
        raise Unreachable(
            "the server is a sentinel, which keeps no data",
            "write redis+sentinel://host:26379/name-of-the-master, or name the server's own port",
        )
    return bool(mode == "cluster")


def _expect_whole(said: Any) -> None:
    """Refuse a node of several, which would answer MOVED to most keys."""
    size = str(_text(said)).partition("cluster_size:")[2].split("\r", 1)[0]
    if size.isdigit() and int(size) > 1:
        raise ReplyError(f"MOVED the server is one of {size} that share the keys")
