"""What Docker tells of an environment's housing: containers, volume, network, images.

Sizes are bytes, durations seconds, as the engine counts them.
"""

from typing import NamedTuple

from keywright_ops.model.absence import Missing


class Mount(NamedTuple):
    """What stands at `target` in a container: the named volume or the host's folder `source`.

    `kind` is volume, bind or tmpfs.
    """

    kind: str
    source: str
    target: str


class Publication(NamedTuple):
    """A port of the container that answers on an address of the host."""

    address: str
    port: int
    inside: int


class Attachment(NamedTuple):
    """A network that a container is on: its address there, the host's own address on that bridge,
    and the names by which others find it."""

    network: str
    address: str
    gateway: str
    aliases: tuple[str, ...]


class HealthCheck(NamedTuple):
    """The engine's own check: its command and when it runs, in seconds."""

    test: tuple[str, ...] = ()
    interval: int = 0
    timeout: int = 0
    retries: int = 0
    start_period: int = 0


class ContainerFacts(NamedTuple):
    """One container as `docker inspect` tells it.

    `state` is created, running, paused, restarting, exited or dead; `health` healthy, unhealthy,
    starting or none, `health_says` the last line of its check. `project` and `service` are Compose's
    ("" for a container that Compose did not make). `cpus` and `memory` are 0 without a limit.
    """

    id: str
    name: str
    image: str
    image_id: str
    state: str
    started: str
    exit_code: int
    oom_killed: bool
    restarts: int
    health: str
    health_says: str
    project: str
    service: str
    restart: str
    cpus: float
    memory: int
    log_driver: str
    log_options: tuple[tuple[str, str], ...]
    published: tuple[Publication, ...]
    mounts: tuple[Mount, ...]
    networks: tuple[Attachment, ...]
    user: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    check: HealthCheck
    security: tuple[str, ...]
    privileged: bool

    @property
    def running(self) -> bool:
        """Whether a server runs in it, be it suspended."""
        return self.state in ("running", "paused")

    def mounted(self, target: str) -> Mount | None:
        """Return what stands at this path in it."""
        return next((each for each in self.mounts if each.target == target), None)

    def attachment(self, network: str) -> Attachment | None:
        """Return how it is on this network."""
        return next((each for each in self.networks if each.network == network), None)


class Usage(NamedTuple):
    """What a container uses: `cpu` in processors (0.5 is half of one), `memory` in bytes."""

    cpu: float
    memory: int


class VolumeFacts(NamedTuple):
    """A volume: `project` is the Compose project that made it, "" for none."""

    name: str
    project: str


class NetworkFacts(NamedTuple):
    """A network: the project that made it, and the names of the containers that are on it."""

    name: str
    project: str
    containers: tuple[str, ...]


class Housing(NamedTuple):
    """Where a Docker environment's server lives; Missing(NOT_THERE) is what does not exist.

    `image` and `insight_image` are the ids of the images that the plan names, as they are here now;
    `text` is all that was printed, for the proof that no secret is in it.
    """

    container: ContainerFacts | Missing
    insight: ContainerFacts | Missing
    volume: VolumeFacts | Missing
    network: NetworkFacts | Missing
    image: str | Missing
    insight_image: str | Missing
    insight_volume: VolumeFacts | Missing = Missing("not asked")
    text: str = ""
