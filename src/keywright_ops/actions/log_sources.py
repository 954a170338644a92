"""Finds the logs of an environment: which sources there are for the services that were asked for."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from keywright.errors import InputError
from keywright_ops.actions.environment import open_plan
from keywright_ops.logs.source import Source
from keywright_ops.model.plan import Plan

if TYPE_CHECKING:
    from keywright_ops.actions.place import Place

SERVICES = ("redis", "redisinsight", "nginx")

# Where a managed service keeps its logs: nothing here can read them.
ELSEWHERE = {
    "azure": "az monitor diagnostic-settings create … sends its connection log to Log Analytics",
    "aws": "aws elasticache modify-replication-group --log-delivery-configurations … sends its engine and"
    " slow log to CloudWatch, and aws logs tail GROUP shows them",
}


def log_sources(
    file: str | None, environment: str | None, environ: Mapping[str, str], service: str
) -> Sequence[Source]:
    """Return the sources of one environment; `service` is one of SERVICES or "all".

    No password is needed and no server has to run. Raises InputError where there is no such log.
    """
    place, plan = open_plan(file, environment, environ)
    home = place.home(plan.environment)
    services = services_of(plan, service)
    if plan.kind == "local":
        return local_sources(place, plan, home, services)
    if plan.container is not None:
        from keywright_ops.actions.log_docker import docker_sources

        return docker_sources(place, plan, home, services)
    if plan.unit is not None:
        from keywright_ops.actions.log_linux import linux_sources

        return linux_sources(place, plan, home, services)
    raise InputError(
        f"environment {plan.environment} is a managed service, which keeps its logs to itself",
        f"instead: {ELSEWHERE.get(plan.kind, 'its own console')}",
    )


def services_of(plan: Plan, service: str) -> tuple[str, ...]:
    """Return which services are meant. Raises InputError for one that the environment has not."""
    there = ["redis"]
    if plan.insight is not None:
        there.append("redisinsight")
        if plan.insight.site:
            there.append("nginx")
    if service == "all":
        return tuple(there)
    if service not in there:
        raise InputError(
            f"environment {plan.environment} has no {service}",
            f"it has {', '.join(there)}",
        )
    return (service,)


def local_sources(
    place: "Place", plan: Plan, home: str, services: Sequence[str]
) -> Sequence[Source]:
    """The embedded server's log file, which its wall clock is this machine's of."""
    del place, services  # there is one service only
    from keywright_ops.logs.file import FileSource
    from keywright_ops.logs.redis_line import redis_form
    from keywright_ops.logs.zones import Here

    told = [each.value for each in plan.directives if each.name == "logfile"]
    path = os.path.join(home, told[-1]) if told and told[-1] else f"{home}/server.log"
    if not os.path.exists(path):
        raise InputError(
            f"environment {plan.environment} has no log yet: its server has never run",
            "`keywright up` starts it",
        )
    zone = Here()
    return [FileSource(path, redis_form(zone), plan.environment, "redis", zone)]
