"""Changing a service of a Linux host over ssh: its settings, a snapshot, and a flush with its copy here."""

import json
from collections.abc import Callable
from hashlib import sha256

import pytest
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson
from tests.lab.test_linux_operating import WITHOUT, fill, sessions

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def person(
    hosts: Callable[..., LinuxHost], tmp_path_factory: pytest.TempPathFactory
) -> LinuxPerson:
    """Somebody whose service runs, over ssh."""
    host = hosts("keywright-lab-changing", installed=True)
    one = LinuxPerson(tmp_path_factory.mktemp("changing") / "person", host)
    one.bring_up('purpose = "cache"', *WITHOUT)
    return one


def test_a_snapshot_and_settings(person: LinuxPerson) -> None:
    """Law: the file's size on the host is told, and three sides of a setting agree."""
    said = person.say("persist", "now", "-e", "linux", "--json")
    assert said.code == 0, said
    report = json.loads(said.out)
    assert report["path"] == "/var/lib/redis/dump.rdb" and report["bytes"] > 50
    said = person.say("config", "get", "maxmemory", "-e", "linux", "--json")
    [row] = json.loads(said.out)["settings"]
    assert row["live"] == row["disk"] == row["declared"]
    assert person.say("config", "rewrite", "-e", "linux", "--yes").code == 4


def test_a_flush_and_its_copy(person: LinuxPerson) -> None:
    """Law: every session goes; the copy lies here, loaded there byte for byte the same."""
    fill(person)
    assert person.say("flush", "-e", "linux").code == 4
    assert sessions(person) == 100
    said = person.say("flush", "-e", "linux", "--yes", "--json")
    assert said.code == 0, said
    report = json.loads(said.out)
    assert (report["removed"], report["left"], report["writes"]) == (100, 0, True)
    assert sessions(person) == 0
    [manifest] = (person.state_of("linux") / "copies").glob("*/manifest.json")
    kept = json.loads(manifest.read_text())
    assert (kept["keys"], kept["engine"], kept["reason"]) == (100, "redis", "flush")
    [file] = kept["files"]
    content = (manifest.parent / "data" / file["name"]).read_bytes()
    assert (file["name"], file["sha256"]) == ("dump.rdb", sha256(content).hexdigest())
