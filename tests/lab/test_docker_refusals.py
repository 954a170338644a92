"""What stands in the way of `up` in Docker is said in a sentence and a hint, and nothing is half done."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.lab import images as made
from tests.lab.docker_engine import Engine
from tests.lab.person import DockerPerson
from tests.lab.world import refused, world

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
TOML = f"""\
app = "poor"
[env.dev]
image = "{made.OFFICIAL_IMAGE}"
insight.image = "{made.INSIGHT_IMAGE}"
insight.port = 8107
publish = "127.0.0.1:6407"
"""
ALONE = f"{TOML}insight.enabled = false\n"
UNREACHABLE, FAILED, REFUSED, WRONG = 3, 1, 4, 2


def test_no_docker(somebody: Somebody) -> None:
    """Where no docker program is on PATH, that is said; every verb says it."""
    person = somebody(TOML)
    empty = person.root / "empty"
    empty.mkdir()
    (empty / "nsenter").symlink_to("/usr/bin/nsenter")
    person.environ["PATH"] = str(empty)
    before = world(person)
    for verb in ("up", "status", "check", "down", "diff"):
        said = refused(person, before, UNREACHABLE, "-e", "dev", verb=verb)
        assert "docker is not installed here" in said, (verb, said)


def test_no_engine(somebody: Somebody) -> None:
    """A socket on which nobody answers."""
    person = somebody(TOML)
    person.environ["DOCKER_HOST"] = f"unix://{person.root}/nobody.sock"
    before = world(person)
    for verb in ("up", "status", "check", "down"):
        said = refused(person, before, UNREACHABLE, "-e", "dev", verb=verb)
        assert "no Docker Engine answers" in said, (verb, said)
        assert "hint: " in said


@pytest.fixture
def closed_socket(images: Engine) -> Iterator[None]:
    """The engine's socket belongs to another user and group, 0660, as for who is not in `docker`."""
    path = Path(images.socket.removeprefix("unix://"))
    was = path.stat()
    os.chown(path, 65534, 65534)
    path.chmod(0o660)
    yield
    os.chown(path, was.st_uid, was.st_gid)
    path.chmod(was.st_mode)


@pytest.mark.usefixtures("closed_socket")
def test_an_engine_that_this_user_may_not_use(somebody: Somebody) -> None:
    """Permission is another answer than absence; the hint names the group."""
    person = somebody(TOML)
    plain = ("setpriv", "--inh-caps=-all", "--bounding-set=-all", "--clear-groups", "--")
    person.prefix = (*person.prefix, *plain)
    before = world(person)
    for verb in ("up", "status", "check"):
        said = refused(person, before, UNREACHABLE, "-e", "dev", verb=verb)
        assert "your user may not use the Docker Engine" in said, (verb, said)
        assert "usermod -aG docker" in said


def test_no_compose(somebody: Somebody) -> None:
    """Docker without Compose: nothing is written, made or fetched."""
    person = somebody(TOML, compose="")
    said = refused(person, world(person), UNREACHABLE, "-e", "dev")
    assert "Compose is not" in said


def test_a_port_that_a_program_holds(somebody: Somebody, images: Engine) -> None:
    """Named with its process; the server's port, and RedisInsight's."""
    person = somebody(TOML)
    for port, key in ((6407, "env.dev.publish"), (8107, "env.dev.insight.port")):
        listen = f"import socket,time; s=socket.create_server(('127.0.0.1',{port})); time.sleep(60)"
        holder = subprocess.Popen([*images.enter(), "/usr/bin/python3", "-c", listen])
        try:
            time.sleep(0.5)
            said = refused(person, world(person), FAILED, "-e", "dev")
            assert f"port {port} on 127.0.0.1 is taken by python3" in said
            assert f"process {holder.pid}" in said
            assert key in said
        finally:
            holder.kill()
            holder.wait()


def test_a_port_that_a_container_holds(somebody: Somebody, images: Engine) -> None:
    """Named as the container that it is: docker-proxy would tell nobody whom to stop."""
    person = somebody(TOML)
    publish = ("-p", "127.0.0.1:6407:6379")
    images.docker("run", "-d", "--name", "poor-other", *publish, made.REDIS_IMAGE)
    said = refused(person, world(person), FAILED, "-e", "dev")
    assert "port 6407 on 127.0.0.1 is taken by the container poor-other" in said


def test_an_image_that_is_nowhere(somebody: Somebody) -> None:
    """Neither here nor in a registry."""
    person = somebody(TOML.replace(made.OFFICIAL_IMAGE, "keywright-lab/none:1.2.3"))
    said = refused(person, world(person), FAILED, "-e", "dev")
    assert "the image keywright-lab/none:1.2.3 is not here and cannot be fetched" in said
    assert "env.dev.image" in said


def test_no_image_of_redisinsight(somebody: Somebody) -> None:
    """It is left out with a warning, and its proof is unknown: the server is up all the same."""
    person = somebody(TOML.replace(made.INSIGHT_IMAGE, "keywright-lab/none:1.2.3"))
    said = person.say("up", "-e", "dev")
    assert 0 == said.code, said
    assert "RedisInsight is left out" in said.err
    assert "skipped: the image keywright-lab/none:1.2.3 is not here" in " ".join(said.out.split())
    assert "Traceback" not in said.text


MACHINE = {
    "memory": ("container.memory = '900g'", "env.dev.container.memory is 921600 MiB"),
    "processors": ("container.cpus = 500", "env.dev.container.cpus is 500"),
    "maxmemory": ("maxmemory = '900gb'", "env.dev.maxmemory is 921600 MiB"),
}


@pytest.mark.parametrize("what", MACHINE)
def test_limits_above_the_machine(somebody: Somebody, what: str) -> None:
    """More than the Docker host has is refused, and its figure named."""
    line, words = MACHINE[what]
    person = somebody(f"{TOML}{line}\n")
    said = refused(person, world(person), REFUSED, "-e", "dev")
    assert words in said
    assert "the Docker host has" in said


def test_a_full_disk(somebody: Somebody, images: Engine) -> None:
    """A volume without room for the server's files: what it said is told, and all is taken back."""
    person = somebody(ALONE)
    size = ("-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=4k,mode=777")
    images.docker("volume", "create", *size, "poor-redis-data")
    before = world(person)
    said = refused(person, before, FAILED, "-e", "dev")
    assert "No space left on device" in said
    assert "WARNING" not in said, "what every server says when it starts is not why it ended"


def test_a_taken_port_is_seen_before_anything_stops(somebody: Somebody, images: Engine) -> None:
    """A running environment that is to answer elsewhere goes on as it was, when that is taken."""
    person = somebody(ALONE)
    assert 0 == person.say("up", "-e", "dev").code
    publish = ("-p", "127.0.0.1:6417:6379")
    images.docker("run", "-d", "--name", "poor-other", *publish, made.REDIS_IMAGE)
    started = person.inspect("poor-redis")["State"]["StartedAt"]
    person.declare_all(
        TOML.replace("6407", "6417").replace("[env.dev]", "[env.dev]\ninsight.enabled = false")
    )
    said = refused(person, world(person), FAILED, "-e", "dev", "--yes")
    assert "port 6417 on 127.0.0.1 is taken by the container poor-other" in said
    assert started == person.inspect("poor-redis")["State"]["StartedAt"]
