"""Asks every proof of an environment's plan."""

import os
from collections.abc import Callable

from keywright.errors import KeywrightError
from keywright_ops.actions.declared import file_paths
from keywright_ops.actions.environment import Opened
from keywright_ops.actions.restart_record import remember_restart
from keywright_ops.checks.proofs import proofs
from keywright_ops.gather.environment import PROVEN, gather
from keywright_ops.gather.probe import probe
from keywright_ops.gather.scene import Scene
from keywright_ops.model.facts import Facts
from keywright_ops.model.login import ADMIN
from keywright_ops.model.proof import FAILED, UNKNOWN, Outcome
from keywright_ops.steps.declared import Declared
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
    seen: Facts | None = None,
    quick: bool = False,
) -> tuple[Outcome, ...]:
    """Ask every proof of the plan; `restarted` says that a canary was written before a restart.

    `watch` sees each outcome as it comes; `seen` is a snapshot of this moment, where there
    is one; `quick` leaves out what starts a container of its own.
    """
    plan = opened.plan
    key = canary_key(plan, canary)
    facts = seen or gather(opened.target, plan, PROVEN, file_paths(declared))
    scene = scene_of(opened, declared, facts, key)
    if opened.target.container is not None:
        from keywright_ops.gather.container_probe import ask_ahead  # `local` lives in none

        scene = scene._replace(ahead=ask_ahead(opened.target.container))
    outcomes = []
    for proof in proofs(plan, key, restarted, quick):
        outcome = probe(proof, scene)
        watch(outcome)
        outcomes.append(outcome)
        if proof.id == "restart" and outcome.verdict != UNKNOWN:
            remember_restart(opened, outcome.verdict, outcome.evidence)
    _remove(opened, key)
    return tuple(outcomes)


def scene_of(opened: Opened, declared: Declared, facts: Facts, canary: str) -> Scene:
    """Return what proofs are asked about; `canary` is the key that they may write."""
    return Scene(
        target=opened.target,
        plan=opened.plan,
        users=declared.users,
        facts=facts,
        canary=canary,
        files=declared.files,
        secrets=tuple(opened.secrets.values()),
        folder=declared.compose.folder if declared.compose is not None else "",
        certificate=declared.certificate,
        site=opened.secrets.get(opened.plan.insight.secret) if opened.plan.insight else None,
    )


def _remove(opened: Opened, key: str) -> None:
    """Remove the canaries; where that is not possible their time to live does it."""
    try:
        opened.target.redis.ask(ADMIN, [("UNLINK", key, f"{key}:app")])
    except KeywrightError:
        return


def failed(outcomes: tuple[Outcome, ...]) -> bool:
    """Whether a proof failed; one that could not be asked is no failure, and never a pass."""
    return any(outcome.verdict == FAILED for outcome in outcomes)
