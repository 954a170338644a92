"""A host on which all of the guide was done by hand, RedisInsight and firewall too, while a client writes.

What else a takeover must hold (other passwords, a kill in the middle) is in test_linux_takeover.py.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.embedded.stranger import Said, await_true
from tests.lab.by_hand import CONF, KEYS, UNIT, VIEWER, ByHand, Patient
from tests.lab.docker_engine import Engine
from tests.lab.images import INSIGHT_IMAGE
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson

pytestmark = pytest.mark.lab

SECRET = "of-the-guide-7"
AROUND = (
    'purpose = "cache"',
    f'insight.image = "{INSIGHT_IMAGE}"',
    'admin_from = ["172.17.0.1/32"]',
)
LINES = ('purpose = "cache"', "insight.enabled = false", 'firewall = "none"')
VARIABLE = 'password_variable = "REDIS_PASSWORD"'
OURS = {"admin", "appuser", "default", "health", "viewer"}
REFUSED = 4


@pytest.fixture(scope="module")
def host(hosts: Callable[..., LinuxHost], images: Engine) -> LinuxHost:
    """A Debian on which redis-server is installed, and RedisInsight's image is there."""
    found = hosts("keywright-lab-guide", installed=True)
    found.load_image(INSIGHT_IMAGE)
    return found


@pytest.fixture
def person(host: LinuxHost, tmp_path: Path) -> LinuxPerson:
    """Somebody new each time, who never saw that host before."""
    found = LinuxPerson(tmp_path / "person", host)
    found.declare_linux(*LINES)
    return found


def up(person: LinuxPerson, *more: str) -> Said:
    """Bring it up."""
    return person.say("up", "-e", "linux", "--yes", *more)


def refused(found: ByHand, person: LinuxPerson, sentence: str, hint: str) -> None:
    """`up` ends with this sentence and this hint, and nothing has changed."""
    before = found.state()
    said = up(person)
    assert said.code == REFUSED, said.text
    first, second = said.err.splitlines()[:2]
    assert (sentence in first, hint in second) == (True, True), said.err
    assert found.state() == before
    assert person.secrets == {}


def expect_taken_over(found: ByHand, person: LinuxPerson) -> None:
    """The password of before, every key, no password in redis.conf, all users in the ACL file."""
    host = found.host
    assert found.redis("PING") == "PONG"
    assert found.keys() == KEYS
    assert person.secrets["default"] == found.password
    conf = host.read(CONF)
    assert found.password not in conf
    assert not [line for line in conf.splitlines() if line.startswith(("requirepass", "user "))]
    assert "#keywright# requirepass stood here" in conf
    acl = host.read("/etc/redis/users.acl").splitlines()
    assert {line.split()[1] for line in acl if line.startswith("user ")} == OURS
    assert {line.split()[1] for line in person.redis("ACL", "LIST").splitlines()} == OURS
    assert person.redis("CONFIG", "GET", "protected-mode").split() == ["protected-mode", "yes"]


# --- the guide's seven steps --------------------------------------------------------------------


def test_the_guide_s_host_is_taken_over(host: LinuxHost, person: LinuxPerson) -> None:
    """Without more it says who would be locked out, and changes nothing; with --adopt a client that writes
    all the while with the old password is never refused, and loses nothing that was acknowledged."""
    found = ByHand(host, SECRET, viewer=True, insight=INSIGHT_IMAGE)
    person.declare_linux(*AROUND)
    conf = host.read(CONF)
    assert "\nuser default on" in conf and "\nuser viewer on" in conf
    refused(
        found,
        person,
        "is a container that Keywright did not make; and taking the server over would lock out"
        " who logs in as viewer with another password",
        "--adopt",
    )
    client = Patient(found)
    said = up(person, "--adopt", "--json")
    acknowledged, failed = client.end()
    assert said.code == 0, said.text
    unproven = [
        each["id"] for each in json.loads(said.out)["proofs"] if each["verdict"] != "passed"
    ]
    assert unproven == ["kernel"]  # not the host's own in the lab
    assert [each for each in failed if "WRONGPASS" in each or "NO" in each] == []
    written = found.redis("LRANGE", "esabcfg:written", "0", "-1").split()
    assert set(map(str, acknowledged)) <= set(written)
    expect_taken_over(found, person)
    assert "WRONGPASS" in found.redis("PING", password=VIEWER, user="viewer")


def test_its_firewall_lets_the_bridge_in_first(host: LinuxHost) -> None:
    """The guide's `deny 6379` stands, but no longer before what lets the containers in."""
    rules = host.sh("ufw status numbered").splitlines()
    bridge = next(at for at, rule in enumerate(rules) if "6379/tcp on docker0" in rule)
    deny = next(at for at, rule in enumerate(rules) if "6379 " in rule and "DENY" in rule)
    assert bridge < deny


def test_it_survives_a_restart_and_a_boot(host: LinuxHost) -> None:
    """All users and the password of before are there after `systemctl restart` and a reboot."""
    for again in (lambda: host.sh(f"systemctl restart {UNIT}"), host.reboot):
        again()
        await_true(lambda: host.redis(SECRET, "PING", user="default") == "PONG", "let in", 30)
        assert set(host.redis(SECRET, "ACL", "USERS", user="default").split()) == OURS


# --- other hands --------------------------------------------------------------------------------


def test_a_stale_requirepass_is_not_believed(host: LinuxHost, person: LinuxPerson) -> None:
    """`user default` overrules what somebody wrote behind requirepass later: Keywright asks for the
    password, and takes over with the one that it is given."""
    found = ByHand(host, SECRET)
    assert found.redis("CONFIG", "REWRITE") == "OK"
    host.sh(f"sed -i 's/^requirepass .*/requirepass stale-one/' {CONF}; systemctl restart {UNIT}")
    found.await_answer()
    assert "WRONGPASS" in found.redis("PING", password="stale-one")
    found.fill()
    hint = 'give it: env.linux.password_variable = "REDIS_PASSWORD" in keywright.toml'
    refused(found, person, "has a password that Keywright does not know", hint)
    person.declare_linux(*LINES, VARIABLE)
    person.environ["REDIS_PASSWORD"] = found.password
    said = up(person)
    assert said.code == 0, said.text
    assert found.keys() == KEYS
    assert found.redis("PING") == "PONG"
    assert "WRONGPASS" in found.redis("PING", password="stale-one")
