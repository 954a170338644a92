"""A copy of data is loaded by a container of its own, on a real Docker Engine, with Redis and Valkey."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab.docker_engine import DOCKER, Engine

from keywright_ops.gather.scratch_container import LABEL, load_in_container
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Layout, Loaded
from keywright_ops.store.copies import Store, verify
from keywright_ops.targets.tar_stream import unpack

pytestmark = pytest.mark.lab
SRC = str(Path(__file__).parents[2] / "src")
RDB, AOF = Layout(False), Layout(True)
FILL = """\
cd /data
{server} --port 0 --unixsocket /tmp/s --daemonize yes --databases 20 {more} --save ''
until redis-cli -s /tmp/s PING; do sleep 0.1; done
for n in 1 2 3 4 5; do redis-cli -s /tmp/s SET key:$n v$n; done
redis-cli -s /tmp/s -n 3 SET canary found
redis-cli -s /tmp/s SET canary found
redis-cli -s /tmp/s SET short lived PX 1
sleep 0.1
redis-cli -s /tmp/s {end}
"""


def docker_of(engine: Engine) -> tuple[str, ...]:
    """How the client is called: with the engine's socket, as a person's DOCKER_HOST would say."""
    return (DOCKER, "-H", engine.socket)


def scratches(engine: Engine) -> list[str]:
    """The scratch containers that there are, running or not."""
    return engine.docker("ps", "-aq", "--filter", f"label={LABEL}").stdout.split()


def volumes(engine: Engine) -> list[str]:
    """Every volume of the engine."""
    return sorted(engine.docker("volume", "ls", "-q").stdout.split())


def fill(engine: Engine, image: str, server: str, volume: str, more: str, end: str) -> None:
    """Write six keys in db0 and one in db3 into a volume."""
    script = FILL.format(server=server, more=more, end=end)
    engine.docker(
        *("run", "--rm", "--network", "none", "-v", f"{volume}:/data"),
        *("--entrypoint", "sh", image, "-c", script),
    )


@pytest.fixture
def volume(engine: Engine) -> Iterator[str]:
    """An empty volume."""
    name = f"scratch-{os.getpid()}-{time.monotonic_ns()}"
    engine.docker("volume", "create", name)
    yield name
    engine.docker("volume", "rm", "-f", name)


@pytest.fixture(params=["redis", "valkey"])
def flavour(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    """Image, program and version of each engine."""
    image = request.getfixturevalue(f"{request.param}_image")
    return image, f"{request.param}-server", "7.0" if request.param == "redis" else "9."


@pytest.mark.parametrize("layout", [RDB, AOF], ids=["snapshot", "append-only"])
def test_loads_what_was_written(
    engine: Engine, flavour: tuple[str, str, str], volume: str, layout: Layout
) -> None:
    """Law: keys by database, the canary and the version are told; the volume and the engine stay as
    they were, and no container is left."""
    image, server, version = flavour
    fill(engine, image, server, volume, "--appendonly yes" if layout.appendonly else "",
         "SHUTDOWN" if layout.appendonly else "SHUTDOWN SAVE")  # fmt: skip
    before = listing(engine, image, volume), volumes(engine)
    settings = layout._replace(settings=(("databases", "20"),))
    found = load_in_container(docker_of(engine), image, volume, settings, "canary")
    assert isinstance(found, Loaded), found
    assert (("db0", 6), ("db3", 1)) == found.databases
    assert ("found", server.removesuffix("-server")) == (found.canary, found.server)
    assert found.version.startswith(version)
    assert before == (listing(engine, image, volume), volumes(engine))
    assert [] == scratches(engine)


def test_it_is_waited_for_until_all_is_loaded(
    engine: Engine, redis_image: str, volume: str
) -> None:
    """Law: a server that still loads is not taken for one that has: INFO says async_loading:0 then."""
    commands = "seq 5000 | sed 's/.*/SET many:& value/' | redis-cli -s /tmp/s >/dev/null\n"
    script = FILL.format(server="redis-server", more="--appendonly yes", end="SHUTDOWN")
    run = ("run", "--rm", "--network", "none", "-v", f"{volume}:/data", "--entrypoint", "sh")
    script = script.replace("redis-cli -s /tmp/s -n 3", f"{commands}redis-cli -s /tmp/s -n 3")
    engine.docker(*run, redis_image, "-c", script)
    slowly = AOF._replace(settings=(("databases", "20"), ("key-load-delay", "300")))  # 300 µs a key
    found = load_in_container(docker_of(engine), redis_image, volume, slowly, "canary")
    assert isinstance(found, Loaded), found
    assert (5007, "found") == (found.keys, found.canary)


def listing(engine: Engine, image: str, volume: str) -> str:
    """Names, sizes, times and hashes of all that lies in a volume."""
    look = (
        "find /data -printf '%p %s %T@\\n' | sort; find /data -type f -exec sha256sum {} + | sort"
    )
    run = ("run", "--rm", "-v", f"{volume}:/data:ro", "--entrypoint", "sh", image, "-c", look)
    return engine.docker(*run).stdout


def test_a_server_that_still_loads_is_waited_for(
    engine: Engine, redis_image: str, volume: str
) -> None:
    """Law: what is told is what was loaded in the end, however often it was asked meanwhile."""
    many = "for n = 1, 2000 do redis.call('SET', 'more:' .. n, 'value') end"
    end = f'EVAL "{many}" 0; redis-cli -s /tmp/s SHUTDOWN SAVE'
    fill(engine, redis_image, "redis-server", volume, "", end)
    slowly = (("key-load-delay", "1000"), ("loading-process-events-interval-bytes", "1024"))
    found = load_in_container(docker_of(engine), redis_image, volume, Layout(False, slowly))
    assert isinstance(found, Loaded), found
    assert 2007 == found.keys


def test_a_folder_of_this_host_is_loaded_too(
    engine: Engine, redis_image: str, volume: str, tmp_path: Path
) -> None:
    """Law: a kept copy is a folder; it is loaded as it lies, though it is its owner's alone."""
    fill(engine, redis_image, "redis-server", volume, "", "SHUTDOWN SAVE")
    run = ("run", "--rm", "-v", f"{volume}:/data:ro", "-v", f"{tmp_path}:/to")
    engine.docker(*run, "--entrypoint", "cp", redis_image, "-R", "/data", "/to/data")
    os.chmod(tmp_path / "data", 0o700)
    os.chmod(tmp_path / "data/dump.rdb", 0o600)
    found = load_in_container(docker_of(engine), redis_image, f"{tmp_path}/data", RDB)
    assert isinstance(found, Loaded), found
    assert 7 == found.keys


