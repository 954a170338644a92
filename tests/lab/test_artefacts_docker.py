"""The rendered compose files on a real Docker Engine: what they promise is asked of the engine."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lab import images
from tests.lab.docker_engine import Engine
from tests.lab.real_readers import compose_v2
from tests.unit.render.plans import SECRETS, built_in

from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.plan import Insight, Plan
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import load_profile
from keywright_ops.render.artefacts import render

pytestmark = pytest.mark.lab

USER = 1234  # the person on the host who owns the files: not root, and no account of any image
PASSWORD = SECRETS["default"].reveal()


def write(plan: Plan, folder: Path) -> None:
    """Write a plan's files below a folder as that person would: theirs, with the rendered modes."""
    for artefact in render(plan, SECRETS):
        if isinstance(artefact, WholeFile):
            path = folder / artefact.path
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_text(artefact.text())
            path.chmod(artefact.mode)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, USER, USER)


class Deployment:
    """A compose file that is up: `inspect` and `ask` are how the tests see it."""

    def __init__(self, engine: Engine, plan: Plan, folder: Path, tool: list[str]) -> None:
        assert plan.container is not None
        self.tool = tool
        self.engine, self.plan, self.folder = engine, plan, folder / plan.directory
        self.name, self.file = plan.container.name, plan.container.compose_file
        self.configuration = self.folder / ("redis" if plan.kind == "docker-dev" else "redis-prod")

    def ground(self) -> list[tuple[str, str]]:
        """What the file's own head tells a person to make first: volumes, then the network."""
        container, insight = self.plan.container, self.plan.insight
        assert container is not None
        volumes = [container.volume] + ([insight.volume] if insight else [])
        return [*(("volume", name) for name in volumes), ("network", container.network)]

    def make_ground(self) -> None:
        """Make it."""
        for kind, name in self.ground():
            self.engine.docker(kind, "create", name)

    def leave(self) -> None:
        """Take all of it away."""
        self.compose("down", "-t", "5")
        for kind, name in self.ground():
            self.engine.docker(kind, "rm", name)

    def compose(self, *argv: str) -> str:
        """Run Compose with the rendered file."""
        return self.engine.run([*self.tool, "-f", self.file, *argv], folder=self.folder).stdout

    def inspect(self) -> dict[str, Any]:
        """Return what `docker inspect` says of the container."""
        found: dict[str, Any] = json.loads(self.engine.docker("inspect", self.name).stdout)[0]
        return found

    def health(self) -> str:
        """Return the container's health: starting, healthy or unhealthy."""
        return str(self.inspect()["State"]["Health"]["Status"])

    def wait(self, wanted: str, seconds: float = 40) -> str:
        """Wait until the health is as wanted, and return it as it is in the end."""
        end = time.monotonic() + seconds
        while self.health() != wanted and time.monotonic() < end:
            time.sleep(0.2)
        return self.health()

    def ask(self, *command: str, password: str = PASSWORD) -> str:
        """Send a command inside the container as the default user; the password goes by stdin."""
        login = ["--askpass"] if password else []
        argv = ["exec", "-i", self.name, "redis-cli", *login, *command]
        done = self.engine.docker(*argv, check=False, stdin=password + "\n")
        return (done.stdout + done.stderr).strip()


Start = Callable[..., Deployment]


COMPOSE_1 = ["docker-compose"]  # Debian's 1.29
COMPOSE_2 = compose_v2()


@pytest.fixture
def tool() -> list[str]:
    """How to call the Compose that starts things."""
    return COMPOSE_1


@pytest.fixture
def start(engine: Engine, tmp_path: Path, tool: list[str] | None) -> Iterator[Start]:
    """Start a plan's compose file with an image, a fast health check, RedisInsight if asked for."""
    running: list[Deployment] = []
    if tool is None:
        pytest.skip("Compose v2 is not installed")

    def up(plan: Plan, image: str, insight: Insight | None = None) -> Deployment:
        assert plan.container is not None
        plan = plan._replace(
            engine=plan.engine._replace(image=image),
            container=plan.container._replace(health_interval=1),
            insight=insight,
        )
        write(plan, tmp_path)
        deployment = Deployment(engine, plan, tmp_path, tool)
        deployment.make_ground()
        running.append(deployment)
        deployment.compose("up", "-d")
        return deployment

    yield up
    for deployment in running:
        deployment.leave()


