"""`keywright up` of the guide's Docker environments, asked of the engine itself and of no part of Keywright.

Each stack is brought up once, through the real command line, and looked at by many tests; what changes
it comes last in this file.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from tests.embedded.stranger import Said, await_true
from tests.lab import images as made
from tests.lab.person import DockerPerson, Outside

from keywright.errors import KeywrightError

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
GIB, MIB = 2**30, 2**20


class Kind(NamedTuple):
    """What a stack is made of."""

    app: str
    environment: str
    image: str
    compose: str
    inside: bool
    insight_port: int
    engine: str = "redis"


# Every value of every column at least once: development and production, three servers of two makes,
# both generations of Compose, on the engine's host and away from it.
KINDS = (
    Kind("near", "dev", made.OFFICIAL_IMAGE, "1.29", True, 8101),
    Kind("vault", "prod", made.OFFICIAL_VALKEY_IMAGE, "v2", True, 8102, "valkey"),
    Kind("far", "prod", made.OFFICIAL_8_IMAGE, "v2", False, 8103),
)
BY_ENVIRONMENT: dict[str, dict[str, Any]] = {
    "dev": {"suffix": "", "restart": "unless-stopped", "maxmemory": 512 * MIB, "save": "", "log": {},
            "memory": 0, "cpus": 0, "insight_memory": 0, "insight_cpus": 0},
    "prod": {"suffix": "-prod", "restart": "always", "maxmemory": GIB, "save": "900 1 300 10 60 10000",
             "log": {"max-file": "5", "max-size": "50m"},
             "memory": 1536 * MIB, "cpus": 5 * 10**8, "insight_memory": 512 * MIB,
             "insight_cpus": 5 * 10**8},
}  # fmt: skip


class Stack(NamedTuple):
    """An environment that is up; `first` is what `up --json` said."""

    kind: Kind
    person: DockerPerson
    first: dict[str, Any]

    @property
    def container(self) -> str:
        """The server's container, named as in the guide."""
        return f"{self.kind.app}-redis{self.guide['suffix']}"

    @property
    def guide(self) -> dict[str, Any]:
        """What the guide says of this environment."""
        return BY_ENVIRONMENT[self.kind.environment]

    def say(self, verb: str, *words: str) -> Said:
        """A command of Keywright on this environment."""
        return self.person.say(verb, "-e", self.kind.environment, *words)

    def inspect(self) -> dict[str, Any]:
        """What the engine says of the server's container."""
        return self.person.inspect(self.container)


def text_of(kind: Kind) -> str:
    """The keywright.toml of a stack."""
    return f"""\
app = "{kind.app}"
[env.{kind.environment}]
engine = "{kind.engine}"
image = "{kind.image}"
insight.image = "{made.INSIGHT_IMAGE}"
insight.port = {kind.insight_port}
container.health_interval = "2s"
"""


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: f"{kind.app}-{kind.environment}")
def stack(request: pytest.FixtureRequest, residents: Somebody) -> Iterator[Stack]:
    """Each of the stacks in turn, up."""
    kind: Kind = request.param
    person = residents(text_of(kind), compose=kind.compose, inside=kind.inside)
    said = person.say("up", "-e", kind.environment, "--json")
    assert 0 == said.code, said
    yield Stack(kind, person, json.loads(said.out))
    person.leave()


def test_every_proof_passes(stack: Stack) -> None:
    """The first `up` proves everything; only what cannot be asked from away is unknown there."""
    verdicts = {each["id"]: each["verdict"] for each in stack.first["proofs"]}
    assert 22 == len(verdicts)
    unknown = set() if stack.kind.inside else {"insight"}
    assert unknown == {name for name, verdict in verdicts.items() if verdict != "passed"}, verdicts
    assert {"container", "limits", "published", "neighbour", "restart"} < set(verdicts)


