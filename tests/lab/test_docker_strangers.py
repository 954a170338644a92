"""Containers and volumes that are somebody else's: never taken unasked, and taken over whole when asked."""

import json
from collections.abc import Callable, Iterator

import pytest
from tests.lab import images as made
from tests.lab.docker_engine import Engine
from tests.lab.person import DockerPerson
from tests.lab.world import refused, world

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
REFUSED = 4
PASSWORD = "esab_redis_password"  # the guide's own
TOML = f"""\
app = "esab"
[env.dev]
image = "{made.OFFICIAL_IMAGE}"
insight.enabled = false
publish = "127.0.0.1:6408"
"""


@pytest.fixture
def hands(images: Engine) -> Iterator[Engine]:
    """The engine; what tests make by hand under the app's name goes with the person."""
    yield images
    for name in images.docker("volume", "ls", "--format", "{{.Name}}").stdout.split():
        if "_esab-" in name:
            images.docker("volume", "rm", name)


def by_hand(engine: Engine, *options: str, image: str = made.OFFICIAL_IMAGE) -> None:
    """The guide's own container, started by hand, with a thousand keys."""
    words = ("run", "-d", "--name", "esab-redis", *options, image)
    engine.docker(*words, "redis-server", "--requirepass", PASSWORD, "--appendonly", "yes")
    script = "for i in $(seq 1000); do echo SET key:$i value:$i; done | redis-cli > /dev/null"
    ask = ("exec", "-e", f"REDISCLI_AUTH={PASSWORD}", "esab-redis", "sh", "-c")
    engine.docker(*ask, f"until redis-cli ping | grep -q PONG; do sleep 0.1; done; {script}")


def test_a_container_of_the_name_is_not_touched(somebody: Somebody, hands: Engine) -> None:
    """Whose it is stands in the sentence; its server and its keys stay as they are."""
    person = somebody(TOML)
    by_hand(hands, "-v", "esab-redis-data:/data")
    started = person.inspect("esab-redis")["State"]["StartedAt"]
    said = refused(person, world(person), REFUSED, "-e", "dev", "--yes")
    assert "there is a container esab-redis already, and it is made by hand" in said
    assert "--adopt" in said
    assert started == person.inspect("esab-redis")["State"]["StartedAt"]


def test_a_container_of_another_project_is_named(somebody: Somebody, hands: Engine) -> None:
    """Compose's own label tells whose it is."""
    person = somebody(TOML)
    labels = (
        "--label",
        "com.docker.compose.project=shop",
        "--label",
        "com.docker.compose.service=redis",
    )
    by_hand(hands, *labels, "-v", "esab-redis-data:/data")
    said = refused(person, world(person), REFUSED, "-e", "dev")
    assert "it is Compose's, of project shop" in said


def test_the_guides_container_is_taken_over_with_its_keys(
    somebody: Somebody, hands: Engine
) -> None:
    """--adopt: the old one is set aside, not removed; its password stays valid; no key is lost."""
    person = somebody(TOML)
    person.environ["REDIS_PASSWORD"] = PASSWORD
    by_hand(hands, "-v", "esab-redis-data:/data", "--restart", "always")
    old = person.inspect("esab-redis")["Id"]
    said = person.say("up", "-e", "dev", "--adopt", "--yes", "--json")
    assert 0 == said.code, said
    verdicts = {each["id"]: each["verdict"] for each in json.loads(said.out)["proofs"]}
    assert {"passed"} == set(verdicts.values()), verdicts
    with person.wire_to("esab-redis") as wire:
        assert 1000 == wire.call("DBSIZE")
        assert "value:1000" == wire.call("GET", "key:1000")
    container = person.inspect("esab-redis")
    assert "esab-dev" == container["Config"]["Labels"]["com.docker.compose.project"]
    assert ["esab-redis-data"] == [m["Name"] for m in container["Mounts"] if m["Type"] == "volume"]
    [aside] = [name for name in person.things()["container"] if name != "esab-redis"]
    kept = person.inspect(aside)
    assert (old, "exited", "no") == (
        kept["Id"],
        kept["State"]["Status"],
        kept["HostConfig"]["RestartPolicy"]["Name"],
    )
    said = person.say("up", "-e", "dev", "--json")
    assert (0, []) == (said.code, json.loads(said.out)["steps"])


