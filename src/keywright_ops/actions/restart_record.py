"""The memory of the last restart that proved that data survives: when, and under which settings."""

import json
import time
from typing import NamedTuple

from keywright_ops.actions.environment import Opened
from keywright_ops.model.plan import Plan

RECORD = "proofs.json"


class RestartRecord(NamedTuple):
    """The last time a restart was the proof: when (UTC), what came of it, under which settings."""

    when: str
    verdict: str
    evidence: str
    stale: bool


def persistence_mark(plan: Plan) -> str:
    """Everything that decides what survives a restart, as text to compare."""
    return repr((*plan.persistence, plan.engine.program, plan.engine.image))


def restart_record(opened: Opened) -> RestartRecord | None:
    """Return the last restart proof; None when there never was one."""
    try:
        with open(f"{opened.home}/{RECORD}", encoding="utf-8") as stream:
            found = json.load(stream)["restart"]
        stale = found["persistence"] != persistence_mark(opened.plan)
        return RestartRecord(found["when"], found["verdict"], found["evidence"], stale)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no record is the same as none that can be read: the proof is made again


def remember_restart(opened: Opened, verdict: str, evidence: str) -> None:
    """Keep what a restart proved, or disproved, now and under the present settings."""
    record = {
        "when": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "verdict": verdict,
        "evidence": evidence,
        "persistence": persistence_mark(opened.plan),
    }
    text = json.dumps({"restart": record}, indent=1) + "\n"
    opened.target.transport.write(f"{opened.home}/{RECORD}", text.encode(), 0o600)