def test_out_of_a_volume_into_the_store_and_loaded(
    engine: Engine, redis_image: str, volume: str, tmp_path: Path
) -> None:
    """Law: `docker cp` of a stopped container gives the store every file, and the copy loads."""
    fill(engine, redis_image, "redis-server", volume, "--appendonly yes", "SHUTDOWN")
    made = engine.docker("create", "-v", f"{volume}:/data", redis_image).stdout.strip()
    store = Store(f"{tmp_path}/copies")
    argv = (*docker_of(engine), "cp", f"{made}:/data", "-")
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        folder, files = store.take(unpack(client.stdout))
    engine.docker("rm", made)
    assert (0, "") == (client.returncode, verify(folder, files))
    assert 3 == len([file for file in files if file.name.startswith("appendonlydir/")])
    layout = AOF._replace(settings=(("databases", "20"),))
    found = load_in_container(docker_of(engine), redis_image, f"{folder}/data", layout)
    assert isinstance(found, Loaded), found
    assert 7 == found.keys


def test_a_newer_snapshot_is_refused_in_the_servers_own_words(
    engine: Engine, redis_image: str, valkey_image: str, volume: str
) -> None:
    """Law: what this image cannot read is told by the line that says why, not by the server's last one."""
    fill(engine, valkey_image, "valkey-server", volume, "", "SHUTDOWN SAVE")
    found = load_in_container(docker_of(engine), redis_image, volume, RDB)
    assert Missing("the copy does not load: Wrong signature trying to load DB from file") == found
    patch = "printf 'REDIS0080' | dd of=/data/dump.rdb conv=notrunc bs=1"
    run = ("run", "--rm", "-v", f"{volume}:/data", "--entrypoint", "sh", redis_image, "-c", patch)
    engine.docker(*run)
    found = load_in_container(docker_of(engine), redis_image, volume, RDB)
    assert Missing("the copy does not load: Can't handle RDB format version 80") == found
    assert [] == scratches(engine)


def test_what_is_not_there_is_said(engine: Engine, redis_image: str, volume: str) -> None:
    """Law: no such image, and no engine, are sentences too."""
    found = load_in_container(docker_of(engine), "keywright-lab/none:1", volume, RDB)
    assert isinstance(found, Missing)
    assert "keywright-lab/none:1" in found.why
    found = load_in_container((DOCKER, "-H", "unix:///none"), redis_image, volume, RDB)
    assert isinstance(found, Missing)
    assert "unix:///none" in found.why


def test_the_time_is_limited(engine: Engine, redis_image: str, volume: str) -> None:
    """Law: a server that never answers ends with the limit, and nothing is left."""
    begun = time.monotonic()
    deaf = RDB._replace(settings=(("unixsocket", "/tmp/elsewhere"),))
    found = load_in_container(docker_of(engine), redis_image, volume, deaf, limit=2)
    assert Missing("the copy does not load: it was not loaded within 2 seconds") == found
    assert time.monotonic() - begun < 15
    assert [] == scratches(engine)


KILLED = """\
import sys
from keywright_ops.gather.scratch_container import load_in_container
from keywright_ops.model.copies import Layout
where = Layout(False, (("unixsocket", "/tmp/elsewhere"),))
load_in_container(tuple(sys.argv[1:4]), sys.argv[4], sys.argv[5], where, limit=600)
"""


def test_killed_with_us(engine: Engine, redis_image: str, volume: str) -> None:
    """Law: when we are killed with SIGKILL the container ends at once, and is removed."""
    argv = (sys.executable, "-c", KILLED, *docker_of(engine), redis_image, volume)
    child = subprocess.Popen(argv, env=engine.environment | {"PYTHONPATH": SRC})
    await_count(engine, 1)
    time.sleep(1)
    child.send_signal(signal.SIGKILL)
    child.wait()
    await_count(engine, 0)


def await_count(engine: Engine, count: int) -> None:
    """Wait until there are so many scratch containers, at most 20 s."""
    for _ in range(100):
        if len(scratches(engine)) == count:
            return
        time.sleep(0.2)
    raise AssertionError(f"there are {len(scratches(engine))} scratch containers, not {count}")
