"""What a change of a Docker environment refuses before it begins: each says what stands in the way.

Nothing has been changed when one of these is raised.
"""

from collections.abc import Mapping

from keywright.errors import ApplyError, Refused
from keywright_ops.actions.environment import Opened, read_choices
from keywright_ops.actions.refusals import refuse_remote_engine
from keywright_ops.facts.container import foreign
from keywright_ops.gather.engine_host import find_engine_host
from keywright_ops.model.absence import Missing
from keywright_ops.model.container import ContainerFacts, Housing
from keywright_ops.model.facts import Facts
from keywright_ops.model.step import Control, Move, RunCommand, Signal, Step
from keywright_ops.render.container import DATA
from keywright_ops.steps.appendonly import appendonly_on_disk
from keywright_ops.steps.declared import Declared
from keywright_ops.steps.doors import declared_publications
from keywright_ops.targets.ports import TAKEN, holder
from keywright_ops.targets.target import Container

WRITTEN = b"Written by Keywright"  # stands in the first lines of every file of ours


def refuse_housing(opened: Opened, facts: Facts, steps: tuple[Step, ...], adopt: bool) -> None:
    """Refuse what would take, lose or shadow something; `steps` are those that would be done."""
    housing, container = facts.housing, opened.target.container
    if isinstance(housing, Missing) or container is None:
        return
    _refuse_other_volume(opened, housing)
    _refuse_small_machine(opened, container, steps)
    if any(isinstance(each.do, Control | Signal) for each in steps):
        container.compose()  # Unreachable without one
        _refuse_shadow(opened, housing, adopt)
        _refuse_namesake(opened, container, housing)
        _refuse_taken_ports(opened, housing)
        _refuse_unloadable(opened, facts, steps)


def refuse_foreign_container(opened: Opened, facts: Facts, adopt: bool) -> None:
    """A container of our name that somebody else made is neither asked nor changed. Raises Refused."""
    plan, housing = opened.plan, facts.housing
    whose = "" if isinstance(housing, Missing) else foreign(plan, housing.container)
    if whose and not adopt:
        assert plan.container is not None
        raise Refused(
            f"there is a container {plan.container.name} already, and it is {whose}",
            f"`keywright up -e {plan.environment} --adopt` takes its data over and sets it aside; or "
            f"declare another name: env.{plan.environment}.container.name",
        )


def set_compose_aside(opened: Opened, declared: Declared, adopt: bool) -> tuple[Step, ...]:
    """Return the step that keeps a compose file which a person wrote, under another name; () for none.

    Raises Refused without `adopt`: it may hold services that Keywright knows nothing of.
    """
    if declared.compose is None:
        return ()
    path = declared.compose.path
    content = opened.target.transport.read(path)
    if isinstance(content, Missing) or WRITTEN in content[:400]:
        return ()
    if not adopt:
        raise Refused(
            f"{path} is there, and Keywright did not write it",
            f"declare another name: env.{opened.plan.environment}.container.compose_file; or "
            "`keywright up --adopt` keeps it under another name",
        )
    aside = f"{path}.before-keywright"
    return (
        Step(
            id="compose-aside",
            title=f"keep {path.rpartition('/')[2]} as {aside.rpartition('/')[2]}",
            do=Move(path, aside),
            undo=Move(aside, path),
        ),
    )


def _refuse_other_volume(opened: Opened, housing: Housing) -> None:
    """The container's data lies in another volume than the declared: a new one would not see it."""
    found, plan = housing.container, opened.plan
    if isinstance(found, Missing) or plan.container is None:
        return
    mount = found.mounted(DATA)
    wanted = plan.container.volume
    if mount is None:
        raise Refused(
            f"the data of container {found.name} lies in no volume: it would go with the container",
            f"docker cp {found.name}:{DATA} . keeps a copy; then remove the container and run it again",
        )
    if mount.kind == "volume" and mount.source == wanted:
        return
    where = f"volume {mount.source}" if mount.kind == "volume" else mount.source
    anonymous = mount.kind == "volume" and len(mount.source) == 64
    told = f"the anonymous volume {mount.source[:12]}…" if anonymous else where
    raise Refused(
        f"the data of container {found.name} lies in {told}, and {wanted} would begin without it",
        f'declare env.{plan.environment}.container.volume = "{mount.source}", or copy the data over',
    )


def _refuse_shadow(opened: Opened, housing: Housing, adopt: bool) -> None:
    """No container, and a volume of that name under a project's, or another one that we used before."""
    plan = opened.plan
    assert plan.container is not None
    key = f"env.{plan.environment}.container.volume"
    if not isinstance(housing.container, Missing) or adopt:
        return
    before = read_choices(opened.home).get("volume", "")
    wanted = plan.container.volume
    volumes = opened.target.container.volumes if opened.target.container else tuple
    if before not in ("", wanted) and volumes(before):
        raise Refused(
            f"this environment's data lies in volume {before}, and {wanted} would begin without it",
            f'declare {key} = "{before}"; or say --adopt to begin with {wanted} all the same',
        )
    if not isinstance(housing.volume, Missing):
        return
    for name in volumes(f"_{wanted}"):
        raise Refused(
            f"there is a volume {name}, which Compose made for another project, and {wanted} would "
            "begin without its data",
            f'declare {key} = "{name}" to take it over; or say --adopt to begin empty',
        )