def test_data_in_an_anonymous_volume_would_be_lost_from_sight(
    somebody: Somebody, hands: Engine
) -> None:
    """Even --adopt refuses to begin empty beside it; the sentence says where the data lies."""
    person = somebody(TOML)
    by_hand(hands)
    said = refused(person, world(person), REFUSED, "-e", "dev", "--adopt", "--yes")
    assert "anonymous volume" in said
    assert "esab-redis-data would begin without it" in said


def test_another_volume_declared_is_refused(somebody: Somebody) -> None:
    """The container's data lies in one volume, the file names another: the new one would be empty."""
    person = somebody(TOML)
    assert 0 == person.say("up", "-e", "dev").code
    person.declare_all(f'{TOML}container.volume = "esab-other"\n')
    said = refused(person, world(person), REFUSED, "-e", "dev", "--yes")
    assert "lies in volume esab-redis-data, and esab-other would begin without it" in said
    assert 'env.dev.container.volume = "esab-redis-data"' in said
    # the same when the container has gone: what was used before is remembered
    person.engine.docker("rm", "-f", "esab-redis")
    said = refused(person, world(person), REFUSED, "-e", "dev", "--yes")
    assert "lies in volume esab-redis-data, and esab-other would begin without it" in said


def test_a_volume_of_another_project_is_not_shadowed(somebody: Somebody, hands: Engine) -> None:
    """Compose names volumes after its project: ours would begin empty beside `docker_esab-redis-data`."""
    person = somebody(TOML)
    label = ("--label", "com.docker.compose.project=docker")
    hands.docker("volume", "create", *label, "docker_esab-redis-data")
    said = refused(person, world(person), REFUSED, "-e", "dev")
    assert "there is a volume docker_esab-redis-data" in said
    assert "container.volume" in said


def test_another_server_of_the_name_on_the_network(somebody: Somebody, hands: Engine) -> None:
    """Two containers called `redis` on one network: clients would reach either."""
    person = somebody(TOML)
    hands.docker("network", "create", "esab-network")
    joined = ("--network", "esab-network", "--network-alias", "redis")
    hands.docker("run", "-d", "--name", "esab-cuckoo", *joined, made.REDIS_IMAGE)
    said = refused(person, world(person), REFUSED, "-e", "dev")
    assert "container esab-cuckoo answers to the name redis already" in said


NEWER = {
    "valkey 9.1's log under redis 7.0": (made.OFFICIAL_VALKEY_IMAGE, "valkey", "true"),
    "redis 8.2's snapshot under redis 7.0": (made.OFFICIAL_8_IMAGE, "redis", "false"),
}


@pytest.mark.parametrize("written", NEWER)
def test_data_of_a_newer_server_is_refused_before_anything_stops(
    somebody: Somebody, written: str
) -> None:
    """Running or stopped: an image that cannot load the data never takes the place of one that can."""
    image, engine, appendonly = NEWER[written]
    more = f"""appendonly = {appendonly}\nsave = ["60 1"]\n"""
    newer = TOML.replace(made.OFFICIAL_IMAGE, image) + f'{more}engine = "{engine}"\n'
    person = somebody(newer)
    said = person.say("up", "-e", "dev")
    assert 0 == said.code, said
    with person.wire_to("esab-redis") as wire:
        wire.batch([("SET", f"key:{number}", "x") for number in range(100)])
        wire.call("HSET", "hash", "a", "b")
        wire.call("SAVE")
    started = person.inspect("esab-redis")["State"]["StartedAt"]
    person.declare_all(TOML + more)
    words = f"{made.OFFICIAL_IMAGE} cannot load the data in volume esab-redis-data"
    said_now = refused(person, world(person), REFUSED, "-e", "dev", "--yes")
    assert words in said_now
    assert started == person.inspect("esab-redis")["State"]["StartedAt"]
    person.declare_all(newer)
    assert 0 == person.say("down", "-e", "dev").code
    person.declare_all(TOML + more)
    assert words in refused(person, world(person), REFUSED, "-e", "dev", "--yes")
    person.declare_all(newer)
    assert 0 == person.say("up", "-e", "dev").code
    with person.wire_to("esab-redis") as wire:
        assert "x" == wire.call("GET", "key:99")
