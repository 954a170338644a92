"""Carries the questions about a Linux host there, or asks them from beside it, and has the answers judged."""

from functools import partial

from keywright.errors import KeywrightError
from keywright.secret import Secret
from keywright_ops.checks.machine import (
    judge_bridge,
    judge_closed_outside,
    judge_firewall,
    judge_folders,
    judge_insight_there,
    judge_kernel,
    judge_service,
)
from keywright_ops.checks.site import judge_loopback, judge_site
from keywright_ops.facts.insight import HEALTH
from keywright_ops.gather.scene import Scene
from keywright_ops.model.absence import Missing
from keywright_ops.model.proof import (
    UNKNOWN,
    BridgeReaches,
    ClosedOutside,
    FirewallHolds,
    FoldersClosed,
    InsightAnswers,
    InsightOnLoopback,
    KernelHolds,
    Outcome,
    Proof,
    ServiceHolds,
    SiteAnswers,
    SiteRedirects,
    SiteRefuses,
)
from keywright_ops.render.firewall import server_port
from keywright_ops.targets.aside import Aside
from keywright_ops.targets.target import Host

WRONG = Secret("not-the-password")  # nobody's: what Keywright makes is random


def probe_machine(proof: Proof, scene: Scene) -> Outcome:
    """Ask one question about the host; what cannot be asked is unknown."""
    if scene.target.host is None:
        return Outcome(proof, UNKNOWN, "it is no service of a Linux host")
    try:
        return _ask(proof, scene, scene.target.host)
    except KeywrightError as error:
        return Outcome(proof, UNKNOWN, str(error))


def _ask(proof: Proof, scene: Scene, host: Host) -> Outcome:
    plan, machine = scene.plan, scene.facts.machine
    match proof.probe:
        case ServiceHolds():
            return judge_service(proof, plan, machine)
        case FoldersClosed():
            return judge_folders(proof, plan, machine)
        case KernelHolds():
            return judge_kernel(proof, plan, machine)
        case FirewallHolds():
            return judge_firewall(proof, plan, machine)
        case ClosedOutside():
            ports = (server_port(plan), *((plan.insight.port,) if plan.insight else ()))
            knocks = {port: Aside(partial(host.knock, port)) for port in ports}  # silence is slow
            seen = {port: each.answer() for port, each in knocks.items()}
            return judge_closed_outside(proof, plan, machine, seen)
        case BridgeReaches():
            return judge_bridge(proof, plan, machine, _from_container(scene, host))
        case InsightAnswers():
            assert plan.insight is not None
            return judge_insight_there(proof, plan, machine, host.insight_health(plan.insight.port))
        case SiteRefuses() | SiteAnswers() | SiteRedirects() | InsightOnLoopback():
            return _of_site(proof, scene, host)
        case _:
            return Outcome(proof, UNKNOWN, "nobody knows how to ask this")


def _of_site(proof: Proof, scene: Scene, host: Host) -> Outcome:
    """As a visitor without a login, with a wrong one, or with the right one."""
    insight, machine = scene.plan.insight, scene.facts.machine
    assert insight is not None
    if isinstance(proof.probe, InsightOnLoopback):
        heard = scene.target.transport.listening(insight.port)
        return judge_loopback(proof, insight, machine, heard)
    if isinstance(proof.probe, SiteAnswers) and scene.site is None:
        return Outcome(proof, UNKNOWN, "no login was made yet")
    passwords = {"nobody": None, "stranger": WRONG, "": scene.site}
    login = proof.probe.login if isinstance(proof.probe, SiteRefuses) else ""
    secure = not isinstance(proof.probe, SiteRedirects)
    answer = host.visit(insight.site, secure, HEALTH, passwords[login] if secure else None)
    return judge_site(proof, insight, machine, answer)


def _from_container(scene: Scene, host: Host) -> str | Missing:
    insight, machine = scene.plan.insight, scene.facts.machine
    assert insight is not None
    if isinstance(machine, Missing) or isinstance(machine.insight, Missing):
        return Missing("RedisInsight is not there")
    return host.seen_from(insight.name, str(insight.redis_host), insight.redis_port)