@pytest.fixture(
    params=[
        images.REDIS_IMAGE,
        images.VALKEY_IMAGE,
        images.OFFICIAL_6_IMAGE,
        images.OFFICIAL_IMAGE,
        images.OFFICIAL_8_IMAGE,
        images.OFFICIAL_VALKEY_IMAGE,
    ]
)
def image(request: pytest.FixtureRequest, engine: Engine) -> str:
    """Every kind of image: without an entrypoint, with the official one's, Redis 6.2 to 8.2, Valkey."""
    engine.add_images()
    if engine.docker("image", "inspect", request.param, check=False).returncode:
        pytest.skip(f"{request.param} cannot be made here")
    return str(request.param)


def test_every_image_becomes_healthy_with_files_closed_to_others(start: Start, image: str) -> None:
    """Files that belong to a person and to nobody else are read by a server that is not root, and
    who has the password is let in, who has none or a wrong one is not."""
    redis = start(built_in("dev"), image)
    assert redis.wait("healthy") == "healthy"
    owners = redis.engine.docker("top", redis.name, "-o", "pid,uid,args").stdout.splitlines()[1:]
    assert [line.split()[1] for line in owners if "-server" in line] not in ([], ["0"])
    assert redis.ask("ping") == "PONG"
    assert redis.ask("ping", password="") == "NOAUTH Authentication required."
    assert "AUTH failed" in redis.ask("ping", password="wrong")  # 6.2 says no more than this
    for path in redis.configuration.iterdir():
        status = path.stat()
        assert (path.name, status.st_uid, status.st_mode & 0o7777) == (path.name, USER, 0o640)


def test_a_full_memory_is_unhealthy_and_the_engine_keeps_why(start: Start, image: str) -> None:
    """Docker's own health log says it in one line, without the password, and room makes it well."""
    redis = start(built_in("dev"), image)
    assert redis.wait("healthy") == "healthy"
    redis.ask("config", "set", "maxmemory-policy", "noeviction")
    redis.ask("config", "set", "maxmemory", "1")
    assert redis.wait("unhealthy") == "unhealthy"
    said = redis.inspect()["State"]["Health"]["Log"][-1]
    assert said["ExitCode"] == 1
    assert said["Output"].startswith("the memory is full (")
    assert said["Output"].count("\n") == 1
    assert SECRETS["health"].reveal() not in str(redis.inspect()["State"]["Health"])
    redis.ask("config", "set", "maxmemory", "512mb")
    assert redis.wait("healthy") == "healthy"


def test_development_is_published_on_loopback_only(start: Start, redis_image: str) -> None:
    """Port 6379 of the dev file answers on 127.0.0.1 of the host and on no other address of it."""
    redis = start(built_in("dev"), redis_image)
    assert redis.wait("healthy") == "healthy"
    listening = redis.engine.run_inside(["ss", "-Hltn", "sport = :6379"]).stdout
    assert [line.split()[3] for line in listening.splitlines()] == ["127.0.0.1:6379"]
    ping = ["redis-cli", "-e", "--askpass", "-h"]
    loopback = redis.engine.run_inside([*ping, "127.0.0.1", "ping"], stdin=PASSWORD + "\n")
    assert loopback.stdout == "PONG\n"
    bridge = redis.engine.run_inside([*ping, "172.17.0.1", "ping"], stdin="x\n", check=False)
    assert "Connection refused" in bridge.stdout + bridge.stderr


