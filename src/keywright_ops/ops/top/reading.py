"""What two samples of a server tell: rates, shares, levels. Pure: the clock's time comes with the samples."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright_ops.facts.numbers import fraction, whole


class Command(NamedTuple):
    """One command between two samples: calls and microseconds per second, microseconds a call."""

    name: str
    calls: float
    busy: float
    each: float


class Reading(NamedTuple):
    """The server between two samples. Sizes are bytes, times seconds, rates are per second.

    `hit_ratio` is 0 to 1, None when nothing was read in between. `cpu` is the share of one processor
    that the server used. `lag` is bytes that the slowest replica is behind. `saved_ago` is None when no
    snapshot was written since the server began.
    """

    span: float
    ops: float
    hit_ratio: float | None
    used: int
    peak: int
    rss: int
    maxmemory: int
    policy: str
    clients: int
    blocked: int
    maxclients: int
    connects: float
    rejected: int
    input: float
    output: float
    keys: int
    expiring: int
    expired: float
    evicted: float
    cpu: float
    uptime: int
    role: str
    replicas: int
    lag: int
    link: str
    saving: bool
    save_ok: bool
    unsaved: int
    saved_ago: int | None
    aof: bool
    rewriting: bool
    aof_ok: bool
    loading: float | None


def read(before: Mapping[str, str], after: Mapping[str, str], span: float, now: float) -> Reading:
    """Compare two INFO answers that lie `span` seconds apart; `now` is seconds since 1970.

    A counter that went back (the server was restarted, or CONFIG RESETSTAT) counts from nought.
    """

    def rate(field: str) -> float:
        new, old = fraction(after, field), fraction(before, field)
        return max(0.0, new - old if new >= old else new) / span if span > 0 else 0.0

    hits, misses = rate("keyspace_hits"), rate("keyspace_misses")
    keys, expiring = keyspace(after)
    loading = fraction(after, "loading_loaded_perc") if whole(after, "loading") else None
    return Reading(
        span=span,
        ops=rate("total_commands_processed"),
        hit_ratio=hits / (hits + misses) if hits + misses else None,
        used=whole(after, "used_memory"),
        peak=whole(after, "used_memory_peak"),
        rss=whole(after, "used_memory_rss"),
        maxmemory=whole(after, "maxmemory"),
        policy=after.get("maxmemory_policy", ""),
        clients=whole(after, "connected_clients"),
        blocked=whole(after, "blocked_clients"),
        maxclients=whole(after, "maxclients"),
        connects=rate("total_connections_received"),
        rejected=whole(after, "rejected_connections"),
        input=rate("total_net_input_bytes"),
        output=rate("total_net_output_bytes"),
        keys=keys,
        expiring=expiring,
        expired=rate("expired_keys"),
        evicted=rate("evicted_keys"),
        cpu=rate("used_cpu_sys") + rate("used_cpu_user"),
        uptime=whole(after, "uptime_in_seconds"),
        role=after.get("role", ""),
        replicas=whole(after, "connected_slaves"),
        lag=_lag(after),
        link=after.get("master_link_status", ""),
        saving=bool(whole(after, "rdb_bgsave_in_progress")),
        save_ok=after.get("rdb_last_bgsave_status", "ok") == "ok",
        unsaved=whole(after, "rdb_changes_since_last_save"),
        saved_ago=_saved_ago(after, now),
        aof=bool(whole(after, "aof_enabled")),
        rewriting=bool(whole(after, "aof_rewrite_in_progress")),
        aof_ok=after.get("aof_last_write_status", "ok") == "ok",
        loading=loading,
    )


def keyspace(info: Mapping[str, str]) -> tuple[int, int]:
    """Return how many keys there are over all databases, and how many of them expire."""
    keys = expiring = 0
    for name, value in info.items():
        if name.startswith("db") and name[2:].isdigit():
            fields = dict(part.partition("=")[::2] for part in value.split(","))
            keys += whole(fields, "keys")
            expiring += whole(fields, "expires")
    return keys, expiring


def commands(
    before: Mapping[str, str], after: Mapping[str, str], span: float
) -> tuple[Command, ...]:
    """Compare two answers of INFO commandstats; the busiest first, without those that were not called."""
    found = []
    for name, value in after.items():
        if not name.startswith("cmdstat_"):
            continue
        calls, busy = _command(value)
        calls_before, busy_before = _command(before.get(name, ""))
        if calls < calls_before:  # CONFIG RESETSTAT, or another process
            calls_before = busy_before = 0
        called = calls - calls_before
        if called and span > 0:
            used = busy - busy_before
            word = name.removeprefix("cmdstat_").upper().replace("|", " ")
            found.append(Command(word, called / span, used / span, used / called))
    return tuple(sorted(found, key=lambda each: -each.busy))


def _command(value: str) -> tuple[int, int]:
    fields = dict(part.partition("=")[::2] for part in value.split(","))
    return whole(fields, "calls"), whole(fields, "usec")


def _saved_ago(info: Mapping[str, str], now: float) -> int | None:
    """Seconds since the last snapshot. Before the first one the server tells its own start instead."""
    never = whole(info, "rdb_saves") == 0 if "rdb_saves" in info else True
    if never and info.get("rdb_last_bgsave_time_sec", "-1") == "-1":
        return None
    return max(0, int(now) - whole(info, "rdb_last_save_time"))


def _lag(info: Mapping[str, str]) -> int:
    """How many bytes the slowest replica has not acknowledged yet."""
    offset = whole(info, "master_repl_offset")
    behind = 0
    for name, value in info.items():
        if name.startswith("slave") and name[5:].isdigit():
            fields = dict(part.partition("=")[::2] for part in value.split(","))
            behind = max(behind, offset - whole(fields, "offset"))
    return behind
