"""What a changed setting can cost is said in numbers of the server's own."""

import pytest

from keywright_ops.facts.setting_danger import HIDDEN, danger, is_secret, shown

INFO = {
    "used_memory": str(100 * 2**20), "mem_not_counted_for_evict": str(4 * 2**20),
    "connected_clients": "7", "db0": "keys=1000,expires=400,avg_ttl=0", "db3": "keys=200,expires=0",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "new", "config", "told"),
    [
        ("maxmemory", str(48 * 2**20), {"maxmemory-policy": "allkeys-lru"}, "48.0 MiB are evicted"),
        ("maxmemory", str(48 * 2**20), {"maxmemory-policy": "allkeys-lru"}, "some 600 keys"),
        (
            "maxmemory",
            str(48 * 2**20),
            {"maxmemory-policy": "noeviction"},
            "every write is refused",
        ),
        ("maxmemory", str(97 * 2**20), {"maxmemory-policy": "allkeys-lru"}, ""),
        ("maxmemory", "0", {"maxmemory-policy": "allkeys-lru"}, ""),
        ("maxmemory-policy", "allkeys-lru", {"maxmemory": str(2**30)}, "800 keys without a time"),
        ("maxmemory-policy", "allkeys-lru", {"maxmemory": "0"}, ""),
        ("maxmemory-policy", "noeviction", {"maxmemory": str(100 * 2**20)}, "soon every write"),
        ("maxmemory-policy", "noeviction", {"maxmemory": str(2**30)}, ""),
        ("maxclients", "5", {}, "7 clients"),
        ("maxclients", "500", {}, ""),
        ("save", "", {}, "no snapshot"),
        ("save", "900 1", {}, ""),
        ("hz", "20", {}, ""),
    ],
)
def test_the_danger_of_a_value(name: str, new: str, config: dict[str, str], told: str) -> None:
    """Law: what is lost is named with its amount; what loses nothing is not asked about."""
    said = danger(name, new, INFO, config)
    assert told in said if told else said == ""


def test_secrets_are_known_by_name() -> None:
    """Law: passwords, users of a rewritten file and lines that nobody can read are never shown."""
    for name in ("requirepass", "masterauth", "tls-key-file-pass", "user", "line 12"):
        assert is_secret(name)
        assert shown(name, "hunter2") == HIDDEN
        assert shown(name, "") == ""
    assert shown("maxmemory", "1") == "1"