@pytest.mark.parametrize("tool", [COMPOSE_1, COMPOSE_2], ids=["1.29", "v2"])
def test_production_limits_hold_and_nothing_is_published(start: Start, redis_image: str) -> None:
    """The engine itself reports the guide's limits, log rotation and restart policy for prod, and
    no published port."""
    redis = start(built_in("prod"), redis_image)
    assert redis.wait("healthy") == "healthy"
    found = redis.inspect()
    host = found["HostConfig"]
    assert (host["Memory"], host["NanoCpus"]) == (1536 * 2**20, 500_000_000)
    assert host["LogConfig"] == {
        "Type": "json-file",
        "Config": {"max-size": "50m", "max-file": "5"},
    }
    assert host["RestartPolicy"]["Name"] == "always"
    assert [ports for ports in found["NetworkSettings"]["Ports"].values() if ports] == []
    assert redis.engine.run_inside(["ss", "-Hltn", "sport = :6379"]).stdout == ""


def test_no_secret_can_be_read_from_the_engine(start: Start, redis_image: str) -> None:
    """Neither `docker inspect`, nor the logs, nor the processes, nor the expanded compose file show
    a password or its hash while health checks run."""
    from hashlib import sha256

    redis = start(built_in("prod"), redis_image)
    assert redis.wait("healthy") == "healthy"
    end, processes = time.monotonic() + 2.5, ""
    while time.monotonic() < end:  # two health checks pass by
        processes += redis.engine.docker("top", redis.name, "-o", "pid,args").stdout
    seen = "\n".join(
        (
            json.dumps(redis.inspect()),
            redis.engine.docker("logs", redis.name).stdout,
            redis.compose("config"),
            processes,
        )
    )
    for secret in SECRETS.values():
        text = secret.reveal()
        assert text not in seen
        assert sha256(text.encode()).hexdigest() not in seen
    assert "redis-server" in processes


def test_a_wrong_health_password_makes_the_container_unhealthy(
    start: Start, redis_image: str
) -> None:
    """A health check that cannot log in fails, though `redis-cli ping` would exit 0."""
    redis = start(built_in("dev"), redis_image)
    assert redis.wait("healthy") == "healthy"
    (redis.configuration / "health.secret").write_text("wrong\n")
    assert redis.wait("unhealthy") == "unhealthy"


def test_a_file_replaced_on_the_host_is_read_by_acl_load(start: Start, redis_image: str) -> None:
    """A person without root replaces users.acl by rename, and ACL LOAD in the running server reads
    the new file: the folder is mounted, and the new file inherits the server's group."""
    redis = start(built_in("dev"), redis_image)
    assert redis.wait("healthy") == "healthy"
    script = 'cp users.acl new && echo "user extra on nopass +ping" >> new && mv new users.acl'
    subprocess.run(
        ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "sh", "-c", script],
        cwd=redis.configuration,
        check=True,
    )
    assert redis.ask("ACL", "LOAD") == "OK"
    assert "extra" in redis.ask("ACL", "USERS").splitlines()


def test_only_redisinsights_account_reads_its_preset(start: Start, redis_image: str) -> None:
    """RedisInsight's file, closed to others on the host, is read in its container by the account
    of its image (1000) and by no other: the server's entrypoint gave it to that group."""
    plan = built_in("dev")
    assert plan.insight is not None
    # RedisInsight's image is in no package of Debian: any image that stays up stands in for it.
    redis = start(plan, redis_image, insight=plan.insight._replace(image=redis_image))
    assert redis.wait("healthy") == "healthy"
    read = ["cat", "/usr/local/etc/redisinsight/databases.json"]
    said = [
        redis.engine.docker("exec", "-u", user, plan.insight.name, *read, check=False)
        for user in ("1000:1000", "999:999")
    ]
    assert SECRETS["viewer"].reveal() in said[0].stdout
    assert "Permission denied" in said[1].stderr
    seen = redis.engine.docker("inspect", plan.insight.name).stdout
    assert SECRETS["viewer"].reveal() not in seen


TLS_PROFILE = """
[env.dev]
port = 0
[env.dev.tls]
cert_file = "/certs/redis.crt"
key_file = "/certs/redis.key"
ca_cert_file = "/certs/ca.crt"
"""


