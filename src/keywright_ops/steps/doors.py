"""What a container that is made anew closes to its clients: networks, names and published addresses."""

from keywright_ops.model.absence import Missing
from keywright_ops.model.container import Housing
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Danger, Step
from keywright_ops.steps.container import declared_publications


def clients_move(ending: Step, plan: Plan, housing: Housing) -> Step:
    """Return the stop with what clients must do, where they would not find the server again."""
    closed = closed_doors(plan, housing)
    if not closed:
        return ending
    title = f"{ending.title}; clients must follow: {', '.join(closed)}"
    return ending._replace(title=title, danger=max(ending.danger, Danger.CLIENTS_FOLLOW))


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
    closed += [
        f"network {each.network} is left"
        for each in found.networks
        if each.network != container.network
    ]
    attached = found.attachment(container.network)
    if attached is not None and found.service and container.service not in attached.aliases:
        closed.append(f"nobody answers to the name {found.service} any more")
    return closed
