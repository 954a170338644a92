"""The server at a glance in Docker and on a Linux host: the same words, and the limits around it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.embedded.stranger import Person
from tests.lab import images as made
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson
from tests.lab.person import DockerPerson

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
LIMIT = 256 << 20
TOML = f"""\
app = "glance"
[env.prod]
image = "{made.OFFICIAL_IMAGE}"
insight.enabled = false
container.memory = "256m"
maxmemory = "100mb"
"""


@pytest.fixture(scope="module")
def docked(residents: Somebody) -> Iterator[DockerPerson]:
    """A production server in Docker, which nobody outside its network reaches."""
    person = residents(TOML)
    said = person.say("up", "-e", "prod")
    assert 0 == said.code, said
    yield person
    person.leave()


def seen(person: Person, environment: str, *words: str) -> dict[str, Any]:
    """What a command says as JSON."""
    said = person.say(*words, "-e", environment, "--json")
    assert 0 == said.code, said
    found: dict[str, Any] = json.loads(said.out)
    return found


def every_look(person: Person, environment: str) -> None:
    """Each command answers, with its own questions left out or marked."""
    assert seen(person, environment, "stats", "--interval", "0.2")["per_second"]["commands"] < 20
    clients = seen(person, environment, "clients")
    assert clients["own"] in [each["id"] for each in clients["clients"]]
    assert seen(person, environment, "slowlog")["threshold"] == 10000
    assert seen(person, environment, "latency", "--samples", "10")["round_trip"]["samples"] == 10
    assert seen(person, environment, "commandstats", "info")["commands"][0]["name"] == "INFO"
    assert "redis_version" in seen(person, environment, "info", "server")["fields"]
    said = person.say("clients", "kill", "--user", "nobody", "--yes", "-e", environment)
    assert (said.code, "nobody is connected" in said.out) == (0, True)


def test_in_docker(docked: DockerPerson) -> None:
    """The container's limit stands beside maxmemory and the machine's."""
    found = seen(docked, "prod", "memory")
    assert found["limits"]["container"] == LIMIT
    assert found["limits"]["machine"] > LIMIT
    assert found["maxmemory"] == 100 << 20
    assert found["warnings"] == []
    every_look(docked, "prod")


def test_a_container_smaller_than_maxmemory_is_warned_of(docked: DockerPerson) -> None:
    """A limit that ends the server before it is full is no limit to live with."""
    with docked.wire_to("glance-redis-prod") as wire:
        wire.call("CONFIG", "SET", "maxmemory", "300mb")
        try:
            (warning,) = seen(docked, "prod", "memory")["warnings"]
        finally:
            wire.call("CONFIG", "SET", "maxmemory", "100mb")
    assert "before it is full" in warning


def test_on_a_linux_host(hosts: Callable[..., LinuxHost], tmp_path_factory: Any) -> None:
    """Over ssh; the service's own limit (MemoryMax) is found in its cgroup."""
    host = hosts("keywright-lab-glance", installed=True)
    person = LinuxPerson(tmp_path_factory.mktemp("glance") / "person", host)
    person.bring_up("insight.enabled = false", 'firewall = "none"')
    every_look(person, "linux")
    assert "service" not in seen(person, "linux", "memory")["limits"]
    host.run("systemctl", "set-property", "--runtime", "redis-server", "MemoryMax=700M")
    found = seen(person, "linux", "memory")
    assert found["limits"]["service"] == 700 << 20
    assert "before it is full" in " ".join(found["warnings"])
