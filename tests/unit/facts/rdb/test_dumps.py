"""Dumps that real servers wrote (dumps/README.md): what is read is what the server said."""

import json
import tracemalloc
from pathlib import Path

import pytest
from tests.purity import pure
from tests.unit.facts.rdb import writer as w

from keywright_ops.facts.rdb.header import read_header
from keywright_ops.facts.rdb.reader import read_rdb

PLACE = Path(__file__).parent / "dumps"
VERSIONS = {
    "redis-6.2.5": ("REDIS", 9),
    "redis-7.0.15": ("REDIS", 10),
    "redis-8.2.3": ("REDIS", 12),
    "valkey-8.0.1": ("REDIS", 11),
    "valkey-9.1.2": ("VALKEY", 80),
}


def test_all_are_here() -> None:
    """Every dump of the folder is named here and in its README, and has what its server said."""
    assert set(VERSIONS) == {path.stem for path in PLACE.glob("*.rdb")}
    assert set(VERSIONS) == {path.stem for path in PLACE.glob("*.json")}
    words = (PLACE / "README.md").read_text()
    assert all(f"`{name}.rdb`" in words for name in VERSIONS)


@pytest.mark.parametrize("name", VERSIONS)
def test_what_the_server_said(name: str) -> None:
    """Keys, types, lengths and which expire; the checksum is right; the header names the server."""
    data = (PLACE / f"{name}.rdb").read_bytes()
    expected = json.loads((PLACE / f"{name}.json").read_text())
    entries = sorted(pure(lambda: list(read_rdb(data, verify=True))))
    assert expected == [
        [
            each.database,
            each.key.decode("latin-1"),
            each.type,
            each.expire_ms is not None,
            each.length,
        ]
        for each in entries
    ]
    header = read_header(data)
    assert VERSIONS[name] == (header.magic, header.version)
    engine, version = name.split("-")
    assert version == header.fields[f"{engine}-ver"]


@pytest.mark.parametrize("name", VERSIONS)
def test_the_sizes(name: str) -> None:
    """The sizes add up to nearly the whole file: the rest are kinds, expiries and the header."""
    data = (PLACE / f"{name}.rdb").read_bytes()
    entries = list(read_rdb(data))
    rest = len(data) - sum(each.size for each in entries)
    assert 10 * len(entries) + 500 > rest > len(entries)


def test_memory_stays_small() -> None:
    """Reading keeps nothing: neither entries that were given away nor anything of the values."""
    value = w.string(b"x" * 5000)
    data = w.dump(
        "REDIS0011", b"".join(w.record(0, b"key:%d" % n, value) for n in range(4000)), False
    )
    assert len(data) > 20e6
    tracemalloc.start()
    try:
        assert 4000 == sum(1 for _ in read_rdb(data))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
