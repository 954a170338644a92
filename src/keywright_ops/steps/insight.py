"""Steps that run RedisInsight's container on a Linux host, published on its loopback alone.

A label holds what the container was made from, so that another one is made exactly when that changes. A
container of its name that Keywright did not make is replaced only when a person says so; its volume stays.
"""

from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.machine import Beside, Machine
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import RunCommand, Step
from keywright_ops.render.container import INSIGHT_GROUP
from keywright_ops.render.insight import FOLDER, insight_argv
from keywright_ops.steps.files import digest, write_id

PRESETS = f"{FOLDER}/databases.json"
LABEL = "keywright.made"


def made_from(plan: Plan) -> str:
    """Return the mark of what the container is made from."""
    return digest(" ".join(insight_argv(plan)))[:16]


def run_argv(plan: Plan) -> tuple[str, ...]:
    """Return the docker line that makes and starts it, with its label."""
    argv = insight_argv(plan)
    return (*argv[:2], "--label", f"{LABEL}={made_from(plan)}", *argv[2:])


def open_presets(plan: Plan, machine: Machine) -> list[Step]:
    """Return the step that makes the folder of its preset for the image's account; [] when it is there."""
    if plan.insight is None or FOLDER in machine.folders:
        return []
    group = str(INSIGHT_GROUP)
    argv = ("install", "-d", "-o", "root", "-g", group, "-m", "2750", FOLDER)
    return [Step(f"folder-{FOLDER}", f"make {FOLDER} for RedisInsight's account", RunCommand(argv))]


def tend_insight(
    plan: Plan, machine: Machine, writes: list[Step], adopt: bool = False
) -> list[Step]:
    """Return the steps after which it runs as declared; [] when it does, or has no image there."""
    insight, found = plan.insight, machine.insight
    if insight is None or isinstance(machine.insight_image, Missing):
        return []
    anew = any(step.id == write_id(PRESETS) for step in writes)
    name = insight.name
    remove = RunCommand(("docker", "rm", "-f", name))
    run = RunCommand(run_argv(plan))
    if isinstance(found, Missing):
        if found.why != NOT_THERE:
            return []
        return [Step("insight", "start RedisInsight", run, undo=remove)]
    if is_foreign(found) and not adopt:
        return []
    if found.made != made_from(plan):
        begin = Step("insight", "make RedisInsight's container anew", run, undo=remove)
        away = (
            f"remove the old container of RedisInsight{' (not ours)' if is_foreign(found) else ''}"
        )
        return [Step("insight-remove", f"{away}; its volume stays", remove), begin]
    if found.state != "running" or anew:
        why = "so that it reads its connection anew" if anew else f"it is {found.state}"
        start = RunCommand(("docker", "restart", name))
        return [Step("insight", f"start RedisInsight again, {why}", start)]
    return []


def is_foreign(found: Beside) -> bool:
    """Whether somebody else made the container."""
    return not found.made
