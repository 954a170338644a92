"""A Docker Engine of the tests' own, with the images of the lab (images.py).

The engine lives in a network and mount namespace of its own (`unshare`): its bridges, firewall
rules and published ports touch nothing on the machine, and two engines can run at once. What must
see its ports runs inside by `run_inside`. Needs root; everything it starts it stops by its id.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.lab import images

TOOLS = (
    "dockerd",
    "docker",
    "docker-compose",
    "debootstrap",
    "unshare",
    "nsenter",
    "iptables",
    "ip",
)
APT = "apt-get install -y docker.io docker-compose debootstrap iproute2 iptables"

# Debian's docker.io stands in /usr/bin; another client may stand before it on PATH.
DOCKER = "/usr/bin/docker"


def why_not() -> str:
    """Return why no engine can run here, or ""."""
    if sys.platform != "linux":
        return "a Docker Engine of its own needs Linux"
    if os.geteuid() != 0:
        return "a Docker Engine of its own needs root"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or not Path(DOCKER).exists():
        return f"{', '.join(missing) or DOCKER} missing: {APT}"
    return ""


class Engine:
    """A running dockerd; use it as a context manager."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="keywright-engine-"))
        self.socket = f"unix://{self.home}/docker.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Engine":
        log = (self.home / "log").open("wb")
        dockerd = [
            "dockerd",
            "--data-root",
            f"{self.home}/data",
            "--exec-root",
            f"{self.home}/exec",
        ]
        dockerd += ["-H", self.socket, "--pidfile", f"{self.home}/pid"]
        inside = 'ip link set lo up && exec "$@"'
        self.process = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", inside, "sh", *dockerd],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self) -> None:
        for _ in range(150):
            if self.docker("version", check=False).returncode == 0:
                return
            if self.process is not None and self.process.poll() is not None:
                break
            time.sleep(0.2)
        raise RuntimeError("dockerd does not answer: " + (self.home / "log").read_text()[-2000:])

    def __exit__(self, *_: object) -> None:
        if self.process is None:
            return
        listed = self.docker("ps", "-aq", check=False).stdout.split()
        if listed:
            self.docker("rm", "-f", "-v", *listed, check=False)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which docker and docker-compose talk to this engine."""
        return {**os.environ, "DOCKER_HOST": self.socket, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}

    def docker(
        self, *argv: str, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run docker with these arguments against this engine."""
        return self.run([DOCKER, *argv], check=check, stdin=stdin)

    def compose(
        self, folder: Path, *argv: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run docker-compose in a folder against this engine."""
        return self.run(["docker-compose", *argv], check=check, folder=folder)

    def run(
        self,
        argv: Sequence[str],
        *,
        check: bool = True,
        stdin: str = "",
        folder: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that talks to this engine; on failure say what it said."""
        done = subprocess.run(
            argv,
            input=stdin,
            env={**self.environment, **(more or {})},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def run_inside(
        self, argv: Sequence[str], **options: object
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the engine's network: there its published ports and bridges are."""
        return self.run([*self.enter(), *argv], **options)  # type: ignore[arg-type]

    def enter(self) -> tuple[str, ...]:
        """What stands before a program's words to run it in the engine's network."""
        if self.process is None:
            raise RuntimeError("the engine does not run")
        return ("nsenter", "--net", f"--target={self.process.pid}", "--")

    # --- images ---------------------------------------------------------------------------------

    def add_images(self) -> None:
        """Give the engine every image of the lab, once."""
        if self.docker("image", "inspect", images.REDIS_IMAGE, check=False).returncode:
            images.add_all(self.docker)

    def add_redis(self) -> str:
        """Debian's redis-server (runs as `redis`, no entrypoint)."""
        self.add_images()
        return images.REDIS_IMAGE

    def add_official_like(self) -> str:
        """An image that starts as the official one does: entrypoint, /data, uid 999."""
        self.add_images()
        return images.OFFICIAL_IMAGE

    def add_valkey(self) -> str:
        """PyPI's valkey-server 9.1, redis-cli and an account `valkey`, no entrypoint."""
        self.add_images()
        return images.VALKEY_IMAGE
