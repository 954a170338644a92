"""Reports as JSON: stable names, documented in docs/reference/json.md; never a secret."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Kept
from keywright_ops.model.facts import Server
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import Outcome
from keywright_ops.model.step import Step


def show_json(report: str, /, **fields: Any) -> None:
    """Print one object; `schema` names the report and its version."""
    print(json.dumps({"schema": f"keywright/{report}/1"} | fields, indent=2, ensure_ascii=False))


def plan_json(plan: Plan) -> dict[str, Any]:
    """The environment, as every report begins."""
    return {"app": plan.app, "environment": plan.environment, "kind": plan.kind}


def step_json(step: Step) -> dict[str, Any]:
    """One step: what it is, not what it carries."""
    return {"id": step.id, "title": step.title, "danger": step.danger.name.lower()}


def steps_json(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Steps in order."""
    return [step_json(step) for step in steps]


def planned_json(steps: Iterable[Step], plan: Plan) -> list[dict[str, Any]]:
    """Steps that would be done, each with the lines that a person could type instead."""
    from keywright_ops.steps.command_lines import command_lines  # a dry run alone shows them

    return [step_json(step) | {"commands": list(command_lines(step, plan))} for step in steps]


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """One proof with its verdict ("passed", "failed", "unknown") and evidence."""
    proof = outcome.proof
    return {
        "id": proof.id,
        "title": proof.title,
        "vantage": proof.vantage,
        "disturbs": proof.disturbs,
        "verdict": outcome.verdict,
        "evidence": outcome.evidence,
    }


def server_json(server: Server | Missing) -> dict[str, Any] | None:
    """Which server answers; null when none does."""
    return None if isinstance(server, Missing) else server._asdict()


def kept_json(kept: Kept | Missing) -> dict[str, Any] | None:
    """A copy of data that was kept; null when none was."""
    if isinstance(kept, Missing):
        return None
    manifest = kept.manifest
    return {
        "folder": kept.folder,
        "taken": manifest.taken,
        "reason": manifest.reason,
        "engine": manifest.engine,
        "version": manifest.version,
        "appendonly": manifest.appendonly,
        "keys": manifest.keys,
        "bytes": manifest.size,
        "verified": manifest.verified,
    }


def warnings_json(plan: Plan) -> list[dict[str, str]]:
    """The plan's warnings."""
    return [{"path": each.path, "text": each.text} for each in plan.warnings]


def timing_json(timing: Mapping[str, float]) -> dict[str, float]:
    """Seconds, to the millisecond."""
    return {name: round(seconds, 3) for name, seconds in timing.items()}
