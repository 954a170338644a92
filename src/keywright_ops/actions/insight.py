"""insight: RedisInsight of an environment by itself: start it, look at it, take it down."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright.errors import ApplyError, InputError, KeywrightError, Refused, Unreachable
from keywright_ops.actions import linux_insight
from keywright_ops.actions.declared import declare, file_paths
from keywright_ops.actions.environment import Opened, open_environment
from keywright_ops.actions.images import pull
from keywright_ops.actions.site_login import SiteLogin, renew_login, site_login
from keywright_ops.actions.taking_back import apply_or_undo
from keywright_ops.actions.up import Ask, home_of, open_for_change, workshop
from keywright_ops.apply.lock import lock
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.gather.insight import insight_health
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.container import ContainerFacts, Housing
from keywright_ops.model.facts import Facts
from keywright_ops.model.plan import Container, Insight, Plan
from keywright_ops.model.step import Control, KeepSecret, RunCommand, Step, WriteFile
from keywright_ops.render.compose import preset_folder
from keywright_ops.steps.declared import Declared
from keywright_ops.steps.diff import diff

SERVICE, SERVICE_STEP = "redisinsight", "insight"
HEALTHY_WITHIN = 60.0  # seconds that RedisInsight may take from its start to its first answer


class InsightReport(NamedTuple):
    """RedisInsight as it is: its container's `state` ("" for none), where, as whom it connects, its
    health; the login of its site; and the steps that were done."""

    plan: Plan
    insight: Insight
    state: str
    url: str
    health: str | Missing
    steps: tuple[Step, ...] = ()
    login: SiteLogin | Missing = Missing("no site is declared")


def insight_status(
    file: str | None, environment: str | None, environ: Mapping[str, str]
) -> InsightReport:
    """Look at RedisInsight; nothing is changed."""
    return _look(open_environment(file, environment, environ))


def up_steps(opened: Opened) -> tuple[Step, ...]:
    """Return those of `up`'s steps that are about RedisInsight; () when it is as declared.

    Raises Unreachable when the server does not run, Refused when the environment has to change first.
    """
    if _on_linux(opened):
        return linux_insight.up_steps(opened)
    insight, container = _demand_insight(opened)
    declared = declare(opened)
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
    housing = _housing(facts)
    if isinstance(facts.process, Missing):
        raise Unreachable(
            f"no server of environment {opened.plan.environment} runs",
            "`keywright up` starts it, and RedisInsight with it",
        )
    first: tuple[Step, ...] = ()
    if housing.insight_image == Missing(NOT_THERE):
        first = (pull(insight.image),)
        # as it will be when the image is there
        facts = facts._replace(housing=housing._replace(insight_image="pulled"))
    steps = diff(declared, facts)
    ours = tuple(each for each in steps if _is_ours(each, declared, insight, container))
    if not any(isinstance(each.do, Control) for each in ours) and _waits(steps, housing):
        raise Refused(
            f"environment {opened.plan.environment} itself is not as declared",
            "`keywright up` brings it there, and RedisInsight with it; `keywright diff` shows what",
        )
    return (*first, *ours)


def _is_ours(step: Step, declared: Declared, insight: Insight, container: Container) -> bool:
    """Whether a step of the environment is needed for RedisInsight."""
    assert declared.compose is not None
    folder = f"{declared.compose.folder}/{preset_folder(container.compose_file)}/"
    match step.do:
        case WriteFile(path):
            return path.startswith(folder) or path == declared.compose.path
        case KeepSecret():
            return True
        case _:
            return step.id in (SERVICE_STEP, f"update-{insight.name}", f"make-{insight.volume}")


def _waits(steps: tuple[Step, ...], housing: Housing) -> bool:
    """Whether RedisInsight is not there, and the steps end before its turn comes."""
    runs = isinstance(housing.insight, ContainerFacts) and housing.insight.state == "running"
    return bool(steps) and not runs


def insight_up(ask: Ask) -> InsightReport:
    """Start RedisInsight, and wait for its own word that it is up."""
    with lock(f"{home_of(ask)}/lock", "keywright insight up"):
        opened = open_for_change(ask)
        steps = up_steps(opened)
        shop = workshop(opened, ask)
        if steps and steps[0].id.startswith("pull-"):
            _fetch(steps[0], opened, ask)
            steps = up_steps(opened)  # the image's own id is known now
        apply_or_undo(steps, shop)
    report = _look(opened, patient=bool(steps))
    if isinstance(report.health, Missing):
        raise Unreachable(
            f"RedisInsight ({report.insight.name}) is {report.state or 'not there'} but does not"
            f" answer: {report.health.why}",
            f"docker logs {report.insight.name}",
        )
    return report._replace(steps=steps)


def _fetch(step: Step, opened: Opened, ask: Ask) -> None:
    insight = opened.plan.insight
    assert insight is not None
    try:
        apply_or_undo((step,), workshop(opened, ask))
    except KeywrightError:
        raise ApplyError(
            f"RedisInsight's image {insight.image} is not here and cannot be pulled",
            f"docker load it; or name another: env.{opened.plan.environment}.insight.image",
        ) from None


def down_steps(opened: Opened) -> tuple[Step, ...]:
    """Return the steps that stop and remove its container; the volume stays. () when there is none."""
    if _on_linux(opened):
        return linux_insight.down_steps(opened)
    insight, container = _demand_insight(opened)
    housing = _housing(gather(opened.target, opened.plan, frozenset({"housing"})))
    found = housing.insight
    if isinstance(found, Missing):
        return ()
    if found.project != container.project:
        of = f"of the project {found.project}" if found.project else "that Compose did not make"
        raise Refused(
            f"{insight.name} is a container {of}",
            f"is it yours? Then: docker rm -f {insight.name}",
        )
    back = Control("start", service=SERVICE)
    stop = ("docker", "stop", "--time", "10", found.id)
    steps = [Step("stop-insight", "stop RedisInsight", RunCommand(stop), undo=back)]
    remove = RunCommand(("docker", "rm", found.id))
    steps.append(
        Step("remove-insight", "remove its container; its volume stays", remove, undo=back)
    )
    return tuple(steps)


def insight_down(ask: Ask) -> InsightReport:
    """Stop RedisInsight and remove its container."""
    with lock(f"{home_of(ask)}/lock", "keywright insight down"):
        opened = open_for_change(ask)
        steps = down_steps(opened)
        apply_or_undo(steps, workshop(opened, ask))
    return _look(opened)._replace(steps=steps)


def insight_renew(ask: Ask) -> InsightReport:
    """Give the login of RedisInsight's site another password."""
    opened, steps = renew_login(ask)
    return _look(opened)._replace(steps=steps)


