"""Steps that stop and start a server, and the canary that proves what survives it."""

from keywright_ops.model.facts import Process
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import (
    ADMIN,
    Answers,
    Control,
    Danger,
    NothingRuns,
    ProcessGone,
    RedisCommand,
    Signal,
    Step,
    Until,
)

CANARY_TTL = 120  # seconds: long enough for a slow restart, short enough to be gone by itself


def start(title: str = "start the server") -> Step:
    """Start the server and wait until it has loaded its data and knows its administrator.

    Loading 100 GB takes minutes, so the limit is generous; a server that has ended is not waited for.
    """
    return Step(
        id="start",
        title=title,
        do=Control("start"),
        expect=(NothingRuns(),),
        until=Until((Answers(),), limit=1800.0, unless=(NothingRuns(),)),
        undo=Control("stop"),
    )


def stop(process: Process, plan: Plan, why: str, keys: int) -> Step:
    """Ask the server to end (SIGTERM: it flushes and saves first) and wait until it has."""
    lost = keys > 0 and not plan.persistence.promised
    cost = f" ({keys} keys are kept in memory only and will be gone)" if lost else ""
    return Step(
        id="stop",
        title=f"stop the server: {why}{cost}",
        do=Signal(process.pid, process.start, "TERM"),
        until=Until((ProcessGone(process.pid, process.start),), limit=600.0),
        undo=Control("start"),
        danger=Danger.LOSES_DATA if lost else Danger.DISTURBS,
    )


def canary_key(plan: Plan, token: str) -> str:
    """Return the key that proofs write, under the application's prefix."""
    return f"{plan.prefix}keywright:canary:{token}"


def write_canary(plan: Plan, token: str) -> Step:
    """Write the canary, which must be there after the restart."""
    return Step(
        id="canary",
        title="write a canary that must survive the restart",
        do=RedisCommand(ADMIN, ("SET", canary_key(plan, token), token, "EX", str(CANARY_TTL))),
    )
