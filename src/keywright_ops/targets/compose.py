"""The supervisor of a Docker environment: Compose makes its containers, the engine keeps them running.

Rule 1: the server is asked to end by SIGTERM and waited for; Docker's own `stop` would kill it after a
while, in the middle of its last save.
Rule 2: what is signalled is this very start of this very container.
"""

import time

from keywright.errors import ApplyError, Refused
from keywright_ops.facts.container import container_process
from keywright_ops.facts.process import parse_listeners
from keywright_ops.model.absence import Missing
from keywright_ops.model.host import Process
from keywright_ops.model.plan import Plan
from keywright_ops.targets.container import DockerContainer
from keywright_ops.targets.docker import Docker, told

LOG_TAIL = 12  # lines that are read for the server's last words


class ComposeSupervisor:
    """Runs the plan's compose file, which lies in `folder`."""

    def __init__(self, docker: Docker, look: DockerContainer, plan: Plan, folder: str) -> None:
        assert plan.container is not None
        self._docker = docker
        self._look = look
        self._container = plan.container
        self._folder = folder
        self._since = ""  # only what was logged after our start or signal counts

    def find(self) -> Process | Missing:
        """The server in the container of that name, whoever made it."""
        return container_process(self._look.housing().container)

    def start(self, program: str = "", service: str = "") -> None:
        """Make what is not there yet and start it; the compose file names the program, nobody else."""
        del program
        self._up(service or self._container.service)

    def recreate(self, service: str = "") -> None:
        """Make the container anew from the file and start it; its named volume stays."""
        self._up(service or self._container.service, "--force-recreate")

    def _up(self, service: str, *options: str) -> None:
        self._since = _now()
        self._docker.compose(*self.project(), "up", "-d", "--no-deps", *options, service)

    def project(self) -> tuple[str, ...]:
        """Which project and file Compose is to work on."""
        file = f"{self._folder}/{self._container.compose_file}"
        return ("-p", self._container.project, "-f", file, "--project-directory", self._folder)

    def signal(self, process: Process, name: str) -> None:
        """Send TERM, CONT or KILL to this very process; raises Refused when it is not it any more.

        A container that somebody paused goes on by `docker unpause`.
        """
        found = self.find()
        if isinstance(found, Missing) or found.start != process.start:
            raise Refused(f"container {self._container.name} was started anew meanwhile")
        self._since = _now()
        if name == "CONT":
            self._docker.demand("unpause", self._container.name)
        else:
            self._docker.demand("kill", "--signal", name, self._container.name)

    def stop(self) -> None:
        """Make sure that nothing runs and that no restart policy starts it again; none is fine."""
        done = self._docker.run("stop", "-t", "60", self._container.name)
        if done.code != 0 and "No such container" not in done.errors:
            raise ApplyError(f"docker stop failed: {told(done.errors)}")

    def last_words(self) -> tuple[str, ...]:
        """The last lines that the server logged since we started or signalled it, newest last."""
        since = ("--since", self._since) if self._since else ()
        done = self._docker.run("logs", "--tail", str(LOG_TAIL), *since, self._container.name)
        lines = (done.output + done.errors).splitlines() if done.code == 0 else []
        return tuple(line for line in lines if line.strip())

    def listens_on(self, process: Process) -> tuple[tuple[str, int], ...] | Missing:
        """Every address in the container's own network on which somebody listens: it has one server."""
        del process
        tables = ("/proc/1/net/tcp", "/proc/1/net/tcp6")
        done = self._docker.run("exec", self._container.name, "cat", *tables)
        rows = parse_listeners(done.output)
        if not rows:
            return Missing(f"the container does not tell where it listens: {told(done.errors)}")
        # Docker's own name server answers there, in every container
        return tuple((row.address, row.port) for row in rows if row.address != "127.0.0.11")


def _now() -> str:
    """The time as docker logs takes it: seconds since 1970."""
    return f"{time.time():.6f}"