def make_certificates(folder: Path) -> None:
    """Make a CA and a certificate for `redis` and loopback; keys are closed to others."""
    folder.mkdir(parents=True, mode=0o700)
    new = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2"]
    names = "subjectAltName=DNS:redis,DNS:localhost,IP:127.0.0.1"
    own = ["-subj", "/CN=redis", "-addext", names, "-CA", "ca.crt", "-CAkey", "ca.key"]
    own += ["-addext", "basicConstraints=critical,CA:FALSE"]
    for command in (
        [*new, "-subj", "/CN=lab", "-keyout", "ca.key", "-out", "ca.crt"],
        [*new, *own, "-keyout", "redis.key", "-out", "redis.crt"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    for path in folder.iterdir():
        path.chmod(0o600)


def test_tls_alone_is_healthy_with_a_key_closed_to_others(
    start: Start, official_image: str, tmp_path: Path
) -> None:
    """With only TLS listening, the server reads a key that is 0600 and not its own, the health
    check speaks TLS, a client that trusts the CA gets in, and plain text gets no answer."""
    plan = resolve(load_profile(TLS_PROFILE, "keywright.toml"), "dev", None, {}, "/home")
    make_certificates(tmp_path / plan.directory / "certs")
    redis = start(plan, official_image)
    assert redis.wait("healthy") == "healthy"
    door = ["-h", "127.0.0.1", "-p", "6380"]
    secure = [*door, "--tls", "--cacert", str(redis.folder / "certs" / "ca.crt")]
    ping = ["redis-cli", "-e", "--askpass"]
    said = redis.engine.run_inside([*ping, *secure, "ping"], stdin=PASSWORD + "\n", check=False)
    assert said.stdout == "PONG\n", said.stderr
    plain = redis.engine.run_inside([*ping, *door, "ping"], stdin=PASSWORD + "\n", check=False)
    assert (plain.returncode, "PONG" in plain.stdout) == (1, False)


def test_data_survives_the_container(start: Start, official_image: str) -> None:
    """What was written before `down` is there after the next `up`: the volume is named."""
    redis = start(built_in("dev"), official_image)
    assert redis.wait("healthy") == "healthy"
    assert redis.ask("SET", "esabcfg:canary", "1") == "OK"
    redis.compose("down", "-t", "20")
    redis.compose("up", "-d")
    assert redis.wait("healthy") == "healthy"
    assert redis.ask("GET", "esabcfg:canary") == "1"


def test_a_backend_of_another_file_joins_the_network(
    start: Start, redis_image: str, tmp_path: Path
) -> None:
    """A compose file elsewhere that names the network as external finds the server as `redis`."""
    redis = start(built_in("prod"), redis_image)
    assert redis.wait("healthy") == "healthy"
    other = tmp_path / "backend"
    other.mkdir()
    (other / "docker-compose.yml").write_text(
        "services:\n"
        "  backend:\n"
        f"    image: {redis_image}\n"
        "    networks: [esab-network]\n"
        "    command: [redis-cli, -h, redis, ping]\n"
        "networks:\n"
        "  esab-network:\n"
        "    external: true\n"
        "    name: esab-network\n"
    )
    said = redis.engine.compose(other, "run", "--rm", "backend", check=False)
    assert "NOAUTH" in said.stdout + said.stderr


def test_the_server_comes_back_after_a_kill(start: Start, redis_image: str) -> None:
    """A server that dies (SIGKILL from outside) is started again by the restart policy."""
    redis = start(built_in("prod"), redis_image)
    assert redis.wait("healthy") == "healthy"
    os.kill(int(redis.inspect()["State"]["Pid"]), 9)
    end = time.monotonic() + 20
    while redis.inspect()["RestartCount"] == 0 and time.monotonic() < end:
        time.sleep(0.2)
    assert redis.inspect()["RestartCount"] == 1
    assert redis.wait("healthy") == "healthy"
