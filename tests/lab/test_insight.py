"""`keywright insight`: RedisInsight by itself, on a real engine, with a stand-in that answers."""

import json
from collections.abc import Callable

import pytest
from tests.lab.images import INSIGHT_IMAGE, OFFICIAL_IMAGE
from tests.lab.person import DockerPerson

pytestmark = pytest.mark.lab

SETTINGS = """\
app = "shop"
[env.dev]
image = "{image}"
[env.dev.insight]
image = "{insight}"
"""
Somebody = Callable[..., DockerPerson]
NAME, VOLUME = "shop-redisinsight", "shop-redisinsight-data"


def test_it_comes_goes_and_comes_back(somebody: Somebody) -> None:
    """up starts it and hears it, a second up does nothing, down removes the container and keeps the
    volume; the server is the same process all the while."""
    person = somebody(SETTINGS.format(image=OFFICIAL_IMAGE, insight=INSIGHT_IMAGE))
    none = person.say("insight", "up", "-e", "dev")
    assert (3, True) == (none.code, "no server of environment dev runs" in none.err), none
    assert 0 == person.say("up", "-e", "dev").code
    server = person.server_pid("shop-redis")
    seen = status(person)
    assert ("running", "up", "viewer") == (seen["state"], seen["health"], seen["user"])
    assert "http://127.0.0.1:8001" == seen["url"]
    planned = person.say("insight", "down", "-e", "dev", "--dry-run")
    assert "keeps" in planned.out or "stays" in planned.out, planned
    down = person.say("insight", "down", "-e", "dev")
    assert 0 == down.code, down
    assert 1 == person.engine.docker("inspect", NAME, check=False).returncode
    assert 0 == person.engine.docker("volume", "inspect", VOLUME).returncode
    gone = person.say("insight", "-e", "dev")
    assert (3, True) == (gone.code, "not there" in gone.out), gone
    assert 0 == person.say("insight", "down", "-e", "dev").code
    back = person.say("insight", "up", "-e", "dev", "--json")
    assert 0 == back.code, back
    assert ["insight"] == [each["id"] for each in json.loads(back.out)["steps"]]
    again = person.say("insight", "up", "-e", "dev", "--json")
    assert [] == json.loads(again.out)["steps"]
    assert "up" == status(person)["health"]
    assert server == person.server_pid("shop-redis")


def status(person: DockerPerson) -> dict[str, str]:
    """What `insight status --json` says."""
    said = person.say("insight", "status", "-e", "dev", "--json")
    found: dict[str, str] = json.loads(said.out)
    return found


def test_an_image_that_cannot_be_had_is_one_sentence(somebody: Somebody) -> None:
    """Without its image, and without a registry, that is said; the server is untouched."""
    missing = "keywright-lab/nobody:1.0"
    person = somebody(SETTINGS.format(image=OFFICIAL_IMAGE, insight=missing))
    assert 0 == person.say("up", "-e", "dev").code
    server = person.server_pid("shop-redis")
    said = person.say("insight", "up", "-e", "dev")
    assert 1 == said.code, said
    expected = f"RedisInsight's image {missing} is not here and cannot be pulled"
    assert f"keywright: {expected}" == said.err.splitlines()[0]
    assert "insight.image" in said.err.splitlines()[1]
    assert server == person.server_pid("shop-redis")


def test_a_foreign_container_of_that_name_is_left_alone(somebody: Somebody) -> None:
    """down removes nothing that Compose did not make for this environment."""
    person = somebody(SETTINGS.format(image=OFFICIAL_IMAGE, insight=INSIGHT_IMAGE))
    person.engine.docker("run", "-d", "--name", NAME, INSIGHT_IMAGE)
    try:
        said = person.say("insight", "down", "-e", "dev")
        assert (4, True) == (said.code, "that Compose did not make" in said.err), said
        assert "true" in person.engine.docker("inspect", "-f", "{{.State.Running}}", NAME).stdout
    finally:
        person.engine.docker("rm", "-f", "-v", NAME)


def test_what_concerns_the_server_too_is_left_to_up(somebody: Somebody) -> None:
    """Switched on later it needs the server's container anew, which `up` alone does; its volume, removed
    by hand, is made again."""
    text = SETTINGS.format(image=OFFICIAL_IMAGE, insight=INSIGHT_IMAGE)
    person = somebody(text + "enabled = false\n")
    assert 0 == person.say("up", "-e", "dev").code
    none = person.say("insight", "-e", "dev")
    assert (2, True) == (none.code, "has no RedisInsight" in none.err), none
    person.declare_all(text)
    said = person.say("insight", "up", "-e", "dev")
    assert (4, True) == (said.code, "itself is not as declared" in said.err), said
    assert 0 == person.say("up", "-e", "dev").code
    server = person.server_pid("shop-redis")
    assert 0 == person.say("insight", "down", "-e", "dev").code
    person.engine.docker("volume", "rm", VOLUME)
    back = person.say("insight", "up", "-e", "dev")
    assert 0 == back.code, back
    assert "up" == status(person)["health"]
    assert server == person.server_pid("shop-redis")