def _on_linux(opened: Opened) -> bool:
    """Whether it is a container beside a service of a Linux host, which Compose does not know."""
    return opened.plan.unit is not None and opened.plan.insight is not None


def _demand_insight(opened: Opened) -> tuple[Insight, Container]:
    """Return RedisInsight's part of the plan. Raises InputError for a plan without it."""
    plan = opened.plan
    if plan.insight is None and (plan.container or plan.unit):
        without = " (its host has no Docker Engine)" if plan.unit else ""
        raise InputError(
            f"environment {plan.environment} has no RedisInsight{without}",
            f"env.{plan.environment}.insight.enabled = true",
        )
    if plan.container is None or plan.insight is None:
        raise InputError(
            f"environment {plan.environment} ({plan.kind}) is neither Docker's nor a Linux host's",
            "`keywright insight` is for those: -e dev, -e prod, -e linux",
        )
    return plan.insight, plan.container


def _housing(facts: Facts) -> Housing:
    assert not isinstance(facts.housing, Missing)
    return facts.housing


def _look(opened: Opened, patient: bool = False) -> InsightReport:
    """See how it is; `patient` waits for a container that has just been started."""
    if _on_linux(opened) and opened.plan.insight is not None:
        insight = opened.plan.insight
        patience = HEALTHY_WITHIN if patient else 0.0
        state, health = linux_insight.look(opened, insight, patience)
        url = f"http://127.0.0.1:{insight.port}"
        return InsightReport(opened.plan, insight, state, url, health, login=site_login(opened))
    insight, _ = _demand_insight(opened)
    found = _housing(gather(opened.target, opened.plan, frozenset({"housing"}))).insight
    state = "" if isinstance(found, Missing) else found.state
    health = Missing("it does not run")
    if state == "running":
        health = _wait(insight.port) if patient else insight_health(insight.port)
    return InsightReport(opened.plan, insight, state, f"http://127.0.0.1:{insight.port}", health)


def _wait(port: int) -> str | Missing:
    """Ask until it answers, for HEALTHY_WITHIN seconds at most."""
    import time

    end = time.monotonic() + HEALTHY_WITHIN
    health = insight_health(port)
    while isinstance(health, Missing) and time.monotonic() < end:
        time.sleep(0.2)
        health = insight_health(port)
    return health
