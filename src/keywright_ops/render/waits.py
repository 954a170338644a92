"""How long a server may take to load its data at a start and to save it at a stop."""

from keywright_ops.model.plan import Plan

# Slow but real: AOF replay on a small virtual disk, and the last snapshot written to one.
LOADED_PER_SECOND = 4 * 1024 * 1024
SAVED_PER_SECOND = 16 * 1024 * 1024

# The supervisors' own defaults are kept as the floor: systemd's 90 s, a generous minute for a stop.
START_FLOOR = 90
STOP_FLOOR = 60
STOP_CEILING = 900


def start_seconds(plan: Plan) -> int | None:
    """Return the seconds a start may take; None means no limit, as `maxmemory` has none."""
    if not plan.memory.maxmemory:
        return None
    return START_FLOOR + plan.memory.maxmemory // LOADED_PER_SECOND


def stop_seconds(plan: Plan) -> int:
    """Return the seconds a stop may take before the server is killed; never without a bound."""
    if not plan.memory.maxmemory:
        return STOP_CEILING
    return min(STOP_CEILING, STOP_FLOOR + plan.memory.maxmemory // SAVED_PER_SECOND)
