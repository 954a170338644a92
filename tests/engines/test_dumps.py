"""Dumps of the real servers, read key by key, say what the servers themselves say."""

import mmap
import random

import pytest
from tests.engines.dumped import Answer, asked, fill, save
from tests.engines.servers import Server

from keywright_ops.facts.rdb.header import read_header
from keywright_ops.facts.rdb.reader import Entry, read_rdb

CLOCKS = 2000  # ms between the server's clock at PTTL and at TIME, on a busy machine


def read(path) -> list[Entry]:
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


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("compressed", ["yes", "no"])
def test_a_dump_says_what_its_server_says(open_server: Server, seed: int, compressed: str) -> None:
    """Types, expiries and lengths of every type and encoding are the server's own."""
    with open_server.line() as line:
        line.ask("CONFIG", "SET", "rdbcompression", compressed)
    fill(open_server, random.Random(seed), 240)
    path = save(open_server)
    same(asked(open_server), read(path))
    header = read_header(path.read_bytes())
    with open_server.line() as line:
        info = line.ask("INFO", "server")
    named = header.fields.get("valkey-ver") or header.fields["redis-ver"]
    assert f"version:{named}\r\n" in info
