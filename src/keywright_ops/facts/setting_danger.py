"""What changing one setting on a running server can cost, from what that server says of itself.

Values are canonical (facts/canonical.py). "" is no danger worth a question.
"""

from collections.abc import Mapping

from keywright_ops.facts.info import parse_keyspace
from keywright_ops.facts.masking import SETTINGS

HIDDEN = "(hidden)"
LOCKS_OUT = "who connects by it now may not come back, and neither may Keywright"


def is_secret(name: str) -> bool:
    """Whether a setting's value is never shown; so is a line of redis.conf that cannot be read."""
    return name in SETTINGS or name == "user" or name.startswith("line ")


def shown(name: str, value: str) -> str:
    """Return the value as it may be shown."""
    return HIDDEN if value and is_secret(name) else value


def danger(name: str, new: str, info: Mapping[str, str], config: Mapping[str, str]) -> str:
    """Say what can be lost when the setting becomes `new`; "" when nothing can.

    `info` is the server's INFO, `config` its settings by canonical name.
    """
    if name == "maxmemory":
        return _maxmemory(new, info, config.get("maxmemory-policy", "noeviction"))
    if name == "maxmemory-policy":
        return _policy(new, info, config.get("maxmemory", "0"))
    if name == "maxclients":
        connected = int(info.get("connected_clients", "0"))
        return f"{connected} clients are connected" if _number(new) < connected else ""
    if (name, new) in OF_VALUE:
        return OF_VALUE[name, new]
    return OF_NAME.get(name, "")


OF_VALUE = {
    ("appendonly", "no"): "writes are kept in the append-only file no more: a crash loses what no"
    " snapshot holds",
    ("appendonly", "yes"): "until redis.conf says so too, a restart begins without what is in"
    " memory; and the whole file is written now",
    (
        "save",
        "",
    ): "no snapshot is taken any more: without an append-only file a restart loses everything",
    ("protected-mode", "no"): "a server without a password then answers everybody who can reach it",
    ("appendfsync", "no"): "after a power cut the writes of up to half a minute are gone",
    ("stop-writes-on-bgsave-error", "no"): "writes go on while snapshots fail, and nobody is told",
    ("replica-read-only", "no"): "writes to a replica are lost at the next synchronisation",
}
OF_NAME = {
    "bind": LOCKS_OUT,
    "port": LOCKS_OUT,
    "tls-port": LOCKS_OUT,
    "tls-auth-clients": LOCKS_OUT,
    "tls-cert-file": LOCKS_OUT,
    "tls-key-file": LOCKS_OUT,
    "tls-ca-cert-file": "clients whose certificate another authority signed are refused",
    "dir": "snapshots go elsewhere, and a restart does not find the data",
    "dbfilename": "a restart does not find the data",
    "timeout": "idle connections are closed, also those of an application's pool",
    "min-replicas-to-write": "without so many replicas every write is refused",
}


def _maxmemory(new: str, info: Mapping[str, str], policy: str) -> str:
    """Below what is used, keys go, or writes are refused."""
    limit, used = _number(new), _evictable(info)
    if not limit or used <= limit:
        return ""
    if policy == "noeviction":
        return f"{_mib(used)} are used: every write is refused (OOM) until {_mib(used - limit)} are freed"
    share = (used - limit) / used
    kinds = "keys" if policy.startswith("allkeys") else "keys with a time to live"
    count = round(share * sum(each.keys for each in parse_keyspace(info)))
    return f"{_mib(used)} are used: {_mib(used - limit)} are evicted at once, some {count} {kinds}"


def _policy(new: str, info: Mapping[str, str], maxmemory: str) -> str:
    """Another policy matters as soon as the memory is full, or soon will be."""
    limit, used = _number(maxmemory), _evictable(info)
    if not limit or new not in EVICTS:
        return ""
    keys, expiring = (
        sum(each.keys for each in parse_keyspace(info)),
        sum(each.expires for each in parse_keyspace(info)),
    )
    if new == "noeviction":
        full = used > limit * 0.9
        return (
            f"{_mib(used)} of {_mib(limit)} are used: soon every write is refused" if full else ""
        )
    if new.startswith("volatile"):
        nothing = keys and not expiring and used > limit * 0.5
        return (
            "no key has a time to live: nothing could be evicted, writes are refused"
            if nothing
            else ""
        )
    lasting = keys - expiring
    return f"{lasting} keys without a time to live may then be evicted too" if lasting else ""


EVICTS = frozenset(
    "noeviction allkeys-lru allkeys-lfu allkeys-random allkeys-lrm volatile-lru volatile-lfu"
    " volatile-random volatile-ttl volatile-lrm".split()
)


def _evictable(info: Mapping[str, str]) -> int:
    """What counts against maxmemory: not the buffers of replicas and of the append-only file."""
    return max(
        0, int(info.get("used_memory", "0")) - int(info.get("mem_not_counted_for_evict", "0"))
    )


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _mib(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"
