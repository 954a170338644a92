"""Every proof about a container can fail: it is really made wrong, by hand, and exactly that is seen."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.embedded.stranger import await_true
from tests.lab import images as made
from tests.lab.person import DockerPerson

from keywright.errors import KeywrightError

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
Body = dict[str, Any]
CONTAINER, INSIGHT, PASSWORD = "wrong-redis", "wrong-redisinsight", "only-for-this-test-4711"
TOML = f"""\
app = "wrong"
[env.dev]
image = "{made.OFFICIAL_IMAGE}"
insight.image = "{made.INSIGHT_IMAGE}"
insight.port = 8106
publish = "127.0.0.1:6406"
maxmemory = "100mb"
container.memory = "300m"
container.cpus = 0.5
container.log_max_size = "5m"
container.log_max_files = 2
"""


class Wrong:
    """An environment whose containers can be made anew, just as they were but for one thing."""

    def __init__(self, person: DockerPerson) -> None:
        self.person = person
        self.docker = person.engine.docker
        self.right = {name: person.inspect(name) for name in (CONTAINER, INSIGHT)}

    def make(self, change: Callable[[Body], object], name: str = CONTAINER) -> None:
        """Replace the container by one that Docker makes of the same description, changed."""
        found = self.right[name]
        body = {**found["Config"], "HostConfig": found["HostConfig"]}
        networks = {
            each: {"Aliases": one["Aliases"]}
            for each, one in found["NetworkSettings"]["Networks"].items()
        }
        body["NetworkingConfig"] = {"EndpointsConfig": networks}
        body = json.loads(json.dumps(body))
        change(body)
        self.docker("rm", "-f", name)
        said = self.post(f"/containers/create?name={name}", json.dumps(body))
        assert "Id" in json.loads(said), said
        self.docker("start", name)
        if name == CONTAINER:
            await_true(self.answers, "the server answers")

    def post(self, path: str, body: str) -> str:
        """Ask the engine itself."""
        socket = self.person.engine.socket.removeprefix("unix://")
        words = ["curl", "-s", "--unix-socket", socket, "-H", "Content-Type: application/json"]
        url = f"http://docker/v1.41{path}"
        return self.person.engine.run([*words, "--data-binary", "@-", url], stdin=body).stdout

    def answers(self) -> bool:
        """Whether the server has loaded."""
        try:
            return self.ask("PING") == "PONG"
        except KeywrightError:
            return False

    def ask(self, *words: str) -> object:
        """One command as admin."""
        with self.person.wire_to(CONTAINER) as wire:
            return wire.call(*words)

    def failing(self, unknown: frozenset[str] = frozenset()) -> dict[str, str]:
        """The proofs that fail now, with their evidence; none is unknown but the expected."""
        said = self.person.say("check", "-e", "dev", "--json")
        assert said.out, said
        proofs = json.loads(said.out)["proofs"]
        failed = {each["id"]: each["evidence"] for each in proofs if each["verdict"] == "failed"}
        assert (1 if failed else 0) == said.code, said
        assert unknown == {each["id"] for each in proofs if each["verdict"] == "unknown"}
        return failed


@pytest.fixture(scope="module")
def wrong(residents: Somebody) -> Iterator[Wrong]:
    """The environment; at the end `up` mends whatever was made wrong last."""
    person = residents(TOML)
    person.environ["REDIS_PASSWORD"] = PASSWORD
    said = person.say("up", "-e", "dev")
    assert 0 == said.code, said
    yield Wrong(person)
    person.leave()


def test_the_same_container_made_by_hand_passes(wrong: Wrong) -> None:
    """Nothing but the change can be what the proofs below see."""
    wrong.make(lambda body: None)
    wrong.make(lambda body: None, INSIGHT)
    assert {} == wrong.failing()


def _host(**changes: object) -> Callable[[Body], object]:
    return lambda body: body["HostConfig"].update(changes)


def _config(**changes: object) -> Callable[[Body], object]:
    return lambda body: body.update(changes)


def _as_root(body: Body) -> None:
    body["Entrypoint"] = ["redis-server", "/usr/local/etc/redis/redis.conf"]


def _mounted_too(body: Body) -> None:
    body["HostConfig"]["Binds"].append("wrong-more:/more")


def _alone(body: Body) -> None:
    ports = body["HostConfig"]["PortBindings"]
    ports["6379/tcp"].append({"HostIp": "0.0.0.0", "HostPort": "6407"})


def _nameless(body: Body) -> None:
    for each in body["NetworkingConfig"]["EndpointsConfig"].values():
        each["Aliases"] = ["redis2"]


def _labelled(body: Body) -> None:
    body["Labels"]["note"] = PASSWORD


MADE: dict[str, tuple[Callable[[Body], object], set[str]]] = {
    "published everywhere too": (_alone, {"published"}),
    "not published": (_host(PortBindings={}), {"published"}),
    "root": (_as_root, {"container", "account"}),
    "password in the environment": (_config(Env=[f"REDIS_PASSWORD={PASSWORD}"]), {"secrets"}),
    "password in the command": (_config(Cmd=["--requirepass", PASSWORD]), {"secrets"}),
    "password in a label": (_labelled, {"secrets"}),
    "no health check": (_config(Healthcheck={"Test": ["NONE"]}), {"container", "health"}),
    "another health check": (
        _config(Healthcheck={"Test": ["CMD", "redis-cli", "ping"]}),
        {"container"},
    ),
    "another log driver": (_host(LogConfig={"Type": "none"}), {"container"}),
    "log without rotation": (_host(LogConfig={"Type": "json-file"}), {"container"}),
    "new privileges": (_host(SecurityOpt=[]), {"container"}),
    "another volume": (_mounted_too, {"container"}),
    "no limits": (_host(Memory=0, MemorySwap=0, NanoCpus=0), {"limits"}),
    "another restart policy": (_host(RestartPolicy={"Name": "no"}), {"limits"}),
}


@pytest.mark.parametrize("how", MADE)
def test_a_container_made_wrong(wrong: Wrong, how: str) -> None:
    """Made anew with one thing changed, exactly the proofs of that thing fail."""
    change, expected = MADE[how]
    wrong.make(change)
    failed = wrong.failing()
    assert expected == set(failed), failed


def test_a_neighbour_that_finds_nobody(wrong: Wrong) -> None:
    """Nothing answers to the service's name: nobody was refused, so that is unknown, and soon."""
    wrong.make(_nameless)
    begun = time.monotonic()
    assert {"container"} == set(wrong.failing(unknown=frozenset({"neighbour"})))
    assert time.monotonic() - begun < 20


