"""MEMORY STATS, and the doctor's judgement in numbers."""

from typing import Any

from keywright_ops.facts.memory import (
    diagnose,
    fragmentation_meaning,
    memory_by_kind,
    parse_memory_stats,
)

# pasted from Redis 8.2.3
REPLY: list[Any] = [
    "peak.allocated", 946568, "total.allocated", 946512, "startup.allocated", 653968,
    "replication.backlog", 0, "replica.fullsync.buffer", 0, "clients.slaves", 0, "clients.normal",
    17280, "cluster.links", 0, "aof.buffer", 0, "lua.caches", 208, "functions.caches", 192,
    "script.VMs", 68608, "db.0", ["overhead.hashtable.main", 11160, "overhead.hashtable.expires",
    216], "overhead.db.hashtable.lut", 2048, "overhead.db.hashtable.rehashing", 0, "overhead.total",
    751632, "db.dict.rehashing.count", 0, "keys.count", 201, "keys.bytes-per-key", 969,
    "dataset.bytes", 194880, "dataset.percentage", "66.6156234741211", "peak.percentage",
    "99.99408721923828", "allocator.allocated", 1757536, "allocator.active", 1949696,
    "allocator.resident", 4792320, "allocator.muzzy", 0, "allocator-fragmentation.ratio",
    "1.0921556949615479", "allocator-fragmentation.bytes", 116128, "allocator-rss.ratio",
    "2.4579832553863525", "allocator-rss.bytes", 2842624, "rss-overhead.ratio",
    "1.8615384101867676", "rss-overhead.bytes", 4128768, "fragmentation", "10.218605995178223",
    "fragmentation.bytes", 8048064,
]  # fmt: skip


def test_by_kind() -> None:
    """The kinds are all of the memory in use, to the byte, the largest first."""
    found = dict(memory_by_kind(parse_memory_stats(REPLY)))
    assert found == {
        "empty server": 653968,
        "data": 194880,
        "scripts and functions": 69008,
        "clients": 17280,
        "key tables": 11376,
    }
    assert sum(found.values()) == 946512
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_overhead_without_a_name() -> None:
    """What a newer server counts under a name that is not known here is not lost."""
    stats = parse_memory_stats([*REPLY, "overhead.total", 751632 + 5000])
    assert dict(memory_by_kind(stats))["other"] == 5000


def sick(**numbers: object) -> list[object]:
    """The server's answer with 100 MiB in use and these numbers."""
    names = {name.replace("__", "-").replace("_", "."): each for name, each in numbers.items()}
    told = dict(zip(REPLY[::2], REPLY[1::2], strict=True))
    told |= {"total.allocated": 100 << 20, "peak.allocated": 100 << 20} | names
    return [word for pair in told.items() for word in pair]


def judged(reply: list[object], **info: str) -> list[str]:
    """The names of what the doctor would complain of."""
    return [each.name for each in diagnose(parse_memory_stats(reply), info) if each.over]


def test_the_doctor() -> None:
    """The thresholds of MEMORY DOCTOR: a ratio counts only where ten MiB stand behind it."""
    assert judged(sick()) == []
    assert diagnose(parse_memory_stats(REPLY), {}) == ()  # under 5 MiB it does not judge
    assert judged(sick(peak_allocated=151 << 20)) == ["peak"]
    assert judged(sick(fragmentation="1.5", fragmentation_bytes=11 << 20)) == ["fragmentation"]
    assert judged(sick(fragmentation="1.5", fragmentation_bytes=9 << 20)) == []
    assert judged(sick(clients_normal=41 << 20), connected_clients="200") == ["buffers a client"]
    assert judged(sick(clients_normal=41 << 20), connected_clients="500") == []
    assert judged(sick(clients_slaves=21 << 20), connected_slaves="2") == ["buffers a replica"]
    assert judged(sick(), number_of_cached_scripts="1001") == ["cached scripts"]


def test_the_meaning_of_fragmentation() -> None:
    """A ratio in words: small servers, swapped out ones, and memory in pieces."""
    mebibyte = 1 << 20
    assert "nothing" in fragmentation_meaning(10.0, 9 * mebibyte, mebibyte)
    assert "swapped" in fragmentation_meaning(0.8, -20 * mebibyte, 100 * mebibyte)
    assert "well" in fragmentation_meaning(1.05, 50 * mebibyte, 1000 * mebibyte)
    assert "usual" in fragmentation_meaning(1.3, 300 * mebibyte, 1000 * mebibyte)
    assert "pieces" in fragmentation_meaning(1.9, 900 * mebibyte, 1000 * mebibyte)


def test_the_cure_fits_the_allocator() -> None:
    """Only on jemalloc can a server gather its memory while it runs: elsewhere it is not advised."""
    reply = sick(fragmentation="1.5", fragmentation_bytes=11 << 20)
    for allocator, advised in (("jemalloc-5.3.0", True), ("libc", False)):
        (found,) = (
            each
            for each in diagnose(parse_memory_stats(reply), {"mem_allocator": allocator})
            if each.over
        )
        assert ("activedefrag" in found.meaning) is advised
        assert "restart" in found.meaning
