"""The lab itself: what its engine, its images and its persons promise to the tests that rely on them."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable

import pytest
from tests.lab import images as made
from tests.lab.docker_engine import DOCKER, Engine
from tests.lab.person import DockerPerson, Outside

from keywright.endpoint import Endpoint
from keywright.errors import Unreachable
from keywright.wire import Wire
from keywright_ops.targets.relay import container_relay

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
SERVERS = [
    (made.REDIS_IMAGE, "redis-server", "7.0", "redis"),
    (made.OFFICIAL_IMAGE, "redis-server", "7.0", "999"),
    (made.OFFICIAL_8_IMAGE, "redis-server", "8.2", "999"),
    (made.OFFICIAL_6_IMAGE, "redis-server", "6.2", "999"),
    (made.VALKEY_IMAGE, "valkey-server", "9.1", ""),
    (made.OFFICIAL_VALKEY_IMAGE, "valkey-server", "9.1", "999"),
]


def run(engine: Engine, image: str, *argv: str) -> str:
    """Run a container in the background; return its id."""
    words = ("run", "-d", *(argv or ("--rm",)), image)
    return engine.docker(*words).stdout.strip()


def relay_to(engine: Engine, container: str, port: int = 6379) -> tuple[str, ...]:
    """The way into a container of the lab's engine."""
    return ("env", f"DOCKER_HOST={engine.socket}", *container_relay(DOCKER, container, port))


def answering(engine: Engine, container: str) -> Wire:
    """A wire to a server that has just been started."""
    for _ in range(50):
        try:
            wire = Wire(Endpoint(relay=relay_to(engine, container)))
            wire.call("PING")
        except Unreachable:
            time.sleep(0.1)
        else:
            return wire
    raise AssertionError("it does not answer")


@pytest.mark.parametrize(("image", "program", "version", "account"), SERVERS)
def test_every_image_runs_its_server_as_its_account(
    images: Engine, image: str, program: str, version: str, account: str
) -> None:
    """The version that the tag says, the official ones as uid 999 with data that others cannot read."""
    container = run(images, image)
    try:
        with answering(images, container) as wire:
            info = str(wire.call("INFO", "server"))
            wire.call("SET", "a", "b")
            wire.call("SAVE")
        name = "valkey_version" if program.startswith("valkey") else "redis_version"
        assert f"{name}:{version}." in info
        assert alone(images, container)  # the relay's processes end a moment after it
        top = images.docker("top", container, "-o", "pid,uid,args").stdout.splitlines()[1:]
        if account == "999":
            assert [("999", program)] == [
                (line.split()[1], line.split()[2].rpartition("/")[2]) for line in top
            ]
            listed = images.docker("exec", container, "stat", "-c", "%u %a", "/data/dump.rdb")
            assert "999 600\n" == listed.stdout
    finally:
        images.docker("rm", "-f", "-v", container)


@pytest.mark.parametrize("busybox", [False, True], ids=["bash", "busybox"])
def test_a_relay_into_a_container_leaves_nothing_there(images: Engine, busybox: bool) -> None:
    """Closed, killed, or hung up on by the server: the exec's processes are gone within a second or
    two, in an image with bash and in one where only busybox's nc is."""
    container = run(images, made.OFFICIAL_IMAGE)
    try:
        answering(images, container).close()
        if busybox:
            path = shutil.which("busybox")
            if path is None:
                pytest.skip("busybox is not installed")
            images.docker("cp", path, f"{container}:/bin/nc")
            images.docker("exec", container, "sh", "-c", "rm /bin/bash; ln -f /bin/nc /bin/dd")
        relay = relay_to(images, container)
        begun = time.monotonic()
        with Wire(Endpoint(relay=relay)) as wire:
            assert "PONG" == wire.call("PING")
            assert 1 < len(processes(images, container))
        assert time.monotonic() - begun < 3
        assert alone(images, container)
        wire = Wire(Endpoint(relay=relay))
        wire.call("PING")
        assert wire._relay is not None
        wire._relay._process.kill()  # the docker client dies, as with the person's terminal
        assert alone(images, container)
        wire.close()
        with Wire(Endpoint(relay=relay)) as wire, pytest.raises(Unreachable):
            wire.batch([("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"), ("PING",)])
        assert alone(images, container)
    finally:
        images.docker("rm", "-f", "-v", container)
    with pytest.raises(Unreachable, match=r"said: Error: No such container"):
        Wire(Endpoint(relay=relay)).call("PING")


