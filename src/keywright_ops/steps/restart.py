"""Steps that stop and start a server, and the canary that proves what survives it."""

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.host import Process
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import (
    Answers,
    Control,
    Danger,
    NothingRuns,
    ProcessGone,
    RedisCommand,
    Said,
    Signal,
    Step,
    Until,
)
from keywright_ops.steps.keyspace import keeps_data, keys_held

STAYS = "errors trying to shut down"  # what every server logs then
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


def await_loaded() -> Step:
    """Wait for a server that runs already and still loads its data."""
    waiting = start("wait until the server has loaded its data")
    return waiting._replace(id="await-loaded", expect=(), undo=None)


def stop(facts: Facts, why: str, keeps: bool | None = None) -> Step:
    """Ask the server to end (SIGTERM: it flushes and saves first) and wait until it has.

    `facts` must hold the process, info, config and disk_config. `keeps` says whether the data will be
    kept by then; None is as it runs now. The undo starts the very program that ran.
    """
    assert not isinstance(facts.process, Missing)
    pid, begun = facts.process.pid, facts.process.start
    kept = keeps_data(facts) if keeps is None else keeps
    danger, cost = Danger.DISTURBS, ""
    if not kept and isinstance(facts.info, Missing):
        danger, cost = Danger.LOSES_DATA, " (what it keeps in memory only will be gone)"
    elif not kept and keys_held(facts):
        keys = keys_held(facts)
        danger, cost = Danger.LOSES_DATA, f" ({keys} keys are kept in memory only and will be gone)"
    return Step(
        id="stop",
        title=f"stop the server: {why}{cost}",
        do=Signal(pid, begun, "TERM"),
        # a server that cannot save says so and goes on: nothing is lost, and waiting is hopeless
        until=Until((ProcessGone(pid, begun),), limit=600.0, unless=(Said(STAYS),)),
        undo=Control("start", facts.process.command[0]),
        danger=danger,
    )


def wake(process: Process) -> Step:
    """Let a server go on that somebody suspended (SIGSTOP)."""
    return Step(
        id="wake",
        title="let the suspended server go on",
        do=Signal(process.pid, process.start, "CONT"),
        until=Until((Answers(),), limit=60.0, unless=(NothingRuns(),)),
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
