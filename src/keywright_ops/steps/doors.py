"""The ways to a container's server: networks, names on them, published addresses; what opens and closes.

A running container is put on a network, and taken off one, without a restart. Docker binds published
ports to the network that a container was on when it began, so with those it must be made anew.
"""

from keywright_ops.model.absence import Missing
from keywright_ops.model.container import ContainerFacts, Housing, Publication
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Danger, RunCommand, Step
from keywright_ops.plan.docker import publications


def change(what: str, seen: str, declared: str) -> list[str]:
    """Say how something differs; [] when it does not."""
    if seen == declared:
        return []
    return [f"{what} {seen or '(none)'} → {declared or '(none)'}"]


def declared_publications(plan: Plan) -> tuple[Publication, ...]:
    """Return the addresses of the host under which the server is to answer; () for none."""
    return tuple(
        Publication(address.strip("[]"), port, inside)
        for address, port, inside in publications(plan)
    )


def published_differences(plan: Plan, found: ContainerFacts) -> list[str]:
    """Return how the addresses of the host under which it answers differ from the declared."""
    return change("published", said(found.published), said(declared_publications(plan)))


def said(published: tuple[Publication, ...]) -> str:
    """Return published addresses as a person reads them."""
    return ", ".join(f"{each.address}:{each.port} to {each.inside}" for each in published)


def network_differences(plan: Plan, found: ContainerFacts) -> list[str]:
    """Return how the networks that it is on differ from the declared one."""
    assert plan.container is not None
    name, service = plan.container.network, plan.container.service
    wrong = [] if _attached(plan, found) else [f"it is not on network {name} as {service}"]
    return wrong + [f"it is also on network {each}" for each in _others(plan, found)]


def _attached(plan: Plan, found: ContainerFacts) -> bool:
    assert plan.container is not None
    attached = found.attachment(plan.container.network)
    return attached is not None and plan.container.service in attached.aliases


def _others(plan: Plan, found: ContainerFacts) -> list[str]:
    assert plan.container is not None
    return [each.network for each in found.networks if each.network != plan.container.network]


def attaches_live(plan: Plan, found: ContainerFacts) -> bool:
    """Whether its networks can be put right while it runs."""
    return _attached(plan, found) or not found.published or not found.networks


def attach_live(plan: Plan, housing: Housing, declared: bool) -> list[Step]:
    """Return the steps that put a running container on its network and take it off others.

    `declared` says that another network was declared, so that clients on the old one must follow; what
    somebody attached by hand, nobody was promised.
    """
    found, container = housing.container, plan.container
    if isinstance(found, Missing) or container is None or not attaches_live(plan, found):
        return []
    steps = []
    if not _attached(plan, found):
        if isinstance(housing.network, Missing):
            steps.append(make("network", container.network, plan))
        if found.attachment(container.network) is not None:
            steps.append(_leave(found, container.network, declared))
        steps.append(_join(found.name, container.network, container.service))
    return steps + [_leave(found, name, declared) for name in _others(plan, found)]


def _join(container: str, network: str, alias: str) -> Step:
    return Step(
        id=f"join-{network}",
        title=f"put {container} on network {network} as {alias}, while it runs",
        do=RunCommand(("docker", "network", "connect", "--alias", alias, network, container)),
        undo=RunCommand(("docker", "network", "disconnect", network, container)),
    )


def _leave(found: ContainerFacts, network: str, declared: bool) -> Step:
    attached = found.attachment(network)
    names = () if attached is None else attached.aliases
    aliases = [word for name in names for word in ("--alias", name) if name != found.id[:12]]
    step = Step(
        id=f"leave-{network}",
        title=f"take {found.name} off network {network}, while it runs",
        do=RunCommand(("docker", "network", "disconnect", network, found.name)),
        undo=RunCommand(("docker", "network", "connect", *aliases, network, found.name)),
    )
    return _asked(step, [f"network {network} is left"]) if declared else step


def make(kind: str, name: str, plan: Plan) -> Step:
    """Return the step that makes a network or a volume, with the environment's label."""
    label = ("--label", f"keywright.environment={plan.app}-{plan.environment}")
    return Step(
        id=f"make-{name}",
        title=f"make the {kind} {name}",
        do=RunCommand(("docker", kind, "create", *label, name)),
        undo=RunCommand(("docker", kind, "rm", name)),
    )


def clients_move(ending: Step, plan: Plan, housing: Housing) -> Step:
    """Return the stop with what clients must do, where they would not find the server again."""
    closed = closed_doors(plan, housing)
    return _asked(ending, closed) if closed else ending


def _asked(step: Step, closed: list[str]) -> Step:
    title = f"{step.title}; clients must follow: {', '.join(closed)}"
    return step._replace(title=title, danger=max(step.danger, Danger.CLIENTS_FOLLOW))


def closed_doors(plan: Plan, housing: Housing) -> list[str]:
    """Return one sentence for each way to the server that the plan no longer has."""
    found, container = housing.container, plan.container
    if isinstance(found, Missing) or container is None:
        return []
    kept = {(each.address, each.port) for each in declared_publications(plan)}
    closed = [
        f"{each.address}:{each.port} closes"
        for each in found.published
        if (each.address, each.port) not in kept
    ]
    closed += [f"network {name} is left" for name in _others(plan, found)]
    attached = found.attachment(container.network)
    if attached is not None and found.service and container.service not in attached.aliases:
        closed.append(f"nobody answers to the name {found.service} any more")
    return closed