def processes(engine: Engine, container: str) -> list[str]:
    """What runs in a container."""
    return engine.docker("top", container, "-o", "pid,args").stdout.splitlines()[1:]


def alone(engine: Engine, container: str) -> bool:
    """Whether nothing but the server runs there, within three seconds."""
    limit = time.monotonic() + 3
    while len(processes(engine, container)) > 1 and time.monotonic() < limit:
        time.sleep(0.05)
    assert 1 == len(processes(engine, container)), processes(engine, container)
    return True


@pytest.mark.parametrize("compose", ["v2", "1.29", ""])
def test_a_person_has_the_compose_that_was_asked_for(somebody: Somebody, compose: str) -> None:
    """One generation at a time, Debian's docker client 20.10 first on PATH, and Keywright itself."""
    person = somebody("app = 'shop'", compose=compose)
    assert "20.10" in person.run("docker", "version", "--format", "{{.Client.Version}}").out
    plugin = person.run("docker", "compose", "version", "--short")
    if compose == "v2":
        assert plugin.out.lstrip("v").startswith("2."), plugin
    else:
        assert plugin.code != 0
    legacy = person.run("sh", "-c", "docker-compose version --short")
    assert ("1.29" in legacy.out) == (compose == "1.29")
    said = person.say("explain", "env.dev.container.project")
    assert (0, True) == (said.code, "shop-dev" in said.out), said


def test_inside_a_container_is_reached_and_outside_only_by_exec(
    somebody: Somebody, images: Engine, neighbour: Outside
) -> None:
    """On the engine's host addresses and published ports answer; away from it the relay alone; from
    another machine what is published on every address, and nothing that is on loopback."""
    here, away = somebody(), somebody(inside=False)
    ports = ("-p", "127.0.0.1:7001:6379", "-p", "7002:6379")
    container = run(images, made.REDIS_IMAGE, *ports, "--restart", "always")
    try:
        answering(images, container).close()
        address = here.inspect(container)["NetworkSettings"]["IPAddress"]
        for where, reached in (("127.0.0.1:7001", True), (f"{address}:6379", True)):
            probe = f"exec 3<>/dev/tcp/{where.replace(':', '/')}"
            assert reached == (here.run("timeout", "2", "bash", "-c", probe).code == 0), where
            assert away.run("timeout", "2", "bash", "-c", probe).code != 0, where
        assert "PONG" in away.run("docker", "exec", container, "redis-cli", "ping").out
        assert (False, True) == (neighbour.reaches(7001), neighbour.reaches(7002))
        killed = here.kill_server(container)
        answering(images, container).close()
        assert killed != here.server_pid(container)
        assert 1 == here.inspect(container)["RestartCount"]
    finally:
        images.docker("rm", "-f", "-v", container)


def test_the_stand_in_of_redisinsight_answers(images: Engine) -> None:
    """/api/health/ says up, as an account that is not root; it reads the preset that it is given."""
    container = run(images, made.INSIGHT_IMAGE, "-p", "127.0.0.1:8001:5540")
    try:
        answer = ""
        for _ in range(50):
            done = images.run_inside(
                ["curl", "-sf", "http://127.0.0.1:8001/api/health/"], check=False
            )
            answer = done.stdout
            if answer:
                break
            time.sleep(0.1)
        assert {"status": "up"} == json.loads(answer)
        assert "1000" == images.docker("exec", container, "id", "-u").stdout.strip()
    finally:
        images.docker("rm", "-f", "-v", container)


def test_nothing_of_the_engine_is_on_this_machine(images: Engine) -> None:
    """No bridge, cable or rule of the lab is in this machine's own network."""
    links = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True).stdout
    assert "198.51.100." not in links
