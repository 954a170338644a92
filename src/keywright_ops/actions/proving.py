"""Proves an environment, and remembers when a restart last proved that its data survives."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from keywright_ops.actions.declared import file_paths
from keywright_ops.actions.environment import Opened
from keywright_ops.checks.proofs import proofs
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.gather.probe import Scene, probe
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import FAILED, PASSED, Outcome, Proof
from keywright_ops.steps.diff import Declared
from keywright_ops.steps.restart import canary_key

RECORD = "proofs.json"


class RestartRecord(NamedTuple):
    """The last time a restart was the proof: when (UTC), what came of it, under which settings."""

    when: str
    verdict: str
    evidence: str
    stale: bool


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
    scene = Scene(opened.target, plan, declared.users, facts, key)
    outcomes = []
    for proof in proofs(plan, key, restarted):
        outcome = _probed(proof, scene)
        watch(outcome)
        outcomes.append(outcome)
        if proof.id == "restart":
            _remember(opened, outcome)
    return tuple(outcomes)


def _probed(proof: Proof, scene: Scene) -> Outcome:
    return probe(proof, scene)


def failed(outcomes: tuple[Outcome, ...]) -> bool:
    """Whether a proof failed; one that could not be asked is no failure, and never a pass."""
    return any(outcome.verdict == FAILED for outcome in outcomes)


def persistence_mark(plan: Plan) -> str:
    """A digest of everything that decides what survives a restart."""
    return sha256(repr((plan.persistence, plan.engine)).encode()).hexdigest()[:16]


def restart_record(opened: Opened) -> RestartRecord | None:
    """Return the last restart proof; None when there never was one."""
    try:
        with open(f"{opened.home}/{RECORD}", encoding="utf-8") as stream:
            found = json.load(stream)["restart"]
        stale = found["persistence"] != persistence_mark(opened.plan)
        return RestartRecord(found["when"], found["verdict"], found["evidence"], stale)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no record is the same as none that can be read: the proof is made again


def _remember(opened: Opened, outcome: Outcome) -> None:
    if outcome.verdict not in (PASSED, FAILED):
        return
    record = {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "verdict": outcome.verdict,
        "evidence": outcome.evidence,
        "persistence": persistence_mark(opened.plan),
    }
    text = json.dumps({"restart": record}, indent=1) + "\n"
    opened.target.transport.write(f"{opened.home}/{RECORD}", text.encode(), 0o600)
