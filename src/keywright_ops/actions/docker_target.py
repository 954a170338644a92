"""Puts together the target of a Docker environment: files here and in the volume, Compose, the way in."""

from collections.abc import Mapping

from keywright.secret import Secret
from keywright_ops.model.plan import Plan
from keywright_ops.targets.compose import ComposeSupervisor
from keywright_ops.targets.container import DockerContainer
from keywright_ops.targets.container_door import ContainerDoor
from keywright_ops.targets.container_files import ContainerFiles
from keywright_ops.targets.docker import Docker
from keywright_ops.targets.door import Door
from keywright_ops.targets.local import LocalTransport
from keywright_ops.targets.target import Target
from keywright_ops.targets.volume_data import VolumeData


def docker_target(
    plan: Plan,
    project: str,
    host: LocalTransport,
    secrets: Mapping[str, Secret],
    adopt: bool = False,
) -> Target:
    """Return the target of a plan with a container; `project` is the folder of keywright.toml."""
    folder = f"{project}/{plan.directory}".rstrip("/")
    docker = Docker(host)
    look = DockerContainer(docker, plan)
    supervisor = ComposeSupervisor(docker, look, plan, folder)
    files = ContainerFiles(host, docker, look, plan, folder)
    data = VolumeData(docker, plan)
    door = ContainerDoor(look, files, plan, adopt)
    way = Door(door.locate, secrets, door.inside, door.declared)
    return Target(files, supervisor, way, container=look, data=data)