CHANGED: dict[str, tuple[tuple[str, ...], tuple[str, ...], set[str]]] = {
    "memory": (
        ("update", "--memory", "200m", "--memory-swap", "400m", CONTAINER),
        ("update", "--memory", "300m", "--memory-swap", "600m", CONTAINER),
        {"limits"},
    ),
    "processors": (
        ("update", "--cpus", "1", CONTAINER),
        ("update", "--cpus", "0.5", CONTAINER),
        {"limits"},
    ),
    "on the default network too": (
        ("network", "connect", "bridge", CONTAINER),
        ("network", "disconnect", "bridge", CONTAINER),
        {"container"},
    ),
    "redisinsight stopped": (("stop", "-t", "0", INSIGHT), ("start", INSIGHT), {"insight"}),
}


@pytest.mark.parametrize("how", CHANGED)
def test_a_running_container_changed(wrong: Wrong, how: str) -> None:
    """Changed while it runs, exactly the proofs of that thing fail."""
    there, back, expected = CHANGED[how]
    wrong.make(lambda body: None)
    wrong.docker(*there)
    try:
        failed = wrong.failing()
    finally:
        wrong.docker(*back)
    assert expected == set(failed), failed


def test_a_server_without_password(wrong: Wrong) -> None:
    """Seen from everywhere: as nobody, on the published address, and from another container."""
    wrong.make(lambda body: None)
    wrong.ask("ACL", "SETUSER", "default", "nopass")
    failed = wrong.failing()
    expected = {"users", "no-password", "wrong-password", "published", "neighbour"}
    assert expected == set(failed), failed


def test_redisinsight_for_everybody(wrong: Wrong) -> None:
    """It has no login of its own: on more than loopback its proof fails, though it answers there."""
    wrong.make(lambda body: None)
    place = {"5540/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8106"}]}
    wrong.make(_host(PortBindings=place), INSIGHT)
    failed = wrong.failing()
    assert {"insight"} == set(failed), failed
    assert "0.0.0.0:8106" in failed["insight"]


def test_data_that_does_not_load(wrong: Wrong) -> None:
    """What lies in the volume is really loaded: damaged, the proof of the copy fails."""
    wrong.make(lambda body: None, INSIGHT)
    wrong.make(lambda body: None)
    with wrong.person.wire_to(CONTAINER) as wire:
        wire.batch([("SET", f"key:{number}", "x" * 100) for number in range(200)])
    damage = (
        "printf '\\377%.0s' $(seq 30) | dd of=$(ls /data/appendonlydir/*.incr.aof) bs=1 seek=3000"
    )
    wrong.docker("exec", "-u", "0", CONTAINER, "sh", "-c", f"{damage} conv=notrunc")
    assert {"copy"} == set(wrong.failing())
    wrong.ask("BGREWRITEAOF")
    await_true(
        lambda: "aof_rewrite_in_progress:0" in str(wrong.ask("INFO", "persistence")), "rewritten"
    )


def test_up_mends_what_was_made_wrong(wrong: Wrong) -> None:
    """The last wrong container is made anew by `up`, and everything is proven."""
    wrong.make(_alone)
    assert {"published"} == set(wrong.failing())
    said = wrong.person.say("up", "-e", "dev", "--yes")
    assert 0 == said.code, said
    assert "make the container anew" in said.out, said
    assert {} == wrong.failing()
