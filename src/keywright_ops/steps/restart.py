"""Steps that stop and start a server, and the canary that proves what survives it."""

from keywright_ops.model.facts import Process
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import (
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


def stop(process: Process, plan: Plan, why: str, keys: int | None) -> Step:
    """Ask the server to end (SIGTERM: it flushes and saves first) and wait until it has.

    `keys` is how many it holds, None when it did not say: then it may hold any number.
    """
    lost = keys != 0 and not plan.persistence.promised
    held = "all keys" if keys is None else f"{keys} keys"
    cost = f" ({held} are kept in memory only and will be gone)" if lost else ""
    return Step(
        id="stop",
        title=f"stop the server: {why}{cost}",
        do=Signal(process.pid, process.start, "TERM"),
        until=Until((ProcessGone(process.pid, process.start),), limit=600.0),
        undo=Control("start", process.command[0]),
        danger=Danger.LOSES_DATA if lost else Danger.DISTURBS,
    )


def wake(process: Process) -> Step:
    """Let a server go on that somebody suspended (SIGSTOP)."""
    return Step(
        id="wake",
        title="let the suspended server go on",
        do=Signal(process.pid, process.start, "CONT"),
        until=Until((Answers(),), limit=60.0, unless=(NothingRuns(),)),
    )


def await_loaded() -> Step:
    """Wait until a server that is still loading its data has loaded it."""
    return Step(
        id="await-loaded",
        title="wait until the server has loaded its data",
        do=RedisCommand(ADMIN, ("INFO", "persistence")),
        until=Until((Answers(),), limit=1800.0, pace=0.05, unless=(NothingRuns(),)),
    )


def canary_key(plan: Plan, token: str) -> str:
    """Return the key that proofs write, under the application's prefix."""
    return f"{plan.prefix}keywright:canary:{token}"


def write_canary(plan: Plan, token: str) -> Step:
    """Write the canary, which must be there after the restart."""
    return Step(
        id="canary",
        title="write a canary that must survive the restart",
        undo=RedisCommand(ADMIN, ("UNLINK", canary_key(plan, token))),
        do=RedisCommand(ADMIN, ("SET", canary_key(plan, token), token, "EX", str(CANARY_TTL))),
    )
