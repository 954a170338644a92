"""Docker's own health status of an environment's server, while the server is well and while it is not."""

import json
import time
from collections.abc import Callable, Iterator

import pytest
from tests.embedded.stranger import await_true
from tests.lab import images as made
from tests.lab.person import DockerPerson

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
CONTAINER = "sick-redis"
TOML = f"""\
app = "sick"
[env.dev]
image = "{made.OFFICIAL_IMAGE}"
insight.enabled = false
publish = ""
maxmemory = "20mb"
container.health_interval = "1s"
"""


@pytest.fixture(scope="module")
def sick(residents: Somebody) -> Iterator[DockerPerson]:
    """An environment whose check runs every second."""
    person = residents(TOML)
    said = person.say("up", "-e", "dev")
    assert 0 == said.code, said
    yield person
    person.leave()


def health(person: DockerPerson) -> str:
    """Docker's own verdict, as it stands in `docker inspect`."""
    return str(person.inspect(CONTAINER)["State"]["Health"]["Status"])


def says(person: DockerPerson) -> str:
    """What the last run of the check printed."""
    log = person.inspect(CONTAINER)["State"]["Health"]["Log"]
    return str(log[-1]["Output"]).strip() if log else ""


def becomes(person: DockerPerson, status: str, limit: float = 15) -> None:
    """Wait until Docker says so: three failures in a row, a second apart."""
    await_true(lambda: health(person) == status, f"it becomes {status}: {says(person)}", limit)


def ask(person: DockerPerson, *words: str) -> object:
    """One command as admin."""
    with person.wire_to(CONTAINER) as wire:
        return wire.call(*words)


@pytest.fixture(autouse=True)
def well(sick: DockerPerson) -> Iterator[None]:
    """Every test begins and ends with a healthy server."""
    becomes(sick, "healthy", 20)
    yield
    becomes(sick, "healthy", 20)


def test_a_wrong_password_is_unhealthy(sick: DockerPerson) -> None:
    """The health user's password is another one than the check knows: `redis-cli ping` would exit 0."""
    secret = sick.secrets["health"]
    ask(sick, "ACL", "SETUSER", "health", "resetpass", ">another")
    try:
        becomes(sick, "unhealthy")
        assert "WRONGPASS" in says(sick)
        found = json.loads(sick.say("check", "-e", "dev", "--json").out)["proofs"]
        verdicts = {each["id"]: each["verdict"] for each in found}
        assert ("failed", "failed") == (verdicts["health"], verdicts["users"])
    finally:
        ask(sick, "ACL", "SETUSER", "health", "resetpass", f">{secret}")


def test_refused_writes_are_unhealthy(sick: DockerPerson) -> None:
    """A snapshot that cannot be written refuses writes (MISCONF), and PING with them."""
    shell = ("exec", "-u", "0", CONTAINER, "sh", "-c")
    ask(sick, "CONFIG", "SET", "save", "3600 1")
    sick.engine.docker(*shell, "rm -f /data/dump.rdb && mkdir /data/dump.rdb")
    try:
        ask(sick, "BGSAVE")
        becomes(sick, "unhealthy")
        assert "MISCONF" in says(sick)
    finally:
        sick.engine.docker(*shell, "rmdir /data/dump.rdb")
        ask(sick, "CONFIG", "SET", "save", "")
        ask(sick, "BGSAVE")


def test_a_full_memory_without_eviction_is_unhealthy(sick: DockerPerson) -> None:
    """noeviction and full: writes are refused, so the server is not well; with eviction it is."""
    with sick.wire_to(CONTAINER) as wire:
        wire.batch([("SET", f"full:{number}", "x" * 100_000) for number in range(150)])
        wire.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
        wire.call("CONFIG", "SET", "maxmemory", "5mb")
    try:
        becomes(sick, "unhealthy")
        assert "noeviction" in says(sick)
    finally:
        ask(sick, "CONFIG", "SET", "maxmemory", "20mb")
        ask(sick, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")


def test_a_loading_server_is_not_healthy(sick: DockerPerson) -> None:
    """While it loads, the check fails; when it has loaded, it is well. (Docker gives a start 60 s.)"""
    with sick.wire_to(CONTAINER) as wire:
        wire.batch([("SET", f"load:{number}", "x") for number in range(8_000)])
    conf = sick.project / "deployment/docker/redis/redis.conf"
    with conf.open("a") as stream:
        stream.write("key-load-delay 500\n")  # microseconds a key, so that it is seen
    sick.kill_server(CONTAINER)
    begun = time.monotonic()
    said: set[str] = set()

    def loaded() -> bool:
        said.add(says(sick))
        return health(sick) == "healthy"

    await_true(loaded, f"it is healthy at last: {said}", limit=60)
    assert any("LOADING" in each for each in said), said
    assert 3 < time.monotonic() - begun
    assert 0 == sick.say("up", "-e", "dev").code  # and the delay is gone from the file
