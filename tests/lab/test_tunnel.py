"""RedisInsight and the server on another machine, reached through a real sshd; nobody is left waiting."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.embedded.stranger import await_true
from tests.lab.docker_engine import Engine
from tests.lab.images import INSIGHT_IMAGE, OFFICIAL_IMAGE
from tests.lab.person import DockerPerson, Outside

pytestmark = pytest.mark.lab

PORT = 2222
SSHD = Path("/usr/sbin/sshd")
SETTINGS = f"""\
app = "shop"
[env.dev]
image = "{OFFICIAL_IMAGE}"
[env.dev.insight]
image = "{INSIGHT_IMAGE}"
[env.prod]
image = "{OFFICIAL_IMAGE}"
[env.prod.container]
network = "shop-prod-network"
[env.prod.insight]
enabled = false
"""
Somebody = Callable[..., DockerPerson]


def key(path: Path) -> Path:
    """Make a key for this test alone."""
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="module")
def sshd(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sshd on the engine's host; the folder of its keys."""
    if not SSHD.exists():
        pytest.skip("sshd is not installed: apt-get install openssh-server")
    folder = tmp_path_factory.mktemp("sshd")
    host, person = key(folder / "host"), key(folder / "person")
    key(folder / "stranger")
    key(folder / "other_host")
    (folder / "authorized").write_text(person.with_suffix(".pub").read_text())
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    config = folder / "config"
    config.write_text(
        f"Port {PORT}\nHostKey {host}\nAuthorizedKeysFile {folder}/authorized\nStrictModes no\n"
        "PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\n"
        f"KbdInteractiveAuthentication no\nPidFile none\nSetEnv DOCKER_HOST={engine.socket}\n"
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*engine.enter(), str(SSHD), "-D", "-e", "-f", str(config)], stderr=log
        )
    ready = "Server listening"
    await_true(lambda: ready in (folder / "log").read_text(), "sshd listens")
    yield folder
    server.terminate()
    server.wait(10)


@pytest.fixture
def far(somebody: Somebody, sshd: Path, neighbour: Outside) -> DockerPerson:
    """Somebody on another machine, whose ssh knows the engine's host and no other."""
    person = somebody(SETTINGS)
    person.prefix = neighbour.enter
    person.environ["DOCKER_HOST"] = f"ssh://root@{neighbour.address}:{PORT}"
    bin_folder = person.root / "ssh-bin"
    bin_folder.mkdir()
    ssh = bin_folder / "ssh"  # ssh takes no home from its environment
    ssh.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {person.root}/ssh_config "$@"\n')
    ssh.chmod(0o755)
    person.environ["PATH"] = f"{bin_folder}:{person.environ['PATH']}"
    (person.root / "ssh_config").write_text(
        f"UserKnownHostsFile {person.root}/known_hosts\nIdentitiesOnly yes\n"
        "StrictHostKeyChecking yes\n"
    )
    know(person, sshd / "host.pub", neighbour)
    return person


def know(person: DockerPerson, public: Path, neighbour: Outside) -> None:
    """Put a host key among those that this person knows."""
    known = f"[{neighbour.address}]:{PORT} {public.read_text()}"
    (person.root / "known_hosts").write_text(known)


@pytest.fixture
def there(somebody: Somebody) -> DockerPerson:
    """Somebody on the engine's host, whose environments run."""
    return somebody(SETTINGS)


class Line:
    """A tunnel that is open; `said` is what was printed until then."""

    def __init__(self, person: DockerPerson, *words: str) -> None:
        self.process = person.start("tunnel", *words)
        self.said = ""
        assert self.process.stdout is not None
        while "Ctrl-C" not in self.said:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(self.said + self.process.communicate(timeout=10)[1])
            self.said += line

    def end(self, how: int = signal.SIGINT) -> int:
        """End it as a person does, and return its exit code."""
        self.process.send_signal(how)
        self.process.communicate(timeout=20)
        return self.process.returncode


def _container(person: DockerPerson, environment: str) -> str:
    """What the server's container is called."""
    return str(
        json.loads(person.say("status", "-e", environment, "--json").out)["container"]["name"]
    )