def _refuse_namesake(opened: Opened, container: Container, housing: Housing) -> None:
    """Another container answers to the same name on the network: clients would reach either."""
    plan = opened.plan
    assert plan.container is not None
    if isinstance(housing.network, Missing):
        return
    names = tuple(each for each in housing.network.containers if each != plan.container.name)
    for other in container.others(names) if names else ():
        attached = other.attachment(plan.container.network)
        if attached is not None and plan.container.service in attached.aliases:
            raise Refused(
                f"on network {plan.container.network} container {other.name} answers to the name "
                f"{plan.container.service} already",
                f"stop it, or declare another one: env.{plan.environment}.container.network",
            )


def _refuse_taken_ports(opened: Opened, housing: Housing) -> None:
    """A port of this host that somebody else holds is an error, never another port."""
    plan = opened.plan
    places = [(each.address, each.port, "publish") for each in declared_publications(plan)]
    ours = _published(housing.container)
    if plan.insight is not None and not isinstance(housing.insight_image, Missing):
        places.append(("127.0.0.1", plan.insight.port, "insight.port"))
        ours |= _published(housing.insight)
    for address, port, key in places:
        if port in ours:
            continue
        if opened.target.transport.bind_problem(address, port) == TAKEN:
            publisher = opened.target.container.publisher(port) if opened.target.container else ""
            who = f"the container {publisher}" if publisher else holder(port)
            raise ApplyError(
                f"port {port} on {address} is taken by {who}",
                f"stop that, or declare another one: env.{plan.environment}.{key}",
            )


def _published(found: ContainerFacts | Missing) -> set[int]:
    """The ports that the running container holds: it gives them back when it is made anew."""
    if isinstance(found, Missing) or not found.running:
        return set()
    return {each.port for each in found.published}


def _refuse_small_machine(opened: Opened, container: Container, steps: tuple[Step, ...]) -> None:
    """Limits that the machine does not have."""
    plan = opened.plan
    touched = any(isinstance(each.do, Control | RunCommand) for each in steps)
    if plan.container is None or not touched:
        return
    cpus, memory = container.machine()
    limits, key = plan.container.limits, f"env.{plan.environment}.container"
    if memory and limits.memory and limits.memory > memory:
        raise Refused(
            f"{key}.memory is {limits.memory // 2**20} MiB, and the Docker host has "
            f"{memory // 2**20} MiB",
            "declare less, or use a larger machine",
        )
    if memory and plan.memory.maxmemory > memory:
        raise Refused(
            f"env.{plan.environment}.maxmemory is {plan.memory.maxmemory // 2**20} MiB, and the "
            f"Docker host has {memory // 2**20} MiB",
            "declare less, or use a larger machine",
        )
    if cpus and limits.cpus and limits.cpus > cpus:
        raise Refused(
            f"{key}.cpus is {limits.cpus:g}, and the Docker host has {cpus} processors",
            "declare fewer, or use a larger machine",
        )


def _refuse_unloadable(opened: Opened, facts: Facts, steps: tuple[Step, ...]) -> None:
    """Data that the plan's image cannot load: another engine's, or a newer format. Raises Refused.

    It is tried on a copy, in a container of that image, before anything is stopped or made; only where
    the image is another than the one that wrote the data.
    """
    housing, plan, data = facts.housing, opened.plan, opened.target.data
    starts = any(isinstance(each.do, Control | Signal) and each.id != "insight" for each in steps)
    if isinstance(housing, Missing) or plan.container is None or data is None or not starts:
        return
    if isinstance(housing.volume, Missing) or isinstance(housing.image, Missing):
        return
    if _wrote_it(opened, housing):
        return
    # 10 ms, which only those pay who make a container
    from keywright_ops.gather.scratch import LARGEST, plan_layout
    from keywright_ops.gather.scratch_container import load_in_container

    lying = data.look()
    if isinstance(lying, Missing) or not lying.files or lying.size > LARGEST:
        return
    written = appendonly_on_disk(facts.stored if isinstance(facts.process, Missing) else ())
    live = {} if isinstance(facts.config, Missing) else facts.config
    appendonly = live.get("appendonly") == "yes" if live else bool(written)
    layout = plan_layout(plan)._replace(appendonly=appendonly)
    found = load_in_container(("docker",), housing.image, plan.container.volume, layout)
    if isinstance(found, Missing):
        raise Refused(
            f"{plan.engine.image} cannot load the data in volume {plan.container.volume}: {found.why}",
            f"nothing was changed; env.{plan.environment}.image names the server that wrote it, or a "
            "newer one",
        )


def _wrote_it(opened: Opened, housing: Housing) -> bool:
    """Whether the data was last written by the very image that is to load it."""
    if not isinstance(housing.container, Missing):
        return housing.container.image_id == housing.image
    return read_choices(opened.home).get("image") == opened.plan.engine.image


def refuse_elsewhere(opened: Opened, environ: Mapping[str, str]) -> None:
    """The engine must be this machine's: it mounts our files from its own disk. Raises Refused."""
    # container.host is where others reach this machine from; what counts is the engine that docker uses
    host = find_engine_host("", environ, opened.target.transport)
    refuse_remote_engine(host, opened.plan.environment)


def refuse_shared_volume(opened: Opened) -> None:
    """A volume that another container has too, such as one that was set aside, cannot be removed."""
    plan, container = opened.plan, opened.target.container
    if container is None or plan.container is None:
        return
    others = [
        name for name in container.users(plan.container.volume) if name != plan.container.name
    ]
    if others:
        raise Refused(
            f"volume {plan.container.volume} belongs to the container {others[0]} too",
            f"docker rm {others[0]} removes it, where nobody needs it any more",
        )