def test_the_containers_are_as_the_guide_names_them(stack: Stack) -> None:
    """Names, volumes, network with its aliases, project, and nothing else of this app's."""
    app, suffix = stack.kind.app, stack.guide["suffix"]
    names = [f"{app}-redis{suffix}", f"{app}-redisinsight{suffix}"]
    volumes = [f"{app}-redis-data{suffix}", f"{app}-redisinsight-data{suffix}"]
    expected = {"container": names, "network": [f"{app}-network"], "volume": volumes}
    assert expected == stack.person.things()
    for name, service, volume in zip(names, ("redis", "redisinsight"), volumes, strict=True):
        found = stack.person.inspect(name)
        networks = found["NetworkSettings"]["Networks"]
        assert [f"{app}-network"] == list(networks)
        assert service in networks[f"{app}-network"]["Aliases"]
        mounts = {m["Destination"]: m.get("Name") for m in found["Mounts"] if m["Type"] == "volume"}
        assert {"/data": volume} == mounts
        labels = found["Config"]["Labels"]
        project = f"{app}-{stack.kind.environment}"
        assert (project, service) == (
            labels["com.docker.compose.project"],
            labels["com.docker.compose.service"],
        )


def test_the_engine_holds_the_guides_limits(stack: Stack) -> None:
    """Memory, processors, restart policy and log rotation as the engine has them."""
    guide, host = stack.guide, stack.inspect()["HostConfig"]
    insight = f"{stack.kind.app}-redisinsight{guide['suffix']}"
    beside = stack.person.inspect(insight)["HostConfig"]
    assert (guide["memory"], guide["cpus"]) == (host["Memory"], host["NanoCpus"])
    assert (guide["insight_memory"], guide["insight_cpus"]) == (
        beside["Memory"],
        beside["NanoCpus"],
    )
    for each in (host, beside):
        assert guide["restart"] == each["RestartPolicy"]["Name"]
        assert ("json-file", guide["log"]) == (
            each["LogConfig"]["Type"],
            each["LogConfig"]["Config"],
        )
        assert ["no-new-privileges:true"] == each["SecurityOpt"]
        assert not each["Privileged"]
    if guide["memory"]:  # the kernel's own figure, in the server's control group
        pid = stack.person.server_pid(stack.container)
        with open(f"/proc/{pid}/cgroup") as stream:
            groups = dict(line.strip().split(":", 2)[1:] for line in stream)
        if "memory" in groups:  # cgroup v1
            with open(f"/sys/fs/cgroup/memory{groups['memory']}/memory.limit_in_bytes") as stream:
                assert guide["memory"] == int(stream.read())


def test_only_declared_addresses_of_the_host_answer(stack: Stack, neighbour: Outside) -> None:
    """Development on loopback alone, production nowhere; nothing for another machine."""
    engine, app = stack.person.engine, stack.kind.app
    published = stack.inspect()["HostConfig"]["PortBindings"] or {}
    if stack.kind.environment == "dev":
        place = {"6379/tcp": [{"HostIp": "127.0.0.1", "HostPort": "6379"}]}
        assert place == published
    else:
        assert {} == published
    beside = stack.person.inspect(f"{app}-redisinsight{stack.guide['suffix']}")
    loopback = [{"HostIp": "127.0.0.1", "HostPort": str(stack.kind.insight_port)}]
    assert {"5540/tcp": loopback} == beside["HostConfig"]["PortBindings"]
    listening = engine.run_inside(["ss", "-Htln"]).stdout.split("\n")
    heard = {line.split()[3] for line in listening if line}
    expected = {f"127.0.0.1:{stack.kind.insight_port}"}
    if stack.kind.environment == "dev":
        expected.add("127.0.0.1:6379")
    assert expected == heard
    assert (False, False) == (
        neighbour.reaches(6379),
        neighbour.reaches(stack.kind.insight_port),
    )


def test_the_server_runs_the_guides_settings(stack: Stack) -> None:
    """CONFIG GET and INFO of the server itself, not of its file."""
    with stack.person.wire_to(stack.container) as wire:
        found = dict(_pairs(wire.call("CONFIG", "GET", "*")))
        info = str(wire.call("INFO", "server"))
    version = stack.kind.image.rpartition(":")[2]
    assert f"{stack.kind.engine}_version:{version}." in info
    expected = {
        "maxmemory": str(stack.guide["maxmemory"]),
        "maxmemory-policy": "allkeys-lru",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "requirepass": "",
        "protected-mode": "yes",
        "dir": "/data",
        "aclfile": "/usr/local/etc/redis/users.acl",
    }
    assert expected == {name: found[name] for name in expected}
    if stack.guide["save"]:
        assert "3600 1 300 100 60 10000" == found["save"] or stack.guide["save"] == found["save"]


