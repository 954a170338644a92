"""What two samples of a server tell: rates, shares, levels. Pure: the clock's time comes with the samples."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright_ops.facts.info import parse_keyspace
from keywright_ops.facts.numbers import fraction, whole
from keywright_ops.facts.rates import parse_rates


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
    """Compare two INFO answers that lie `span` seconds apart by our clock; `now` is seconds since 1970."""
    rates = parse_rates(before, after, span)
    databases = parse_keyspace(after)
    loading = fraction(after, "loading_loaded_perc") if whole(after, "loading") else None
    return Reading(
        span=rates.seconds,
        ops=rates.commands,
        hit_ratio=rates.hit_ratio,
        used=whole(after, "used_memory"),
        peak=whole(after, "used_memory_peak"),
        rss=whole(after, "used_memory_rss"),
        maxmemory=whole(after, "maxmemory"),
        policy=after.get("maxmemory_policy", ""),
        clients=whole(after, "connected_clients"),
        blocked=whole(after, "blocked_clients"),
        maxclients=whole(after, "maxclients"),
        connects=rates.connections,
        rejected=whole(after, "rejected_connections"),
        input=rates.input,
        output=rates.output,
        keys=sum(each.keys for each in databases),
        expiring=sum(each.expires for each in databases),
        expired=rates.expired,
        evicted=rates.evicted,
        cpu=rates.cpu,
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
