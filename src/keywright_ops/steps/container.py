"""Where a container is not as its plan says: one sentence for each difference, from what Docker tells.

A container made anew is another process on the same volume: its data is saved before and loaded after, as
at every restart. What Docker changes on a running container (limits, restart policy) needs none.
"""

from keywright_ops.model.absence import Missing
from keywright_ops.model.container import ContainerFacts, HealthCheck, Housing, Mount, Publication
from keywright_ops.model.plan import Container, Insight, Limits, Plan
from keywright_ops.render.compose import INSIGHT_PORT, bind_folders, log_options
from keywright_ops.render.container import CONFIGURATION, DATA
from keywright_ops.steps.doors import (
    attaches_live,
    change,
    network_differences,
    published_differences,
    said,
)

NEW_PRIVILEGES = "no-new-privileges:true"
ENTRYPOINT = ("/bin/sh", f"{CONFIGURATION}/entrypoint.sh")


def differences(plan: Plan, housing: Housing, folder: str) -> list[str]:
    """Return one sentence for each way in which the server's container has to be made anew.

    `folder` is where the compose file lies on the host. [] when there is no container.
    """
    found, container = housing.container, plan.container
    if isinstance(found, Missing) or container is None:
        return []
    live = network_differences(plan, found) if attaches_live(plan, found) else []
    return [
        *(each for each in frame_differences(plan, housing, folder) if each not in live),
        *published_differences(plan, found),
        *limits_gone(found, container.limits),
    ]


def frame_differences(plan: Plan, housing: Housing, folder: str) -> list[str]:
    """Return how the container differs in what stands around the server: image, mounts, log, rights."""
    found, container = housing.container, plan.container
    assert isinstance(found, ContainerFacts) and container is not None
    return [
        *_image(found, plan.engine.image, housing.image),
        *change("entrypoint", " ".join(found.entrypoint), " ".join(ENTRYPOINT)),
        *_mounts(found, plan, folder),
        *_logging(found, container),
        *change("health check", _spoken(found.check), _spoken(declared_check(container))),
        *change("user", found.user, ""),
        *_privileges(found),
        *network_differences(plan, found),
    ]


def _image(found: ContainerFacts, declared: str, here: str | Missing) -> list[str]:
    if found.image != declared:
        return [f"image {found.image} → {declared}"]
    if isinstance(here, str) and found.image_id != here:
        return [f"image {declared} was replaced by another build"]
    return []


def declared_mounts(plan: Plan, folder: str) -> tuple[Mount, ...]:
    """Return what is to stand in the server's container."""
    assert plan.container is not None
    binds = (Mount("bind", f"{folder}/{name}", target) for name, target in bind_folders(plan))
    return (Mount("volume", plan.container.volume, DATA), *binds)


def _mounts(found: ContainerFacts, plan: Plan, folder: str) -> list[str]:
    declared = {each.target: each for each in declared_mounts(plan, folder)}
    wrong = [
        f"{each.target} is mounted too" for each in found.mounts if each.target not in declared
    ]
    for target, mount in declared.items():
        seen = found.mounted(target)
        if seen is None:
            wrong.append(f"{target} is not mounted")
        elif seen != mount:
            wrong.append(f"{target} is {seen.source or seen.kind} → {mount.source}")
    return wrong


def _logging(found: ContainerFacts, container: Container) -> list[str]:
    options = tuple(sorted(log_options(container).items()))
    if not options:
        return []  # the engine's own way, whatever its default is
    if found.log_driver != "json-file":
        return [f"log driver {found.log_driver} → json-file"]
    return change("log", _pairs(found.log_options), _pairs(options))


def _pairs(options: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options)


def declared_check(container: Container) -> HealthCheck:
    """Return when Docker is to ask for the server's health, and how."""
    test = ("CMD", "sh", f"{CONFIGURATION}/health.sh")
    return HealthCheck(test, container.health_interval, timeout=5, retries=3, start_period=60)


def _spoken(check: HealthCheck) -> str:
    if not check.test:
        return ""
    return f"{' '.join(check.test[1:])} every {check.interval} s, {check.retries} times"


def _privileges(found: ContainerFacts) -> list[str]:
    wrong = ["it is privileged"] if found.privileged else []
    if NEW_PRIVILEGES not in found.security:
        wrong.append("its processes may gain new privileges")
    return wrong


def limits_gone(found: ContainerFacts, limits: Limits) -> list[str]:
    """Return the limits that must go: `docker update` sets limits, and takes none away."""
    wrong = []
    if found.memory and limits.memory is None:
        wrong.append(f"memory limit {found.memory} bytes → none")
    if found.cpus and limits.cpus is None:
        wrong.append(f"limit of {found.cpus:g} processors → none")
    return wrong


def limit_differences(found: ContainerFacts, limits: Limits, restart: str) -> list[str]:
    """Return how limits and restart policy in the engine differ from the declared."""
    said = limits_gone(found, limits)
    if limits.memory is not None and found.memory != limits.memory:
        said.append(f"memory {found.memory or 'without limit'} → {limits.memory} bytes")
    if limits.cpus is not None and abs(found.cpus - limits.cpus) > 0.0005:
        said.append(f"processors {found.cpus or 'without limit'} → {limits.cpus:g}")
    return said + change("restart policy", found.restart, restart)


def insight_differences(plan: Plan, insight: Insight, housing: Housing) -> list[str]:
    """Return how RedisInsight's container differs from the plan."""
    found = housing.insight
    assert isinstance(found, ContainerFacts) and plan.container is not None
    declared = (Publication("127.0.0.1", insight.port, INSIGHT_PORT),)
    data = found.mounted(DATA)
    wrong = _image(found, insight.image, housing.insight_image)
    wrong += change("published", said(found.published), said(declared))
    wrong += change("data", data.source if data else "", insight.volume)
    wrong += limits_gone(found, insight.limits) + _logging(found, plan.container)
    if found.attachment(plan.container.network) is None:
        wrong.append(f"it is not on network {plan.container.network}")
    return wrong