def _pairs(reply: object) -> Iterator[tuple[str, str]]:
    flat = (
        [str(each) for pair in reply.items() for each in pair] if isinstance(reply, dict) else reply
    )
    assert isinstance(flat, list)
    return zip(map(str, flat[::2]), map(str, flat[1::2]), strict=True)


def test_the_server_is_not_root_and_becomes_healthy(stack: Stack) -> None:
    """uid 999 as in the official image; Docker's own verdict, of its own runs of the check."""
    top = stack.person.engine.docker("top", stack.container, "-o", "pid,uid,args").stdout
    servers = [line.split()[1] for line in top.splitlines()[1:] if "-server" in line]
    assert ["999"] == servers

    def healthy() -> bool:
        return bool(stack.inspect()["State"]["Health"]["Status"] == "healthy")

    await_true(healthy, "Docker calls it healthy", limit=10)


def test_a_password_is_required_from_everywhere(stack: Stack) -> None:
    """From another container on its network, and from its host where it answers there."""
    network, engine = f"{stack.kind.app}-network", stack.person.engine
    knock = ("run", "--rm", "--network", network, made.REDIS_IMAGE, "redis-cli", "-h", "redis")
    assert "NOAUTH" in engine.docker(*knock, "ping").stdout
    assert "NOAUTH" in engine.docker(*knock, "get", "a").stdout
    wrong = engine.docker(*knock, "--no-auth-warning", "-a", "wrong", "ping", check=False)
    assert "WRONGPASS" in wrong.stdout + wrong.stderr and "PONG" not in wrong.stdout
    if stack.kind.environment == "dev":
        host = engine.run_inside(["redis-cli", "-p", "6379", "ping"], check=False)
        if host.returncode == 127:
            pytest.fail("redis-cli is missing on the host")
        assert "NOAUTH" in host.stdout


def test_the_second_up_does_nothing(stack: Stack) -> None:
    """No step, no container started, stopped or made, not even a short-lived one."""
    before = stack.inspect()["State"]["StartedAt"]
    since = time.time()
    said = stack.say("up", "--json")
    assert 0 == said.code, said
    assert [] == json.loads(said.out)["steps"]
    until = f"{time.time():.6f}"
    told = stack.person.engine.docker(
        "events", "--since", f"{since:.6f}", "--until", until, "--format", "{{json .}}"
    ).stdout.splitlines()
    actions = [json.loads(line)["Action"] for line in told]
    looks = ("exec_", "top")  # programs in the running container, and a list of its processes
    done = [each for each in actions if not each.startswith(looks)]
    assert [] == done
    assert before == stack.inspect()["State"]["StartedAt"]


def test_a_killed_server_comes_back_with_its_data(stack: Stack) -> None:
    """SIGKILL from outside: the restart policy starts it again, and what was fsynced is there."""
    with stack.person.wire_to(stack.container) as wire:
        wire.call("SET", "survivor", "here")
    time.sleep(2)  # appendfsync everysec
    restarts = stack.inspect()["RestartCount"]
    stack.person.kill_server(stack.container)
    await_true(lambda: _value(stack, "survivor") == "here", "the key is there again", limit=20)
    assert restarts + 1 == stack.inspect()["RestartCount"]


def _value(stack: Stack, key: str) -> str:
    try:
        with stack.person.wire_to(stack.container) as wire:
            return str(wire.call("GET", key))
    except KeywrightError:
        return ""


def test_down_keeps_the_data(stack: Stack) -> None:
    """`down` leaves volume and network; `up` again has every key."""
    with stack.person.wire_to(stack.container) as wire:
        wire.batch([("SET", f"kept:{number}", "x") for number in range(1000)])
        held = int(str(wire.call("DBSIZE")))
    said = stack.say("down")
    assert 0 == said.code, said
    left = stack.person.things()
    assert f"{stack.kind.app}-redis-data{stack.guide['suffix']}" in left["volume"]
    running = stack.person.engine.docker("ps", "--format", "{{.Names}}").stdout.split()
    assert stack.container not in running
    assert 3 == stack.say("status").code
    said = stack.say("up", "--json")
    assert 0 == said.code, said
    with stack.person.wire_to(stack.container) as wire:
        assert held == wire.call("DBSIZE")
