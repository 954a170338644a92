"""Asks every proof of an environment's plan."""

import os
from collections.abc import Callable

from keywright.errors import KeywrightError
from keywright_ops.actions.declared import file_paths
from keywright_ops.actions.environment import Opened
from keywright_ops.actions.restart_record import remember_restart
from keywright_ops.checks.proofs import proofs
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.gather.probe import Scene, probe
from keywright_ops.model.login import ADMIN
from keywright_ops.model.proof import FAILED, UNKNOWN, Outcome
from keywright_ops.steps.diff import Declared
from keywright_ops.steps.restart import canary_key


def token() -> str:
    """Return a fresh random name for a canary."""
    return os.urandom(8).hex()


def prove(
    opened: Opened,
    declared: Declared,
    canary: str,
    restarted: bool,
    watch: Callable[[Outcome], None],
) -> tuple[Outcome, ...]:
    """Ask every proof of the plan; `restarted` says that a canary was written before a restart.

    `watch` sees each outcome as it comes.
    """
    plan = opened.plan
    key = canary_key(plan, canary)
    facts = gather(opened.target, plan, EVERYTHING, file_paths(declared))
    files = (declared.conf, declared.acl, *declared.others)
    scene = Scene(opened.target, plan, declared.users, facts, key, files, declared.certificate)
    outcomes = []
    for proof in proofs(plan, key, restarted):
        outcome = probe(proof, scene)
        watch(outcome)
        outcomes.append(outcome)
        if proof.id == "restart" and outcome.verdict != UNKNOWN:
            remember_restart(opened, outcome.verdict, outcome.evidence)
    _remove(opened, key)
    return tuple(outcomes)


def _remove(opened: Opened, key: str) -> None:
    """Remove the canaries; where that is not possible their time to live does it."""
    try:
        opened.target.redis.ask(ADMIN, [("UNLINK", key, f"{key}:app")])
    except KeywrightError:
        return


def failed(outcomes: tuple[Outcome, ...]) -> bool:
    """Whether a proof failed; one that could not be asked is no failure, and never a pass."""
    return any(outcome.verdict == FAILED for outcome in outcomes)
