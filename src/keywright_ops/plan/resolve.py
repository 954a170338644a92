"""Profile (and what the host tells) → Plan: every decision, once.

Pure and total: what only the host can tell stays `Discovered` until it has told it.
"""

from collections.abc import Mapping

from keywright_ops.model.absence import Discovered
from keywright_ops.model.host import HostFacts
from keywright_ops.model.plan import Engine, Plan
from keywright_ops.plan.application import decide_application
from keywright_ops.plan.certificate import place_certificate
from keywright_ops.plan.directives import decide_directives
from keywright_ops.plan.docker import (
    decide_container,
    decide_firewall,
    decide_insight,
    decide_unit,
)
from keywright_ops.plan.kernel import decide_kernel
from keywright_ops.plan.listen import bridge, decide_listen
from keywright_ops.plan.memory import decide_memory, decide_persistence
from keywright_ops.plan.questionable import judge_plan
from keywright_ops.plan.users import decide_users
from keywright_ops.profile.declared import Profile, Values

SERVER = Discovered("a redis-server or valkey-server", "the embedded one")


def resolve(
    profile: Profile,
    environment: str,
    host: HostFacts | None,
    kept: Mapping[str, str],
    home: str,
    folder: str = "",
) -> Plan:
    """Return the plan of one environment.

    `host` is None before the host was asked; `kept` holds earlier choices, "port" and "program";
    `home` is the absolute artefact directory of a local environment, `folder` the project's ("" where
    nobody knows it). Raises ProfileError for an environment that does not exist.
    """
    values = Values(profile, environment)
    listen = decide_listen(values, host, kept, home)
    memory = decide_memory(values)
    persistence = decide_persistence(values, home)
    container = decide_container(values)
    docker0 = bridge(host)
    application = decide_application(values, listen, container, docker0, home, folder)
    listen = place_certificate(values, listen, container, application, home, folder)
    plan = Plan(
        app=profile.app,
        environment=environment,
        kind=values.kind,
        prefix=profile.prefix,
        purpose=values.text("purpose") if values.takes("purpose") else "",
        engine=decide_engine(values, host, kept),
        listen=listen,
        memory=memory,
        persistence=persistence,
        users=decide_users(values),
        directives=decide_directives(values, listen, memory, persistence, home),
        application=application,
        password_variable=values.text("password_variable"),
        default_password=f"{profile.app}_redis_password" if values.kind == "docker-dev" else "",
        directory=values.text("directory") if values.takes("directory") else "",
        container=container,
        unit=decide_unit(values),
        insight=decide_insight(values, listen, container, docker0, host),
        firewall=decide_firewall(values, host),
        kernel=decide_kernel(values),
    )
    return plan._replace(warnings=judge_plan(plan))


def decide_engine(values: Values, host: HostFacts | None, kept: Mapping[str, str]) -> Engine:
    """Decide which server runs: what the file names, else what was kept, else what was found."""
    if values.takes("image"):
        return Engine(image=values.text("image"), name=values.engine())
    if not values.takes("server"):
        return Engine(name=values.engine() if values.takes("engine") else "")
    found = host.program if host is not None and isinstance(host.program, str) else ""
    return Engine(program=values.text("server") or kept.get("program", "") or found or SERVER)
