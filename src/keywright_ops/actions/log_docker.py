"""Finds the logs of a Docker environment: its containers', and those of one that was set aside."""

from collections.abc import Sequence

from keywright.errors import ApplyError, InputError
from keywright_ops.actions.place import Place
from keywright_ops.logs.docker import DockerSource, Way
from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.source import Source
from keywright_ops.logs.web_lines import insight_form
from keywright_ops.logs.zones import UTC
from keywright_ops.model.plan import Plan
from keywright_ops.targets.channel import Channel, guarded
from keywright_ops.targets.docker import Docker, told
from keywright_ops.targets.local import LocalTransport

ASIDE = "-before-keywright-"  # how `up` names the container that it took over (steps/housing.py)


def docker_sources(
    place: Place, plan: Plan, home: str, services: Sequence[str]
) -> tuple[Source, ...]:
    """Return the logs of the services' containers; one that does not exist counts only when it is asked
    for alone.

    Raises Unreachable without an engine, InputError where there is nothing to read.
    """
    del place, home
    assert plan.container is not None
    there = _containers()
    found: list[Source] = []
    for service in services:
        found += _service(plan, service, there, alone=len(services) == 1)
    if not found:
        raise no_container(plan.container.name, plan.environment)
    return tuple(found)


def _service(plan: Plan, service: str, there: list[str], alone: bool) -> list[Source]:
    assert plan.container is not None
    name, form, environment = plan.container.name, redis_form(UTC), plan.environment
    if service == "nginx":
        if alone:
            raise no_site(environment)
        return []
    if service == "redisinsight":
        if plan.insight is None:
            if alone:
                raise no_insight(environment)
            return []
        name, form = plan.insight.name, insight_form()
    names = sorted(each for each in there if each.startswith(f"{name}{ASIDE}"))
    names += [name] if name in there else []
    if not names and alone:
        raise no_container(name, environment)
    way = Way(_open, LocalTransport().run)
    return [DockerSource(each, form, way, environment, service) for each in names]


def _containers() -> list[str]:
    """The names of all containers of the engine."""
    done = Docker(LocalTransport()).run("ps", "--all", "--format", "{{.Names}}")
    if done.code != 0:
        raise ApplyError(f"docker ps failed: {told(done.errors)}")
    return done.output.split()


def _open(argv: tuple[str, ...]) -> Channel:
    return Channel(guarded(argv))


def no_container(name: str, environment: str) -> InputError:
    """Return what to raise for a container that does not exist."""
    return InputError(
        f"there is no container {name}, and no log of it",
        f"keywright up -e {environment} makes it; docker ps -a shows all",
    )


def no_site(environment: str) -> InputError:
    """Return what to raise where no nginx stands before RedisInsight."""
    return InputError(
        f"environment {environment} has no nginx site",
        "only a Linux host has one: insight.site in keywright.toml",
    )


def no_insight(environment: str) -> InputError:
    """Return what to raise where there is no RedisInsight."""
    return InputError(
        f"environment {environment} has no RedisInsight",
        f"insight.enabled = true under [env.{environment}] in keywright.toml, then keywright up",
    )
