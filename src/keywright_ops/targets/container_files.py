"""The transport of a Docker environment: its configuration lies on this host, its data in a volume.

A path below /usr/local/etc/redis, as the server sees it, is the folder beside the compose file; one below
/data is in the volume, and is reached by a shell in the container, or, while that does not run, in a
container of the same image that lives for this one command. Everything else is this host's.
"""

from collections.abc import Sequence

from keywright.errors import ApplyError
from keywright.secret import Secret
from keywright_ops.model.absence import Missing
from keywright_ops.model.host import File
from keywright_ops.model.plan import Plan
from keywright_ops.render.compose import configuration_folder
from keywright_ops.render.container import CONFIGURATION, DATA
from keywright_ops.targets.container import DockerContainer
from keywright_ops.targets.docker import Docker, told
from keywright_ops.targets.target import Completed, Transport

# The path is the shell's first argument, never part of its script: any name is safe.
NAMES = '[ -d "$1" ] || exit 0; ls -A "$1"'
REMOVE = 'rm -f "$1"'
COPY = 'cp -a "$1" "$2"'
MOVE = '[ ! -e "$2" ] || { echo "$2 exists already" >&2; exit 1; }; mv "$1" "$2" && sync'


class ContainerFiles:
    """Files of the plan's container; `host` reaches this machine, `look` the container."""

    def __init__(
        self, host: Transport, docker: Docker, look: DockerContainer, plan: Plan, folder: str
    ) -> None:
        assert plan.container is not None
        self._host = host
        self._docker = docker
        self._look = look
        self._name, self._volume = plan.container.name, plan.container.volume
        self._image = plan.engine.image
        self._configuration = f"{folder}/{configuration_folder(plan.container.compose_file)}"

    def read(self, path: str) -> bytes | Missing:
        """The file's bytes; Missing when it is not there or not readable."""
        return self._host.read(self._here(path))

    def file(self, path: str) -> File | Missing:
        """Digest, mode and owner; Missing(NOT_THERE) only when the file does not exist."""
        return self._host.file(self._here(path))

    def files(self, paths: Sequence[str]) -> dict[str, File | Missing]:
        """The same for many files."""
        return {path: self.file(path) for path in paths}

    def mode(self, path: str) -> int | Missing:
        """The permission bits alone."""
        return self._host.mode(self._here(path))

    def names(self, folder: str) -> tuple[str, ...] | Missing:
        """The names in a folder, sorted; () when the folder does not exist."""
        if not _in_volume(folder):
            return self._host.names(self._here(folder))
        done = self._shell(NAMES, folder)
        if done.code != 0:
            return Missing(f"{folder}: {told(done.errors)}")
        return tuple(sorted(done.output.splitlines()))

    def write(self, path: str, content: bytes, mode: int) -> None:
        """Replace the file atomically and durably; missing folders are made with mode 0700."""
        self._host.write(self._here(path), content, mode)

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is fine."""
        if _in_volume(path):
            self._demand("remove", REMOVE, path)
        else:
            self._host.remove(self._here(path))

    def copy(self, source: str, destination: str) -> None:
        """Copy a file or a folder with all in it, both in the volume or both on this host."""
        if _in_volume(source):
            self._demand("copy", COPY, source, destination)
        else:
            self._host.copy(self._here(source), self._here(destination))

    def move(self, source: str, destination: str) -> None:
        """Rename within the file system; an existing destination is an error."""
        if _in_volume(source):
            self._demand("move", MOVE, source, destination)
        else:
            self._host.move(self._here(source), self._here(destination))

    def run(self, argv: Sequence[str], stdin: str | Secret = "") -> Completed:
        """Run a program of this host to its end."""
        return self._host.run(argv, stdin)

    def listening(self, port: int) -> tuple[str, ...] | Missing:
        """The addresses of this host on which this TCP port is open; Missing when Docker's is another."""
        if self._look.near() is None:
            return Missing("the engine does not run on this very host")
        return self._host.listening(port)

    def bind_problem(self, host: str, port: int) -> str:
        """Why nothing can be published there now; "" when it can."""
        return self._host.bind_problem(host, port)

    def _here(self, path: str) -> str:
        """Where on this host the server's configuration lies."""
        if path.startswith(f"{CONFIGURATION}/"):
            return self._configuration + path.removeprefix(CONFIGURATION)
        return path

    def _demand(self, verb: str, script: str, *paths: str) -> None:
        done = self._shell(script, *paths)
        if done.code != 0:
            raise ApplyError(f"cannot {verb} {paths[0]} in {self._volume}: {told(done.errors)}")

    def _shell(self, script: str, *paths: str) -> Completed:
        """Run a script where the volume is mounted, as root: the server's files are its account's."""
        container = self._look.glance().container
        if not isinstance(container, Missing) and container.state == "running":
            return self._docker.run("exec", "-u", "0", self._name, "sh", "-c", script, "sh", *paths)
        if self._docker.run("volume", "inspect", self._volume).code != 0:
            return Completed(0, "", "")  # (docker run would make the volume, with no label of ours)
        return self._docker.run(
            *("run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "sh"),
            *("--volume", f"{self._volume}:{DATA}", self._image, "-c", script, "sh", *paths),
        )


def _in_volume(path: str) -> bool:
    return path == DATA or path.startswith(f"{DATA}/")
