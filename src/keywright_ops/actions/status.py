"""status: one glance at an environment, in one round trip. Imports as little as it can."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright_ops.actions.environment import open_environment
from keywright_ops.actions.restart_record import RestartRecord, restart_record
from keywright_ops.gather.environment import STATUS, gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Certificate, Facts
from keywright_ops.model.plan import Plan


class StatusReport(NamedTuple):
    """The plan, what was seen, the last restart proof, and the certificate on disk where TLS is on."""

    plan: Plan
    home: str
    facts: Facts
    restart: RestartRecord | None
    certificate: Certificate | Missing


def status(file: str | None, environment: str | None, environ: Mapping[str, str]) -> StatusReport:
    """Look at one environment; a server that does not run is an answer, not an error."""
    opened = open_environment(file, environment, environ)
    facts = gather(opened.target, opened.plan, STATUS)
    return StatusReport(opened.plan, opened.home, facts, restart_record(opened), opened.certificate)
