"""The steps around a container: the ground below it, a foreign one set aside, live changes, its end.

What differs is told by steps/container.py; here it becomes steps, each a command that a person could type.
"""

from keywright_ops.facts.container import foreign
from keywright_ops.model.absence import Missing
from keywright_ops.model.container import ContainerFacts, Housing
from keywright_ops.model.facts import Facts
from keywright_ops.model.plan import Limits, Plan
from keywright_ops.model.step import Control, InOrder, RunCommand, Step
from keywright_ops.steps.container import (
    differences,
    insight_differences,
    limit_differences,
    limits_gone,
)
from keywright_ops.steps.doors import make


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
    """The start of a container: made anew where it differs; where there was none of ours before, it is
    undone by leaving the name free again."""
    found = housing.container
    assert plan.container is not None
    if isinstance(found, Missing) or foreign(plan, found):
        # -f: where Compose failed, there may be none
        leave = RunCommand(("docker", "rm", "-f", plan.container.name))
        return begin._replace(undo=InOrder((Control("stop"), leave)))
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
    if not said or limits_gone(found, limits):
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
        first = _start_insight("start RedisInsight", "start")
        remove = RunCommand(("docker", "rm", "-f", insight.name))
        return [*_insight_volume(plan, housing), first._replace(undo=remove)]
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
