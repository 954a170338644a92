"""Where a container's server is reached from here: over the docker bridge, or by a relay in the container.

A container's address means something only on the engine's own host: elsewhere (Docker Desktop, rootless,
a remote engine) the same address may be anybody's, and no password may be sent there. So the bridge is
used only when its own address is one of this machine's.
"""

from keywright.endpoint import Endpoint, Tls
from keywright.errors import Unreachable
from keywright_ops.facts.container import NOT_RUNNING, foreign
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.model.absence import Missing
from keywright_ops.model.plan import Plan
from keywright_ops.targets.container import DockerContainer
from keywright_ops.targets.target import Transport

USUAL_PORT = 6379


class ContainerDoor:
    """Locates the plan's server; a container that somebody else made only with `adopt`."""

    def __init__(
        self, look: DockerContainer, files: Transport, plan: Plan, adopt: bool = False
    ) -> None:
        self._look = look
        self._files = files
        self._plan = plan
        self._adopt = adopt

    def inside(self) -> Endpoint:
        """Return the way over the container's own loopback."""
        return self.locate(near=False)

    def locate(self, near: bool = True) -> Endpoint:
        """Return where it answers now. Raises Unreachable when it does not run or is suspended."""
        container = self._look.glance().container
        if isinstance(container, Missing) or not container.running:
            raise Unreachable(NOT_RUNNING.why, "`keywright up` starts it")
        whose = foreign(self._plan, container)
        if whose and not self._adopt:
            raise Unreachable(
                f"the container {container.name} is {whose}, and not this environment's",
                "`keywright up --adopt` takes it over",
            )
        if container.state == "paused":
            raise Unreachable(
                f"container {container.name} is paused",
                f"`keywright up` lets it go on; so does `docker unpause {container.name}`",
            )
        return self._at(*self._port(), near)

    def declared(self) -> Endpoint | None:
        """Return where the plan has it, if redis.conf on disk names another port: somebody edited it."""
        listen = self._plan.listen
        place = (listen.port, False)
        if not listen.port and listen.tls is not None:
            place = (listen.tls.port, True)
        return None if place == self._port() else self._at(*place, near=True)

    def _at(self, port: int, encrypted: bool, near: bool) -> Endpoint:
        # Docker has told whose container it is, so no certificate need say it again: one that has
        # expired, or is being renewed, must not shut its own mender out
        tls = Tls(verify=False) if encrypted else None
        bridge = self._look.near() if near else None
        if bridge is not None:
            return Endpoint(host=bridge.address, port=port, tls=tls)
        from keywright_ops.targets.relay import container_relay  # elsewhere than on Linux

        assert self._plan.container is not None
        relay = container_relay("docker", self._plan.container.name, port)
        return Endpoint(host="127.0.0.1", port=port, relay=relay, tls=tls)

    def _port(self) -> tuple[int, bool]:
        """The port of the redis.conf with which it was started, and whether it is the one with TLS; the
        image's own where there is no such file."""
        content = self._files.read(self._plan.conf_path)
        if isinstance(content, Missing):
            return USUAL_PORT, False
        disk = parse_redis_conf(content.decode("utf-8", "replace"))
        plain, encrypted = disk.get("port", str(USUAL_PORT)), disk.get("tls-port", "0")
        if plain in ("", "0") and encrypted.isdigit():
            return int(encrypted), True
        return (int(plain) if plain.isdigit() else USUAL_PORT), False
