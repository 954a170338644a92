"""Changing a server in Docker: its settings, a snapshot, and a copy out of the running container."""

import json

import pytest
from tests.embedded.stranger import on_terminal
from tests.lab.docked import KEYS
from tests.lab.images import OFFICIAL_IMAGE
from tests.lab.test_docker_remove import Away, Somebody

pytestmark = pytest.mark.lab
HELD = KEYS + 4


@pytest.fixture
def shop(somebody: Somebody) -> Away:
    """A production environment of Docker, with keys in two databases."""
    lines = (f'image = "{OFFICIAL_IMAGE}"', "insight.enabled = false")
    docked = Away(somebody(inside=True), "shop", "prod", *lines)
    docked.well("up")
    docked.fill()
    return docked


def test_a_flush_and_its_copy(shop: Away) -> None:
    """Law: the environment's name must be typed; every key goes, and a good copy of all is kept."""
    code, _ = on_terminal(shop.person, "flush", "-e", "prod", answers={"Type prod": "yes"})
    assert code == 4
    said = shop.person.say("flush", "-e", "prod", "--yes", "--json")
    assert said.code == 0, said
    report = json.loads(said.out)
    assert (report["removed"], report["left"], report["writes"]) == (HELD, 0, True)
    [copy] = shop.copies()
    manifest = json.loads((copy / "manifest.json").read_text())
    assert (manifest["keys"], manifest["appendonly"]) == (HELD, False)
    assert [each["name"] for each in manifest["files"]] == ["dump.rdb"]


def test_settings_and_snapshots(shop: Away) -> None:
    """Law: three sides agree in a container too, and a snapshot's size is told from inside it."""
    said = shop.person.say("config", "get", "maxmemory", "dir", "-e", "prod", "--json")
    assert said.code == 0, said
    for each in json.loads(said.out)["settings"]:
        assert each["live"] == each["disk"] == each["declared"], each
    said = shop.person.say("persist", "now", "-e", "prod", "--json")
    assert said.code == 0, said
    report = json.loads(said.out)
    assert report["path"] == "/data/dump.rdb" and report["bytes"] > 100
    assert shop.person.say("acl", "dryrun", "-e", "prod", "viewer", "GET", "a").code == 1
    assert shop.person.say("config", "rewrite", "-e", "prod", "--yes").code == 4
