"""A Linux host of the tests' own: systemd as process 1 in a container, with everything that a real one has.

A reboot is a restart of the container. Its address is the one that the engine's network gives it; whoever is
to come from outside comes from the engine's own network or from another machine beside it.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.embedded.stranger import SRC, libraries
from tests.lab.docker_engine import Engine
from tests.lab.linux_image import NEWER, add_host_image, add_installed_image

OPTIONS = (
    *("--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE"),  # not to be had in the lab's machine
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    "--stop-signal=SIGRTMIN+3",  # what systemd takes for `poweroff`
    *("--cgroupns=host", "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp"),
    *("-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "-v", "/var/lib/docker"),
    *("-e", "container=docker", "-t", "--stop-signal", "SIGRTMIN+3"),  # systemd's word for a halt
    *(
        "--sysctl",
        "net.ipv4.ip_forward=1",
    ),  # its own engine cannot write it: /proc/sys is read-only
)
CODE = "/opt/keywright"  # where the host finds Keywright, for those who work on it itself


class LinuxHost:
    """A running host; use it as a context manager. `name` is the container's.

    With `installed` redis-server is there, as Debian's package leaves it, stopped and never configured.
    `first` is the program that runs as process 1 in systemd's stead; then no service is waited for.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        ssh_port: int = 22,
        installed: bool = False,
        first: Sequence[str] = (),
    ) -> None:
        self.engine, self.name, self.ssh_port = engine, name, ssh_port
        self._installed, self._first = installed, first
        self._keys = Path(tempfile.mkdtemp(prefix="keywright-host-"))
        self.key = self._keys / "id_ed25519"

    def __enter__(self) -> "LinuxHost":
        image = add_installed_image(self.engine) if self._installed else add_host_image(self.engine)
        shares: list[str] = []
        for number, folder in enumerate((str(SRC), *libraries())):
            shares += ["-v", f"{folder}:{CODE}/{number}:ro"]
        named = ("--name", self.name, "--hostname", self.name)
        self.engine.docker("run", "-d", *named, *OPTIONS, *shares, image, *self._first)
        try:
            self._make_key()
            if self.ssh_port != 22:
                self.write("/etc/ssh/sshd_config.d/port.conf", f"Port {self.ssh_port}\n")
            if not self._first:
                self.await_running()
            if self.ssh_port != 22:
                self.run("systemctl", "restart", "ssh")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.docker("rm", "-f", "-v", self.name, check=False)
        subprocess.run(["rm", "-rf", str(self._keys)], check=False)

    def _make_key(self) -> None:
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(self.key)]
        subprocess.run(keygen, check=True)
        public = self.key.with_suffix(".pub").read_text()
        for user, home in (
            ("root", "/root"),
            ("ops", "/home/ops"),
            ("nosudo", "/home/nosudo"),
        ):
            self.run("install", "-d", "-o", user, "-g", user, "-m", "700", f"{home}/.ssh")
            self.write(f"{home}/.ssh/authorized_keys", public)
            self.run("chown", f"{user}:{user}", f"{home}/.ssh/authorized_keys")

    def await_running(self) -> None:
        """Wait until systemd has started everything."""
        for _ in range(300):
            said = self.run("systemctl", "is-system-running", check=False).stdout.strip()
            if said in ("running", "degraded"):
                return
            time.sleep(0.1)
        raise RuntimeError(f"the host is {said}: {self.run('systemctl', '--failed').stdout}")

    @property
    def address(self) -> str:
        """Where the engine's network finds it."""
        found = json.loads(self.engine.docker("inspect", self.name).stdout)
        return str(found[0]["NetworkSettings"]["IPAddress"])

    @property
    def code(self) -> str:
        """PYTHONPATH inside the host."""
        return ":".join(f"{CODE}/{number}" for number in range(1 + len(libraries())))

    def run(
        self, *argv: str, user: str = "root", stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the host."""
        words = ("exec", "-i", "-u", user, self.name, *argv)
        return self.engine.docker(*words, check=check, stdin=stdin)

    def sh(self, script: str, check: bool = True) -> str:
        """Run a script on the host as root, and return what it wrote."""
        return self.run("sh", "-c", script, check=check).stdout

    def write(self, path: str, text: str) -> None:
        """Write a file there."""
        self.run("sh", "-c", 'cat > "$1"', "sh", path, stdin=text)

    def read(self, path: str) -> str:
        """Read a file there."""
        return self.run("cat", path).stdout

    def mark(self) -> None:
        """Remember this moment, for `touched`."""
        self.run("touch", "/run/marked")
        time.sleep(0.05)  # a file system's clock ticks a hundred times in a second

    def touched(self) -> list[str]:
        """What was written, made or removed on the host's disk since `mark`; logs and caches do not count."""
        places = "/etc /usr /srv /opt /root /home /var/lib /var/backups /var/spool"
        past = "-path /var/lib/docker -prune -o -path /var/lib/systemd -prune -o"
        found = self.sh(f"find {places} -xdev {past} -newer /run/marked -print")
        return found.splitlines()

    def redis(self, password: str, *words: str, user: str = "admin") -> str:
        """Ask the host's Redis there, logged in; what redis-cli prints, without its last line break."""
        script = 'REDISCLI_AUTH=$(cat) exec redis-cli --no-auth-warning --user "$0" "$@"'
        done = self.run("sh", "-c", script, user, *words, stdin=password, check=False)
        return (done.stdout + done.stderr).rstrip("\n")

    def reboot(self) -> None:
        """Restart the machine and wait until it is up again."""
        self.engine.docker("restart", "-t", "30", self.name)
        self.await_running()

    def channels(self) -> int:
        """How many programs were asked for over ssh since the host was started."""
        journal = self.sh("journalctl -b -q -u ssh -o cat")
        return sum("Starting session: command" in line for line in journal.splitlines())

    def connections(self) -> int:
        """How many ssh connections were let in since the host was started."""
        journal = self.sh("journalctl -b -q -u ssh -o cat")
        return sum("Accepted publickey" in line for line in journal.splitlines())

    def unit_pid(self, unit: str) -> int:
        """The process id, on the host, of a service; 0 when it does not run."""
        return int(self.run("systemctl", "show", "-p", "MainPID", "--value", unit).stdout)

    def newer_packages(self) -> None:
        """Let apt know the archive with the raised versions."""
        self.add_archive(NEWER)
        self.run("apt-get", "update", "-qq")

    def add_archive(self, folder: str) -> None:
        """Name one more archive of the image in apt's sources; its lists stay as they are."""
        name = f"/etc/apt/sources.list.d/{folder.rpartition('/')[2]}.list"
        self.write(name, f"deb [trusted=yes] file:{folder} ./\n")

    def load_image(self, tag: str) -> None:
        """Give the host's own Docker Engine an image of the engine that it runs on."""
        self.sh("systemctl start docker")
        save = subprocess.Popen(
            ["docker", "save", tag], env=self.engine.environment, stdout=subprocess.PIPE
        )
        load = ["docker", "exec", "-i", self.name, "docker", "load", "-q"]
        done = subprocess.run(
            load, env=self.engine.environment, stdin=save.stdout, capture_output=True, text=True
        )
        assert save.wait() == 0 and done.returncode == 0, done.stderr


def from_engine(engine: Engine) -> Sequence[str]:
    """What stands before a program's words to run it where the host's address is reached."""
    return engine.enter()
