"""Stops and starts a server on purpose: for a person who asks, or to prove that its data survives it."""

from keywright.errors import ApplyError
from keywright_ops.actions.declared import declare, file_paths
from keywright_ops.actions.environment import Opened
from keywright_ops.actions.refusals import refuse_suspended
from keywright_ops.actions.restart_record import restart_record
from keywright_ops.actions.taking_back import apply_or_undo
from keywright_ops.apply.apply import Workshop, confirm
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Signal, Step
from keywright_ops.steps.diff import before_stop, carry_over
from keywright_ops.steps.keyspace import keys_held
from keywright_ops.steps.restart import start, stop, write_canary


def with_canary(steps: tuple[Step, ...], plan: Plan, facts: Facts, canary: str) -> tuple[Step, ...]:
    """Where a restart is part of the change anyway, write the canary just before it."""
    if not plan.persistence.promised or isinstance(facts.config, Missing):
        return steps
    found: list[Step] = []
    for step in steps:
        if isinstance(step.do, Signal):
            found.append(write_canary(plan, canary))
        found.append(step)
    return tuple(found)


def wants_restart_proof(opened: Opened) -> bool:
    """A restart may prove persistence only while nobody uses the environment: fresh and empty."""
    if not opened.plan.persistence.promised or restart_record(opened) is not None:
        return False
    facts = gather(opened.target, opened.plan, frozenset({"info"}))
    return not isinstance(facts.info, Missing) and keys_held(facts) == 0


def restart_steps(opened: Opened, shop: Workshop, canary: str, why: str) -> list[Step]:
    """Canary, stop, start: perform them and return them."""
    declared = declare(opened)
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
    if isinstance(facts.process, Missing):
        raise ApplyError("no server of this environment runs", "`keywright up` starts it")
    refuse_suspended(facts.process)
    carried = carry_over(opened.plan, facts)
    ending = stop(facts, why, True if carried else None)
    steps = (*before_stop(declared, facts), *carried, ending, start("start it again"))
    steps = with_canary(steps, opened.plan, facts, canary)
    confirm(steps, shop)
    apply_or_undo(steps, shop)
    if opened.plan.unit is None:
        return list(steps)
    from keywright_ops.steps.carry import retire_dump

    seen = gather(opened.target, opened.plan, frozenset({"info", "config", "stored"}))
    more = tuple(retire_dump(opened.plan, seen))
    apply_or_undo(more, shop)
    return [*steps, *more]
