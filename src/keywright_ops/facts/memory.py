"""Reads MEMORY STATS, and judges memory by the numbers of the server's own MEMORY DOCTOR.

The thresholds are those of getMemoryDoctorReport in Redis' and Valkey's object.c.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keywright_ops.facts.numbers import fraction

MEBIBYTE = 1 << 20
SMALL = 5 * MEBIBYTE  # below that much in use the server's doctor does not judge
ACCOUNT = 10 * MEBIBYTE  # a ratio over fewer bytes is of no account


class MemoryStats(NamedTuple):
    """MEMORY STATS as one mapping: `numbers` by the server's names, those of a database as db.0/NAME."""

    numbers: Mapping[str, float]

    def get(self, *names: str) -> int:
        """Return the sum of these numbers; 0 for one that this server does not tell."""
        return int(sum(self.numbers.get(name, 0) for name in names))


class Finding(NamedTuple):
    """One thing that the doctor looks at: what was read, from where on it is a fault, and what that means.

    `unit` is "ratio", "bytes" or "count". `over` says that it is one: the doctor would name it.
    """

    name: str
    value: float
    limit: float
    unit: str
    over: bool
    meaning: str


def parse_memory_stats(reply: Sequence[Any]) -> MemoryStats:
    """Read the flat reply (name, value, …); a value that is no number is left out."""
    numbers: dict[str, float] = {}
    for name, value in zip(reply[::2], reply[1::2], strict=False):
        if isinstance(value, list):
            inner = parse_memory_stats(value).numbers
            numbers |= {f"{name}/{each}": amount for each, amount in inner.items()}
            continue
        try:
            numbers[str(name)] = float(value)
        except (TypeError, ValueError):
            continue
    return MemoryStats(numbers)


KINDS = (
    ("replicas", ("clients.slaves", "replicas.repl.buffer", "replica.fullsync.buffer")),
    ("replication backlog", ("replication.backlog",)),
    ("clients", ("clients.normal",)),
    ("cluster", ("cluster.links", "cluster.slot_import", "cluster.slot_export")),
    ("aof buffer", ("aof.buffer",)),
    ("scripts and functions", ("lua.caches", "functions.caches", "script.VMs")),
    ("empty server", ("startup.allocated",)),
)


def memory_by_kind(stats: MemoryStats) -> tuple[tuple[str, int], ...]:
    """Return what the memory in use is used for, in bytes: all of it, the largest first.

    What is overhead and has no name of its own in this version stands as "other".
    """
    tables = [n for n in stats.numbers if n.startswith("db.") and "/overhead.hashtable" in n]
    known = [(kind, stats.get(*names)) for kind, names in KINDS]
    known.append(("key tables", stats.get(*tables)))
    rest = stats.get("overhead.total") - sum(amount for _, amount in known)
    known += [("data", stats.get("dataset.bytes")), ("other", max(rest, 0))]
    return tuple(sorted((each for each in known if each[1]), key=lambda each: -each[1]))


def fragmentation_meaning(ratio: float, waste: int, used: int) -> str:
    """Say what a fragmentation ratio (resident / used) means; `waste` is resident minus used, in bytes."""
    if used < SMALL:
        return "says nothing while so little is used: the program itself weighs more"
    if ratio < 1:
        return "less is in memory than is used: the rest was swapped out, which is slow"
    if waste < ACCOUNT or ratio < 1.1:
        return "well: hardly more is taken from the system than is used"
    if ratio < 1.4:
        return "usual: some of what was freed has not gone back to the system"
    return "much is taken that is not used: keys were freed, and their memory is in pieces"


def diagnose(stats: MemoryStats, info: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return what MEMORY DOCTOR looks at, in numbers; () where it does not judge: so little is used."""
    if stats.get("total.allocated") < SMALL:
        return ()
    used, peak = stats.get("total.allocated"), stats.get("peak.allocated")
    replicas = fraction(info, "connected_slaves")
    clients = max(1.0, fraction(info, "connected_clients") - replicas)
    scripts = fraction(info, "number_of_cached_scripts")
    findings = [_ratio("peak", peak / used, 1.5, peak - used, PEAK)]
    # only a server on jemalloc gathers memory in pieces while it runs
    able = info.get("mem_allocator", "jemalloc").startswith("jemalloc")
    findings += [
        _ratio(
            name,
            stats.numbers.get(ratio, 0),
            limit,
            stats.get(waste),
            cure if able else other,
            ACCOUNT,
        )
        for name, ratio, waste, limit, cure, other in RATIOS
    ]
    for name, amount, each, limit, meaning in (
        ("buffers a replica", stats.get("clients.slaves"), replicas, ACCOUNT, REPLICAS),
        ("buffers a client", stats.get("clients.normal"), clients, 200 * 1024, CLIENTS),
    ):
        value = amount / each if each else 0.0
        findings.append(Finding(name, value, limit, "bytes", value > limit, meaning))
    findings.append(Finding("cached scripts", scripts, 1000, "count", scripts > 1000, SCRIPTS))
    return tuple(findings)


PEAK = "it once used more, and what was freed may not have gone back"
REPLICAS = "they do not read as fast as is written here, or the line is slow"
CLIENTS = "some ask for much and do not read it: keywright clients --sort memory"
SCRIPTS = "scripts with values in their text: pass the values as arguments"
OTHERS = "taken by other than data: modules, Lua, the program"
GIVES_BACK = "memory in pieces: a restart gives it back"
RATIOS = (
    ("fragmentation", "fragmentation", "fragmentation.bytes", 1.4,
     f"{GIVES_BACK}, or activedefrag yes", GIVES_BACK),
    ("allocator's pieces", "allocator-fragmentation.ratio", "allocator-fragmentation.bytes", 1.1,
     "freed places that fit nothing: activedefrag yes gathers them", GIVES_BACK),
    ("allocator's reserve", "allocator-rss.ratio", "allocator-rss.bytes", 1.1,
     "the allocator keeps freed pages: MEMORY PURGE gives them back", GIVES_BACK),
    ("beyond the allocator", "rss-overhead.ratio", "rss-overhead.bytes", 1.1,
     OTHERS, OTHERS),
)  # fmt: skip


def _ratio(
    name: str, value: float, limit: float, waste: int, meaning: str, account: int = 0
) -> Finding:
    return Finding(name, value, limit, "ratio", value > limit and waste > account, meaning)