def test_redisinsight_and_the_server_are_reached_from_another_machine(
    there: DockerPerson, far: DockerPerson, sshd: Path, neighbour: Outside
) -> None:
    """The stand-in answers through the tunnel, and so do both servers, published or not; after
    Ctrl-C, and after a plain kill, no ssh and no listener is left."""
    for environment in ("dev", "prod"):
        said = there.say("up", "-e", environment)
        assert said.code == 0, said
    named = ("--key", str(sshd / "person"))
    assert not neighbour.reaches(8001)
    line = Line(far, "-e", "dev", *named)
    curl = ("curl", "-sf", "http://127.0.0.1:8001/api/health/")
    assert '{"status":"up"}' == neighbour.run(curl).stdout
    assert "http://127.0.0.1:8001" in line.said
    typed = f"-p {PORT} -N -L 8001:127.0.0.1:8001 root@{neighbour.address}"
    assert typed in line.said
    assert "plink.exe -i key.ppk" in line.said
    taken = far.say("tunnel", "-e", "dev", *named)
    assert (1, True) == (taken.code, "port 8001 of this machine is taken by ssh" in taken.err), (
        taken
    )
    assert "--local-port" in taken.err
    assert 0 == line.end()
    assert not neighbour.reaches(8001, "127.0.0.1")
    (inside,) = there.inspect(_container(there, "prod"))["NetworkSettings"]["Networks"].values()
    private = f"7001:{inside['IPAddress']}:6379"
    for environment, reached in (("dev", "7001:127.0.0.1:6379"), ("prod", private)):
        words = ("-e", environment, "--redis", "--local-port", "7001")
        line = Line(far, *words, *named)
        assert reached in line.said
        ping = "exec 3<>/dev/tcp/127.0.0.1/7001; printf 'PING\\r\\n' >&3; head -n 1 <&3"
        answer = neighbour.run(("timeout", "5", "bash", "-c", ping)).stdout
        assert answer.startswith("-NOAUTH"), answer
        assert 0 == line.end(signal.SIGTERM)
        assert not neighbour.reaches(7001, "127.0.0.1")
    found = subprocess.run(
        ["pgrep", "-f", f"{far.root}/ssh_config"], capture_output=True, text=True
    )
    assert "" == found.stdout


def test_the_lines_alone(far: DockerPerson, neighbour: Outside) -> None:
    """--print opens nothing; the file's host comes before docker's own."""
    said = far.say("tunnel", "-e", "dev", "--print", "--local-port", "9001")
    assert f"ssh -p {PORT} -N -L 9001:127.0.0.1:8001 root@{neighbour.address}\n" in said.out
    assert (0, False) == (said.code, "Ctrl-C" in said.out)
    far.declare_all(SETTINGS + '[env.dev.container]\nhost = "ssh://me@redis.example.com"\n')
    said = far.say("tunnel", "-e", "dev", "--print", "--json")
    assert '"host": "ssh://me@redis.example.com"' in said.out
    assert '"opened": false' in said.out


def refused(person: DockerPerson, *words: str) -> str:
    """What is said when the tunnel cannot be opened: one sentence and a hint, exit code 3."""
    said = person.say("tunnel", "-e", "dev", *words)
    assert 3 == said.code, said
    lines = said.err.splitlines()
    assert 2 == len(lines), said.err
    assert lines[1].startswith("  hint: ")
    assert "" == said.out
    return lines[0].removeprefix("keywright: ")


def test_what_stands_in_the_way_is_one_sentence(
    far: DockerPerson, sshd: Path, neighbour: Outside
) -> None:
    """No host, a wrong key, an unknown and a changed host key: each is said by its name."""
    named = ("--key", str(sshd / "person"))
    address = neighbour.address
    assert f"{address} takes neither your key nor a password" == refused(
        far, "--key", str(sshd / "stranger")
    )
    know(far, sshd / "other_host.pub", neighbour)
    assert f"the host key of {address} is another one than before" == refused(far, *named)
    (far.root / "known_hosts").write_text("")
    assert f"the host key of {address} is not known here" == refused(far, *named)
    far.environ["DOCKER_HOST"] = f"ssh://root@{address}:{PORT + 1}"
    assert f"{address} cannot be reached by ssh: connection refused" == refused(far, *named)
    far.environ["DOCKER_HOST"] = "ssh://root@nowhere.invalid"
    assert "there is no host called nowhere.invalid" == refused(far, *named)


def test_a_tunnel_that_breaks_is_told(far: DockerPerson, sshd: Path, neighbour: Outside) -> None:
    """When ssh ends by itself, Keywright ends with 3 and says so; nothing behind it is told at once."""
    line = Line(far, "-e", "dev", "--key", str(sshd / "person"), "--local-port", "8055")
    ssh = subprocess.run(
        ["pgrep", "-P", str(line.process.pid)], capture_output=True, text=True
    ).stdout.split()
    (pid,) = (int(each) for each in ssh)
    os.kill(pid, signal.SIGTERM)
    _, errors = line.process.communicate(timeout=20)
    assert (3, True) == (line.process.returncode, f"ssh to {neighbour.address} ended" in errors)
    assert "does not answer behind the tunnel" in errors  # nothing was up there


def test_on_the_engines_own_host_none_is_needed(there: DockerPerson) -> None:
    """Here the address is enough."""
    said = there.say("tunnel", "-e", "dev")
    assert (0, True) == (said.code, "no tunnel is needed" in said.out), said
    assert "http://127.0.0.1:8001" in said.out
