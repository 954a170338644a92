"""down and restart: stop the server without losing what it promised to keep, and start it again."""

import time
from typing import NamedTuple

from keywright_ops.actions.declared import declare, file_paths
from keywright_ops.actions.environment import Opened, open_environment
from keywright_ops.actions.proving import prove, token
from keywright_ops.actions.refusals import refuse_suspended
from keywright_ops.actions.restart_record import restart_record
from keywright_ops.actions.restarting import restart_steps
from keywright_ops.actions.taking_back import apply_or_undo
from keywright_ops.actions.up import Ask, UpReport, home_of, open_for_change, workshop
from keywright_ops.apply.apply import confirm
from keywright_ops.apply.lock import lock
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.machine import Machine
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Step
from keywright_ops.steps.diff import before_stop, carry_over
from keywright_ops.steps.restart import stop


class DownReport(NamedTuple):
    """What `down` did; no steps when nothing ran."""

    plan: Plan
    home: str
    steps: tuple[Step, ...]


def down_steps(opened: Opened, for_good: bool = True) -> tuple[Step, ...]:
    """Return the steps that stop the server: () when none runs.

    `for_good` says that a boot does not start it either.
    """
    declared = declare(opened)
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
    before, after = _containers(opened, facts)
    if isinstance(facts.process, Missing):
        return (*before, *after)
    refuse_suspended(facts.process)
    if isinstance(facts.machine, Machine) and for_good:
        from keywright_ops.steps.machine import disable  # `local` starts with no machine

        after = [*after, *disable(opened.plan, facts.machine)]
    carried = carry_over(opened.plan, facts)
    ending = stop(facts, "as asked", True if carried else None)
    return (*before, *before_stop(declared, facts), *carried, ending, *after)


def _containers(opened: Opened, facts: Facts) -> tuple[list[Step], list[Step]]:
    """What is removed besides, before and after the stop; nothing that is somebody else's."""
    if isinstance(facts.housing, Missing):
        return [], []
    from keywright_ops.actions.docker_refusals import refuse_foreign_container
    from keywright_ops.steps.housing import take_down  # `local` lives in no container

    refuse_foreign_container(opened, facts, adopt=False)
    return take_down(opened.plan, facts.housing)


def down(ask: Ask) -> DownReport:
    """Stop the server; its data, vault and configuration stay. Asks before keys are lost."""
    opened = open_environment(ask.file, ask.environment, ask.environ)
    with lock(f"{opened.home}/lock", "keywright down"):
        steps = down_steps(opened)
        shop = workshop(opened, ask)
        confirm(steps, shop)
        apply_or_undo(steps, shop)
    return DownReport(opened.plan, opened.home, steps)


def restart(ask: Ask) -> UpReport:
    """Stop and start the server, and prove that what it promised to keep is there afterwards.

    Raises ApplyError when no server runs: starting one is `up`'s work.
    """
    begun = time.monotonic()
    with lock(f"{home_of(ask)}/lock", "keywright restart"):
        opened = open_for_change(ask)
        shop = workshop(opened, ask)
        canary = token()
        steps = restart_steps(opened, shop, canary, "as asked")
        restarted = time.monotonic()
        written = any(step.id == "canary" for step in steps)
        outcomes = prove(opened, declare(opened), canary, written, ask.proved)
    server = gather(opened.target, opened.plan, frozenset({"info"})).server
    ended = time.monotonic()
    timing = {"total": ended - begun, "restart": restarted - begun, "proof": ended - restarted}
    record = restart_record(opened)
    return UpReport(opened.plan, opened.home, tuple(steps), outcomes, server, record, timing)
