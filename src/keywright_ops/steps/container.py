"""Where a container is not as its plan says, and what brings it there: live where Docker can, else anew.

A container made anew is another process on the same volume: its data is saved before and loaded after, as
at every restart. What Docker changes on a running container (limits, restart policy) needs none.
"""

from keywright_ops.facts.container import foreign
from keywright_ops.model.absence import Missing
from keywright_ops.model.container import ContainerFacts, HealthCheck, Housing, Mount, Publication
from keywright_ops.model.facts import Facts
from keywright_ops.model.plan import Container, Insight, Limits, Plan
from keywright_ops.model.step import Control, InOrder, RunCommand, Step
from keywright_ops.render.compose import INSIGHT_PORT, bind_folders, log_options
from keywright_ops.render.container import CONFIGURATION, DATA
from keywright_ops.steps.doors import (
    attaches_live,
    change,
    make,
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
        *_limits_gone(found, container.limits),
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


def _limits_gone(found: ContainerFacts, limits: Limits) -> list[str]:
    """`docker update` sets limits, and takes none away."""
    wrong = []
    if found.memory and limits.memory is None:
        wrong.append(f"memory limit {found.memory} bytes → none")
    if found.cpus and limits.cpus is None:
        wrong.append(f"limit of {found.cpus:g} processors → none")
    return wrong


def set_aside_foreign(plan: Plan, housing: Housing) -> list[Step]:
    """Return the step that gives a foreign, stopped container another name; nothing of it is removed."""
    found = housing.container
    if isinstance(found, Missing) or not foreign(plan, found):
        return []
    aside = f"{found.name}-before-keywright-{found.id[:8]}"
    update = ("docker", "update", "--restart")
    return [
        Step(
            id="container-aside",
            title=f"set the container {found.name} aside as {aside}",
            do=InOrder(
                (
                    RunCommand((*update, "no", found.name)),
                    RunCommand(("docker", "rename", found.name, aside)),
                )
            ),
            undo=InOrder(
                (
                    RunCommand(("docker", "rename", aside, found.name)),
                    RunCommand((*update, found.restart, found.name)),
                )
            ),
        )
    ]


def begin_anew(begin: Step, plan: Plan, housing: Housing, folder: str) -> Step:
    """The start of a container: made anew where it differs; in a foreign one's place it is undone by
    leaving the name free again."""
    found = housing.container
    if isinstance(found, Missing):
        return begin
    if foreign(plan, found):
        leave = InOrder((Control("stop"), RunCommand(("docker", "rm", found.name))))
        return begin._replace(undo=leave)
    if differences(plan, housing, folder):
        return begin._replace(title="make the container anew", do=Control("recreate"))
    return begin


def stop_foreign(ending: Step, plan: Plan, housing: Housing) -> Step:
    """The stop of a foreign container is taken back without Compose, which does not know it."""
    found = housing.container
    if isinstance(found, Missing) or not foreign(plan, found):
        return ending
    return ending._replace(undo=RunCommand(("docker", "start", found.name)))


def make_ground(plan: Plan, housing: Housing) -> list[Step]:
    """Return the steps that make what stands before any container: the network and the volumes."""
    container = plan.container
    assert container is not None
    steps = []
    if isinstance(housing.network, Missing):
        steps.append(make("network", container.network, plan))
    if isinstance(housing.volume, Missing):
        steps.append(make("volume", container.volume, plan))
    return steps + _insight_volume(plan, housing)


def _insight_volume(plan: Plan, housing: Housing) -> list[Step]:
    if plan.insight is None or not isinstance(housing.insight_volume, Missing):
        return []
    return [make("volume", plan.insight.volume, plan)]


def take_down(plan: Plan, housing: Housing) -> tuple[list[Step], list[Step]]:
    """Return the steps that remove RedisInsight's container, before the server's stop, and those that
    remove the server's after it: one that is only stopped is started again with the engine."""
    before, after = [], []
    if plan.insight is not None and not isinstance(housing.insight, Missing):
        name = plan.insight.name
        stop = RunCommand(("docker", "stop", name))
        before = [_remove(name, InOrder((stop, RunCommand(("docker", "rm", name)))))]
    if plan.container is not None and not isinstance(housing.container, Missing):
        name = plan.container.name
        doings = InOrder((Control("stop"), RunCommand(("docker", "rm", name))))
        after = [_remove(name, doings)]
    return before, after


def _remove(name: str, doings: InOrder) -> Step:
    return Step(
        id=f"remove-{name}", title=f"remove the container {name}; its volume stays", do=doings
    )


def update_live(plan: Plan, housing: Housing) -> list[Step]:
    """Return the steps that change limits and restart policies of running containers."""
    steps: list[Step] = []
    container, insight = plan.container, plan.insight
    if container is not None:
        steps += _update(housing.container, container.name, container.limits, container.restart)
    if insight is not None:
        steps += _update(housing.insight, insight.name, insight.limits, insight.restart)
    return steps


def _update(found: ContainerFacts | Missing, name: str, limits: Limits, restart: str) -> list[Step]:
    if isinstance(found, Missing):
        return []
    said = limit_differences(found, limits, restart)
    if not said or _limits_gone(found, limits):
        return []
    new = _options(limits.memory, limits.cpus, restart)
    old = _options(found.memory or None, found.cpus or None, found.restart)
    return [
        Step(
            id=f"update-{name}",
            title=f"change {name} while it runs: {', '.join(said)}",
            do=RunCommand(("docker", "update", *new, name)),
            undo=RunCommand(("docker", "update", *old, name)),
        )
    ]


def limit_differences(found: ContainerFacts, limits: Limits, restart: str) -> list[str]:
    """Return how limits and restart policy in the engine differ from the declared."""
    said = _limits_gone(found, limits)
    if limits.memory is not None and found.memory != limits.memory:
        said.append(f"memory {found.memory or 'without limit'} → {limits.memory} bytes")
    if limits.cpus is not None and abs(found.cpus - limits.cpus) > 0.0005:
        said.append(f"processors {found.cpus or 'without limit'} → {limits.cpus:g}")
    return said + change("restart policy", found.restart, restart)


def _options(memory: int | None, cpus: float | None, restart: str) -> list[str]:
    options = ["--restart", restart]
    if memory is not None:
        # swap too, or the engine refuses a limit above the old one; twice as much is its own default
        options += ["--memory", str(memory), "--memory-swap", str(2 * memory)]
    if cpus is not None:
        options += ["--cpus", f"{cpus:g}"]
    return options


def tend_insight(plan: Plan, facts: Facts, anew: bool) -> list[Step]:
    """Return the step that starts RedisInsight, or makes it anew where it differs.

    `anew` says that its preset connection changes, which it reads only when it starts. Without its
    image there is nothing to do: who opened the environment says so.
    """
    insight, housing = plan.insight, facts.housing
    if (
        insight is None
        or isinstance(housing, Missing)
        or isinstance(housing.insight_image, Missing)
    ):
        return []
    if isinstance(housing.insight, Missing):
        # (its volume is not there yet where it was switched on later)
        return [*_insight_volume(plan, housing), _start_insight("start RedisInsight", "start")]
    wrong = insight_differences(plan, insight, housing)
    if anew:
        wrong.append("its connection changed")
    if wrong:
        return [_start_insight(f"make RedisInsight anew: {'; '.join(wrong)}", "recreate")]
    if housing.insight.state != "running":
        return [_start_insight(f"start RedisInsight ({housing.insight.state})", "start")]
    return []


def _start_insight(title: str, action: str) -> Step:
    return Step(id="insight", title=title, do=Control(action, service="redisinsight"))


def insight_differences(plan: Plan, insight: Insight, housing: Housing) -> list[str]:
    """Return how RedisInsight's container differs from the plan."""
    found = housing.insight
    assert isinstance(found, ContainerFacts) and plan.container is not None
    declared = (Publication("127.0.0.1", insight.port, INSIGHT_PORT),)
    data = found.mounted(DATA)
    wrong = _image(found, insight.image, housing.insight_image)
    wrong += change("published", said(found.published), said(declared))
    wrong += change("data", data.source if data else "", insight.volume)
    wrong += _limits_gone(found, insight.limits) + _logging(found, plan.container)
    if found.attachment(plan.container.network) is None:
        wrong.append(f"it is not on network {plan.container.network}")
    return wrong
