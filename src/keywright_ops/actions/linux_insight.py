"""RedisInsight beside a service of a Linux host: by itself, and before `up` changes anything."""

from keywright.errors import ApplyError, KeywrightError, Refused, Unreachable
from keywright_ops.actions.declared import declare, file_paths
from keywright_ops.actions.environment import Opened
from keywright_ops.actions.images import pull
from keywright_ops.actions.linux_refusals import called, machine_of
from keywright_ops.actions.takeover import locked_out, rotated_by_us
from keywright_ops.apply.apply import Workshop, apply
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.machine import Beside, Machine
from keywright_ops.model.plan import Insight
from keywright_ops.model.plan import Warning as Caution
from keywright_ops.model.step import KeepSecret, RunCommand, Step, WriteFile
from keywright_ops.render.insight import FOLDER
from keywright_ops.steps.diff import diff
from keywright_ops.steps.insight import is_foreign

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared only
OURS = ("insight", "insight-remove", f"folder-{FOLDER}")


def refuse_foreign_insight(opened: Opened, adopt: bool) -> None:
    """A container of RedisInsight's name that somebody else made is not replaced unasked, and one that
    publishes its port is in its way. Raises Refused."""
    insight, unit, machine = opened.plan.insight, opened.plan.unit, machine_of(opened)
    if insight is None or unit is None:
        return
    for name, address, port in machine.published:
        if port == insight.port and name != insight.name:
            raise Refused(
                f"port {port} of {called(unit)} is taken by the container {name} ({address}:{port})",
                f"docker rm -f {name}; or another port: env.{opened.plan.environment}.insight.port",
            )
    found = machine.insight
    if isinstance(found, Beside) and is_foreign(found) and not adopt:
        open_to = [a for n, a, _ in machine.published if n == insight.name and a in EVERYWHERE]
        past = ", published to everybody, past the firewall" if open_to else ""
        declared = declare(opened)
        facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
        losers = locked_out(
            declared, facts, rotated_by_us(opened.vault)
        )  # one --adopt accepts both
        also = f"; and taking the server over would lock out {', '.join(losers)}" if losers else ""
        raise Refused(
            f"{insight.name} on {called(unit)} is a container that Keywright did not make{past}{also}",
            "`keywright up --adopt` makes it anew on loopback and keeps its volume;"
            f" or give ours another name: env.{opened.plan.environment}.insight.name",
        )


def take_insight_over(opened: Opened, shop: Workshop) -> None:
    """Fetch RedisInsight's image where it is not there, and remove somebody else's container of its name.

    Without the image the environment does without RedisInsight, and a warning says so.
    """
    plan, machine = opened.plan, machine_of(opened)
    if plan.insight is None or isinstance(machine.docker, Missing) or not machine.root:
        return
    steps: list[Step] = []
    if isinstance(machine.insight_image, Missing):
        steps.append(pull(plan.insight.image))
    if isinstance(machine.insight, Beside) and is_foreign(machine.insight):
        remove = RunCommand(("docker", "rm", "-f", plan.insight.name))
        title = "remove RedisInsight's container that was made by hand; its volume stays"
        steps.append(Step("insight-foreign", title, remove))
    if not steps:
        return
    try:
        apply(steps, shop, [])
    except KeywrightError:
        return  # `without_image` tells; what stands there stays, since nothing could stand for it
    assert opened.target.host is not None
    opened.target.host.look()


def without_image(opened: Opened) -> tuple[Caution, ...]:
    """Return the warning that RedisInsight is left out for want of its image."""
    insight, machine = opened.plan.insight, machine_of(opened)
    if insight is None or not isinstance(machine.insight_image, Missing):
        return ()
    path = f"env.{opened.plan.environment}.insight.image"
    text = f"{insight.image} is not on the host and could not be fetched: RedisInsight is left out"
    return (Caution(path, text),)


def up_steps(opened: Opened) -> tuple[Step, ...]:
    """Return those of `up`'s steps that are about RedisInsight; () when it is as declared.

    Raises Unreachable when the server does not run, Refused when the environment has to change first.
    """
    declared = declare(opened)
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
    if isinstance(facts.process, Missing):
        raise Unreachable(
            f"no server of environment {opened.plan.environment} runs",
            "`keywright up` starts it, and RedisInsight with it",
        )
    machine = _machine(facts)
    first: tuple[Step, ...] = ()
    assert opened.plan.insight is not None
    if isinstance(machine.insight_image, Missing):
        first = (pull(opened.plan.insight.image),)
        facts = facts._replace(machine=machine._replace(insight_image="pulled"))
    steps = diff(declared, facts)
    ours = tuple(step for step in steps if _is_ours(step))
    begins = any(step.id == "insight" for step in ours)
    runs = isinstance(machine.insight, Beside) and machine.insight.state == "running"
    if steps and not begins and not runs:
        raise Refused(
            f"environment {opened.plan.environment} itself is not as declared",
            "`keywright up` brings it there, and RedisInsight with it; `keywright diff` shows what",
        )
    return (*first, *ours)


def _is_ours(step: Step) -> bool:
    if isinstance(step.do, WriteFile):
        return step.do.path.startswith(f"{FOLDER}/")
    return isinstance(step.do, KeepSecret) or step.id in OURS


def down_steps(opened: Opened) -> tuple[Step, ...]:
    """Return the steps that stop and remove its container; the volume stays. () when there is none."""
    machine, insight = machine_of(opened), opened.plan.insight
    assert insight is not None
    if isinstance(machine.insight, Missing):
        return ()
    if is_foreign(machine.insight):
        raise Refused(
            f"{insight.name} is a container that Keywright did not make",
            f"is it yours? Then: docker rm -f {insight.name}",
        )
    remove = RunCommand(("docker", "rm", "-f", insight.name))
    return (Step("remove-insight", "stop RedisInsight and remove its container", remove),)


def look(opened: Opened, insight: Insight, patient: float) -> tuple[str, str | Missing]:
    """Return its container's state ("" for none) and its own word; ask for `patient` seconds."""
    import time

    host = opened.target.host
    assert host is not None
    machine = host.look()
    found = machine if isinstance(machine, Missing) else machine.insight
    state = "" if isinstance(found, Missing) else found.state
    if state != "running":
        return state, Missing("it does not run")
    end = time.monotonic() + patient
    health = host.insight_health(insight.port)
    while isinstance(health, Missing) and time.monotonic() < end:
        time.sleep(0.2)
        health = host.insight_health(insight.port)
    return state, health


def _machine(facts: Facts) -> Machine:
    if isinstance(facts.machine, Missing):
        raise ApplyError(facts.machine.why)
    return facts.machine
