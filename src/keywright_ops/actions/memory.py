"""memory: how much is used, for what, of how much, and whether that is well."""

from collections.abc import Sequence
from typing import NamedTuple

from keywright_ops.actions.reach import Reached
from keywright_ops.actions.soft import ask_softly
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.memory import (
    Finding,
    diagnose,
    fragmentation_meaning,
    memory_by_kind,
    parse_memory_stats,
)
from keywright_ops.facts.numbers import fraction, whole
from keywright_ops.model.absence import Missing
from keywright_ops.ops.ceilings import Ceiling, find_ceilings

SENDS = ("INFO", "MEMORY STATS")
WHEN_FULL = {
    "noeviction": "when full, writes are refused",
    "allkeys": "when full, any key may be evicted",
    "volatile": "when full, keys with a TTL are evicted; without such keys writes are refused",
}


class MemoryReport(NamedTuple):
    """Bytes in use, at their peak, and resident (what the system gave the process); `maxmemory` 0 is none.

    `kinds` is what the use is made of, `findings` what MEMORY DOCTOR looks at (() below 5 MiB); both are
    Missing where MEMORY STATS may not be asked. `ceilings` are the limits from outside.
    """

    used: int
    peak: int
    resident: int
    maxmemory: int
    policy: str
    evicted: int
    fragmentation: float
    fragmentation_meaning: str
    kinds: Sequence[tuple[str, int]] | Missing
    findings: Sequence[Finding] | Missing
    ceilings: Sequence[Ceiling]
    warnings: Sequence[str]

    @property
    def when_full(self) -> str:
        """What happens at maxmemory, in words; "" for a policy that is not known."""
        return WHEN_FULL.get(self.policy.partition("-")[0], "")


def memory(reached: Reached) -> MemoryReport:
    """Ask once, and look where the server lives for its limits."""
    info = parse_info(reached.call("INFO"))
    stats = ask_softly(reached, [("MEMORY", "STATS")])[0]
    used, resident = whole(info, "used_memory"), whole(info, "used_memory_rss")
    most = whole(info, "maxmemory")
    target = reached.opened.target if reached.opened else None
    ceilings = find_ceilings(target, reached.plan, whole(info, "total_system_memory"))
    parsed = stats if isinstance(stats, Missing) else parse_memory_stats(stats)
    ratio = fraction(info, "mem_fragmentation_ratio")
    return MemoryReport(
        used,
        whole(info, "used_memory_peak"),
        resident,
        most,
        info.get("maxmemory_policy", ""),
        whole(info, "evicted_keys"),
        ratio,
        fragmentation_meaning(ratio, resident - used, used),
        parsed if isinstance(parsed, Missing) else memory_by_kind(parsed),
        parsed if isinstance(parsed, Missing) else diagnose(parsed, info),
        ceilings,
        _warnings(most, resident, ceilings),
    )


def _warnings(most: int, resident: int, ceilings: Sequence[Ceiling]) -> list[str]:
    """What ends a server from outside: a limit that it reaches before its own."""
    if not ceilings:
        return []
    least = min(ceilings, key=lambda each: each.bytes)
    found = []
    if not most and least.kind != "machine":
        found.append(f"no maxmemory: the kernel ends the server at the {least.kind}'s limit")
    if most and most >= least.bytes:
        found.append(
            f"maxmemory is not below the {least.kind}'s: the kernel ends the server before it is full"
        )
    if resident > least.bytes * 0.9:
        share = resident * 100 // least.bytes
        found.append(
            f"{share} % of the {least.kind}'s memory is taken: a snapshot may not find room"
        )
    return found
