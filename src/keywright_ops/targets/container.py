"""An environment's containers as Docker shows them: looked at from outside, from inside and from beside."""

import time

from keywright_ops.facts.container import parse_containers, parse_housing
from keywright_ops.model.absence import Missing
from keywright_ops.model.container import Attachment, ContainerFacts, Housing
from keywright_ops.model.plan import Plan
from keywright_ops.targets.docker import Docker
from keywright_ops.targets.target import Completed

READER = "keywright.reader"  # the label of a container that was made to read a volume
KEPT = 1.0  # seconds for which a look is believed; a container that is made anew may have moved


# What `docker stats` computes, in 0.3 s instead of 1.5: processor time (nanoseconds) at two moments of
# /proc/uptime, memory in use, and what of it the kernel would give back (files). cgroup v2, else v1.
USAGE = """
cd /sys/fs/cgroup
cpu() { if [ -r cpu.stat ]; then read -r _ used < cpu.stat && echo "$((used * 1000))"
        else cat cpuacct/cpuacct.usage; fi; }
cat /proc/uptime; cpu; sleep 0.2; cat /proc/uptime; cpu
cat memory.current 2>/dev/null || cat memory/memory.usage_in_bytes
grep -h -E '^(total_)?inactive_file ' memory.stat memory/memory.stat 2>/dev/null | tail -n 1
"""


class DockerContainer:
    """The containers of a plan."""

    def __init__(self, docker: Docker, plan: Plan) -> None:
        assert plan.container is not None
        self._docker = docker
        self._seen: Housing | None = None
        self._when = 0.0
        self._plan = plan
        self._name, self._network = plan.container.name, plan.container.network

    def housing(self) -> Housing:
        """Everything that Docker tells of the environment, in one question."""
        plan, container, insight = self._plan, self._plan.container, self._plan.insight
        assert container is not None
        names = [container.name, container.volume, container.network, plan.engine.image]
        names += [insight.name, insight.image, insight.volume] if insight else []
        found = parse_housing(self._docker.inspect(*names), plan)
        self._seen, self._when = found, time.monotonic()
        return found

    def glance(self) -> Housing:
        """The same, but a look of the last moment will do: for finding the way to the server."""
        if self._seen is None or time.monotonic() - self._when > KEPT:
            return self.housing()
        return self._seen

    def near(self) -> Attachment | None:
        """How the server is on a network whose bridge is this machine's own; None if on none."""
        found = self.glance().container
        networks = () if isinstance(found, Missing) else found.networks
        return next((each for each in networks if is_ours(each)), None)

    def others(self, names: tuple[str, ...]) -> tuple[ContainerFacts, ...]:
        """Containers of these names, whoever's they are."""
        return parse_containers(self._docker.inspect("--type", "container", *names))

    def volumes(self, name: str) -> tuple[str, ...]:
        """The volumes whose name ends so."""
        done = self._docker.run("volume", "ls", "--quiet", "--filter", f"name={name}$")
        return tuple(done.output.split())

    def users(self, volume: str) -> tuple[str, ...]:
        """The containers, running or not, that have this volume; our own readers are none."""
        columns = f'{{{{.Names}}}} {{{{.Label "{READER}"}}}}'
        done = self._docker.run("ps", "--all", "--filter", f"volume={volume}", "--format", columns)
        rows = (line.split() for line in done.output.splitlines())
        return tuple(row[0] for row in rows if len(row) == 1)

    def publisher(self, port: int) -> str:
        """The container that holds this port of the host; "" for none."""
        done = self._docker.run("ps", "--filter", f"publish={port}", "--format", "{{.Names}}")
        return done.output.partition("\n")[0].strip()

    def machine(self) -> tuple[int, int]:
        """The processors and the bytes of memory that the engine has; (0, 0) when it does not tell."""
        done = self._docker.run("info", "--format", "{{.NCPU}} {{.MemTotal}}")
        words = done.output.split()
        if len(words) != 2 or not all(word.isdigit() for word in words):
            return 0, 0
        return int(words[0]), int(words[1])

    def compose(self) -> tuple[str, ...]:
        """How Compose is called here. Raises Unreachable without one."""
        return self._docker.compose_argv()

    def inside(self, *argv: str) -> Completed:
        """Run a program in the server's container."""
        return self._docker.run("exec", self._name, *argv)

    def usage(self) -> str:
        """What the server's container uses now, for facts.container.parse_usage."""
        return self.inside("sh", "-c", USAGE).output

    def beside(self, *argv: str) -> Completed:
        """Run a program in a container of its own on the same network, which lives for that alone."""
        here = ("run", "--rm", "--network", self._network, "--entrypoint", argv[0])
        return self._docker.run(*here, self._plan.engine.image, *argv[1:])

    def processes(self) -> str:
        """The processes of the server's container: id, user id and arguments, a line each."""
        return self._docker.run("top", self._name, "-eo", "pid,uid,args").output


def is_ours(attachment: Attachment) -> bool:
    """Whether this network's bridge is this machine's own: its address can be bound here."""
    import socket

    if not attachment.address or not attachment.gateway:
        return False
    family = socket.AF_INET6 if ":" in attachment.gateway else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((attachment.gateway, 0))
        except OSError:
            return False
    return True
