"""status: one glance at an environment, in one round trip. Imports as little as it can."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright_ops.actions.environment import open_environment
from keywright_ops.actions.restart_record import RestartRecord, restart_record
from keywright_ops.facts.dates import days_between
from keywright_ops.gather.environment import STATUS, gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Certificate, Facts
from keywright_ops.model.plan import Plan
from keywright_ops.vault.file import today


class StatusReport(NamedTuple):
    """The plan, what was seen, the last restart proof, the certificate on disk where TLS is on, the date
    and age (days) of the oldest password, and the phase of each unfinished rotation by user."""

    plan: Plan
    home: str
    facts: Facts
    restart: RestartRecord | None
    certificate: Certificate | Missing
    oldest_password: str
    password_age: int | None
    rotations: Mapping[str, str]


def status(file: str | None, environment: str | None, environ: Mapping[str, str]) -> StatusReport:
    """Look at one environment; a server that does not run is an answer, not an error."""
    opened = open_environment(file, environment, environ)
    wanted = STATUS | {"machine", "glance"} if opened.target.host is not None else STATUS
    facts = gather(opened.target, opened.plan, wanted)
    oldest = opened.vault.oldest
    return StatusReport(
        opened.plan,
        opened.home,
        facts,
        restart_record(opened),
        opened.certificate,
        oldest,
        days_between(oldest, today()),
        {name: turn.phase for name, turn in opened.vault.turns.items()},
    )
