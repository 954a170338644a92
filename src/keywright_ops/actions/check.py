"""check: prove an environment again without disturbing it; with a restart only when asked."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from keywright.errors import Unreachable
from keywright_ops.actions.application_env import noticed
from keywright_ops.actions.declared import declare
from keywright_ops.actions.down import restart
from keywright_ops.actions.environment import open_environment
from keywright_ops.actions.proving import prove, token
from keywright_ops.actions.refusals import refuse_silent
from keywright_ops.actions.restart_record import RestartRecord, restart_record
from keywright_ops.actions.up import Ask
from keywright_ops.gather.environment import gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Server
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import Outcome


class CheckReport(NamedTuple):
    """What was proven, and when a restart last proved that data survives. Times are seconds."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    server: Server | Missing
    restart: RestartRecord | None
    timing: Mapping[str, float]


def check(ask: Ask, with_restart: bool) -> CheckReport:
    """Prove the environment. Raises Unreachable when its server does not run.

    Without `with_restart` nothing is restarted, and one canary key with a TTL is all that is written.
    """
    begun = time.monotonic()
    if with_restart:
        report = restart(ask)
        return CheckReport(
            report.plan, report.outcomes, report.server, report.restart, report.timing
        )
    opened = open_environment(ask.file, ask.environment, ask.environ, ask_host=True)
    facts = gather(opened.target, opened.plan, frozenset({"process", "info", "housing"}))
    if opened.target.container is not None:
        from keywright_ops.actions.docker_refusals import refuse_foreign_container

        refuse_foreign_container(opened, facts, adopt=False)
    if isinstance(facts.process, Missing):
        raise Unreachable(
            f"no server of environment {opened.plan.environment} runs", "`keywright up` starts it"
        )
    refuse_silent(facts)
    if not isinstance(facts.info, Missing) and facts.info.get("loading", "0") != "0":
        raise Unreachable("the server is still loading its data", "`keywright up` waits for it")
    outcomes = prove(opened, declare(opened), token(), False, ask.proved)
    timing = {"total": time.monotonic() - begun}
    return CheckReport(noticed(opened), outcomes, facts.server, restart_record(opened), timing)
