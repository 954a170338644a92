"""Carries the questions about a Linux host there, or asks them from beside it, and has the answers judged."""

from keywright.errors import KeywrightError
from keywright_ops.checks.machine import (
    judge_bridge,
    judge_closed_outside,
    judge_firewall,
    judge_folders,
    judge_insight_there,
    judge_kernel,
    judge_service,
)
from keywright_ops.gather.scene import Scene
from keywright_ops.model.absence import Missing
from keywright_ops.model.proof import (
    UNKNOWN,
    BridgeReaches,
    ClosedOutside,
    FirewallHolds,
    FoldersClosed,
    InsightAnswers,
    KernelHolds,
    Outcome,
    Proof,
    ServiceHolds,
)
from keywright_ops.render.firewall import server_port
from keywright_ops.targets.target import Host


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
            seen = {port: host.knock(port) for port in ports}
            return judge_closed_outside(proof, plan, machine, seen)
        case BridgeReaches():
            return judge_bridge(proof, plan, machine, _from_container(scene, host))
        case InsightAnswers():
            assert plan.insight is not None
            return judge_insight_there(proof, plan, machine, host.insight_health(plan.insight.port))
        case _:
            return Outcome(proof, UNKNOWN, "nobody knows how to ask this")


def _from_container(scene: Scene, host: Host) -> str | Missing:
    insight, machine = scene.plan.insight, scene.facts.machine
    assert insight is not None
    if isinstance(machine, Missing) or isinstance(machine.insight, Missing):
        return Missing("RedisInsight is not there")
    return host.seen_from(insight.name, str(insight.redis_host), insight.redis_port)
