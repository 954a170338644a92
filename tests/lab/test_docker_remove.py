"""`keywright down --volumes` in Docker: it asks, keeps a copy that loads, and only then the volume goes."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.embedded.killed import Machine, killed_up
from tests.lab.docked import KEYS, Docked
from tests.lab.images import INSIGHT_IMAGE, OFFICIAL_IMAGE
from tests.lab.person import DockerPerson

from keywright_ops.actions.remove import remove_data
from keywright_ops.actions.up import Ask
from keywright_ops.gather.scratch_container import load_in_container
from keywright_ops.model.copies import Layout, Loaded

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
BOUNDARIES = (2, 7, 12, 20, 30, 32)  # of about 35: before, while and after the copy is taken
HELD = KEYS + 4  # keys that `fill` writes, in both databases


class Away(Docked):
    """Away from the engine's network, so that a process of the tests' own can be the person."""

    @property
    def volume(self) -> str:
        """The volume that holds the data."""
        return f"{self.app}-redis-data-prod"

    @property
    def volumes(self) -> list[str]:
        """This person's volumes."""
        return self.person.things()["volume"]

    def copies(self) -> list[Path]:
        """The good copies, oldest first."""
        store = self.person.state_of(self.environment) / "copies"
        return sorted(path.parent for path in store.glob("*/manifest.json"))

    def expect_good(self, copy: Path) -> None:
        """As hashed in the manifest, and a container loads every key from it."""
        manifest: dict[str, Any] = json.loads((copy / "manifest.json").read_text())
        for file in manifest["files"]:
            content = (copy / "data" / file["name"]).read_bytes()
            assert (file["size"], file["sha256"]) == (len(content), sha256(content).hexdigest())
        docker = ("docker", "-H", self.person.engine.socket)
        layout = Layout(manifest["appendonly"])
        loaded = load_in_container(docker, OFFICIAL_IMAGE, f"{copy}/data", layout)
        assert isinstance(loaded, Loaded), loaded
        assert (HELD, HELD) == (manifest["keys"], loaded.keys)

    def put_back(self, copy: Path) -> None:
        """The copy into a volume of that name, by hand."""
        docker = self.person.engine.docker
        docker("volume", "create", self.volume)
        script = "cp -a /from/. /data && chown -R redis:redis /data"
        docker(
            *("run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "sh"),
            *("-v", f"{copy}/data:/from:ro", "-v", f"{self.volume}:/data"),
            *(OFFICIAL_IMAGE, "-c", script),
        )


def environment(person: DockerPerson, app: str, *lines: str) -> Away:
    """A production environment with keys in it."""
    docked = Away(person, app, "prod", f'image = "{OFFICIAL_IMAGE}"', *lines)
    docked.well("up")
    docked.fill()
    return docked


def test_there_and_back(somebody: Somebody) -> None:
    """Law: unasked nothing changes; then the volume is gone, a copy with every key is kept, RedisInsight's
    volume and others stay, and so does a network that somebody else is on; `up` begins fresh, proven."""
    prod = environment(somebody(), "gone", f'insight.image = "{INSIGHT_IMAGE}"')
    docker = prod.person.engine.docker
    docker("volume", "create", "gone-redis-data")  # another environment's
    docker(
        *(
            "run",
            "-d",
            "--name",
            "gone-other",
            "--network",
            "gone-network",
            "--entrypoint",
            "sleep",
        ),
        *(OFFICIAL_IMAGE, "600"),
    )
    before = (prod.identity(), prod.volumes, prod.files())
    said = prod.say("down", "--volumes")
    assert 4 == said.code, said
    for word in (f"{HELD} keys", prod.volume, "--yes"):
        assert word in said.text, said
    assert before == (prod.identity(), prod.volumes, prod.files())
    said = prod.say("down", "--volumes", "--yes")
    assert 0 == said.code, said
    (copy,) = prod.copies()
    prod.expect_good(copy)
    assert sorted({*before[1]} - {prod.volume}) == prod.volumes
    assert "gone-redis-data" in prod.volumes
    assert "gone-redisinsight-data-prod" in prod.volumes
    assert "gone-network" in prod.person.things()["network"]
    assert ["gone-other"] == prod.person.things()["container"]
    assert "nothing to do" in prod.say("down", "--volumes").out
    prod.well("up")
    assert 0 == prod.ask("DBSIZE")
    prod.well("down", "--volumes", "--yes")
    prod.put_back(copy)
    prod.well("up", "--adopt", "--yes")
    prod.expect_data()


@pytest.mark.parametrize("how", ["down", "killed"])
def test_with_the_server_stopped_before(somebody: Somebody, how: str) -> None:
    """Law: what lies in the volume is copied as it lies, whatever ended the server."""
    prod = environment(somebody(), "still", "insight.enabled = false")
    if how == "down":
        prod.well("down")
    else:
        prod.person.engine.docker("update", "--restart", "no", prod.container)
        prod.person.kill_server(prod.container)
    said = prod.say("down", "--volumes", "--yes")
    assert 0 == said.code, said
    (copy,) = prod.copies()
    prod.expect_good(copy)
    assert prod.volume not in prod.volumes


def removed(ask: Ask) -> object:
    """The deed that is killed."""
    return remove_data(ask._replace(environment="prod"))


class Dying(Machine):
    """The person's own project and home, for a process that dies at a boundary."""

    person: DockerPerson

    @property
    def environ(self) -> dict[str, str]:
        """What the person's shell has set."""
        return self.person.environ


def expect_nothing_lost(prod: Away, why: str) -> None:
    """The keys are with the running server, or in a good copy, or in the volume as it lies."""
    running = prod.person.engine.docker("ps", "--format", "{{.Names}}").stdout.split()
    if prod.container in running:  # which need not have written all of it yet
        prod.expect_data()
        return
    assert prod.copies() or prod.volume in prod.volumes, why  # (docker run would make another one)
    copies = prod.copies()
    if copies:
        prod.expect_good(copies[-1])
        return
    docker = ("docker", "-H", prod.person.engine.socket)
    loaded = load_in_container(docker, OFFICIAL_IMAGE, prod.volume, Layout(True))
    assert isinstance(loaded, Loaded), (why, loaded)
    assert HELD == loaded.keys, why


def test_killed_at_boundaries(somebody: Somebody) -> None:
    """Law: killed anywhere no key is lost without a good copy; the next run ends it, with a good copy."""
    prod = environment(somebody(inside=False), "dying", "insight.enabled = false")
    machine = Dying(prod.person.root)
    machine.person = prod.person
    names = []
    for boundary in BOUNDARIES:
        prod.expect_data()
        names.append(killed_up(machine, boundary, removed))
        expect_nothing_lost(prod, f"killed at {boundary}: {names[-1]}")
        said = prod.say("down", "--volumes", "--yes")
        assert 0 == said.code, (names, said)
        prod.expect_good(prod.copies()[-1])
        assert prod.volume not in prod.volumes, names
        prod.well("up")
        prod.fill()
        for copy in prod.copies():
            subprocess.run(["rm", "-r", str(copy)], check=True)
    assert all(names), names


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 20 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m,mode=755", "keywright-test", str(disk)], check=True
    )
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_no_room_for_a_copy(somebody: Somebody, small_disk: Path) -> None:
    """Law: a full disk on the store's side is told before anything stops: exit 4, nothing is changed."""
    person = somebody()
    person.environ["XDG_STATE_HOME"] = str(small_disk)
    prod = environment(person, "full", "insight.enabled = false")
    prod.batch(*(("SET", f"big:{number}", os.urandom(5000).hex()) for number in range(300)))
    before = (prod.identity(), prod.volumes, prod.files())
    said = prod.say("down", "--volumes", "--yes")
    assert (4, True) == (said.code, "are free" in said.err), said
    assert before == (prod.identity(), prod.volumes, prod.files())
    assert 300 == sum(1 for each in prod.ask("KEYS", "big:*") if each)
