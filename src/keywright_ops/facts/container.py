"""Reads what `docker inspect` prints of containers, volumes, networks and images."""

from collections.abc import Mapping, Sequence
from typing import Any

from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.container import (
    Attachment,
    ContainerFacts,
    HealthCheck,
    Housing,
    Mount,
    NetworkFacts,
    Publication,
    Usage,
    VolumeFacts,
)
from keywright_ops.model.host import Process
from keywright_ops.model.plan import Plan

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
SECOND = 10**9  # nanoseconds, in which the engine counts
NOT_RUNNING = Missing("no server of this environment runs")

Json = Mapping[str, Any]


def parse_housing(text: str, plan: Plan) -> Housing:
    """Return the plan's own among the objects that one `docker inspect` printed."""
    import json  # the local environment's `status` does without

    assert plan.container is not None
    objects: list[Json] = json.loads(text or "[]")
    insight = plan.insight
    return Housing(
        container=_container(objects, plan.container.name),
        insight=_container(objects, insight.name) if insight else Missing(NOT_THERE),
        volume=_volume(objects, plan.container.volume),
        network=_network(objects, plan.container.network),
        image=_image(objects, plan.engine.image),
        insight_image=_image(objects, insight.image) if insight else Missing(NOT_THERE),
        insight_volume=_volume(objects, insight.volume) if insight else Missing(NOT_THERE),
        text=text,
    )


def parse_containers(text: str) -> tuple[ContainerFacts, ...]:
    """Return the containers that one `docker inspect` printed."""
    import json  # as above

    return tuple(parse_container(each) for each in json.loads(text or "[]"))


def parse_usage(text: str) -> Usage | Missing:
    """Return what a container uses, from two readings of its cgroup; memory without what is only cached."""
    lines = text.splitlines()
    try:
        began, used, ended, then = (float(line.split()[0]) for line in lines[:4])
        cached = int(lines[5].split()[1]) if len(lines) > 5 else 0
        cpu = (then - used) / SECOND / (ended - began)
        return Usage(max(0.0, cpu), max(0, int(lines[4]) - cached))
    except (ValueError, IndexError, ZeroDivisionError):
        return Missing("the container does not tell what it uses")


def foreign(plan: Plan, found: ContainerFacts | Missing) -> str:
    """Say whose container it is that has the plan's name; "" for none and for the plan's own."""
    container = plan.container
    if isinstance(found, Missing) or container is None:
        return ""
    if (found.project, found.service) == (container.project, container.service):
        return ""
    return f"Compose's, of project {found.project}" if found.project else "made by hand"


def container_process(container: ContainerFacts | Missing) -> Process | Missing:
    """Return the server in a container, as it sees itself: its first process, from this start."""
    if isinstance(container, Missing) or not container.running:
        return NOT_RUNNING
    start = f"{container.id[:12]} {container.started}"
    command = (container.image, *container.entrypoint, *container.command)
    return Process(1, start, container.image_id, command, container.state == "paused")


def _container(objects: Sequence[Json], name: str) -> ContainerFacts | Missing:
    found = next((each for each in objects if each.get("Name") == f"/{name}"), None)
    return Missing(NOT_THERE) if found is None else parse_container(found)


def parse_container(found: Json) -> ContainerFacts:
    """Return one container's facts from its object."""
    state, config, host = found["State"], found["Config"], found["HostConfig"]
    labels = config.get("Labels") or {}
    health = state.get("Health") or {}
    said = (health.get("Log") or [{}])[-1].get("Output", "").strip().splitlines()
    return ContainerFacts(
        id=found["Id"],
        name=found["Name"].removeprefix("/"),
        image=config["Image"],
        image_id=found["Image"],
        state=state["Status"],
        started=state["StartedAt"],
        exit_code=state["ExitCode"],
        oom_killed=state["OOMKilled"],
        restarts=found.get("RestartCount", 0),
        health=health.get("Status", "none"),
        health_says=said[-1] if said else "",
        project=labels.get(PROJECT, ""),
        service=labels.get(SERVICE, ""),
        restart=host["RestartPolicy"]["Name"] or "no",
        cpus=(host.get("NanoCpus") or 0) / SECOND,
        memory=host.get("Memory") or 0,
        log_driver=host["LogConfig"]["Type"],
        log_options=tuple(sorted((host["LogConfig"].get("Config") or {}).items())),
        published=_published(host.get("PortBindings") or {}),
        mounts=tuple(_mount(each) for each in found.get("Mounts") or ()),
        networks=_networks(found["NetworkSettings"].get("Networks") or {}),
        user=config.get("User", ""),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        check=_check(config.get("Healthcheck") or {}),
        security=tuple(sorted(host.get("SecurityOpt") or ())),
        privileged=bool(host.get("Privileged")),
    )


def _published(bindings: Mapping[str, Any]) -> tuple[Publication, ...]:
    """What was asked for: of a stopped container too, where nothing is bound at the moment."""
    found = []
    for inside, places in bindings.items():
        for place in places or ():
            address, port = place.get("HostIp") or "0.0.0.0", place.get("HostPort") or "0"  # noqa: S104
            found.append(Publication(address, int(port), int(inside.partition("/")[0])))
    return tuple(sorted(found))


def _mount(found: Json) -> Mount:
    kind = found["Type"]
    source = found.get("Name") if kind == "volume" else found.get("Source")
    return Mount(kind, source or "", found["Destination"])


def _networks(found: Mapping[str, Any]) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            name,
            each.get("IPAddress", ""),
            each.get("Gateway", ""),
            tuple(each.get("Aliases") or ()),
        )
        for name, each in sorted(found.items())
    )


def _check(found: Json) -> HealthCheck:
    return HealthCheck(
        test=tuple(found.get("Test") or ()),
        interval=found.get("Interval", 0) // SECOND,
        timeout=found.get("Timeout", 0) // SECOND,
        retries=found.get("Retries", 0),
        start_period=found.get("StartPeriod", 0) // SECOND,
    )


def _volume(objects: Sequence[Json], name: str) -> VolumeFacts | Missing:
    for each in objects:
        if each.get("Name") == name and "Mountpoint" in each:
            return VolumeFacts(name, (each.get("Labels") or {}).get(PROJECT, ""))
    return Missing(NOT_THERE)


def _network(objects: Sequence[Json], name: str) -> NetworkFacts | Missing:
    for each in objects:
        if each.get("Name") == name and "IPAM" in each:
            names = (one["Name"] for one in (each.get("Containers") or {}).values())
            project = (each.get("Labels") or {}).get(PROJECT, "")
            return NetworkFacts(name, project, tuple(sorted(names)))
    return Missing(NOT_THERE)


def _image(objects: Sequence[Json], name: str) -> str | Missing:
    for each in objects:
        tags = (*(each.get("RepoTags") or ()), *(each.get("RepoDigests") or ()))
        if "RootFS" in each and _familiar(name) in tags:
            return str(each["Id"])
    return Missing(NOT_THERE)


def _familiar(name: str) -> str:
    """The engine's short form: no docker.io/library/, and no tag beside a digest."""
    short = name.removeprefix("docker.io/").removeprefix("library/")
    rest, at, digest = short.partition("@")
    return f"{rest.partition(':')[0]}@{digest}" if at else short
