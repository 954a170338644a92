"""The same on the host itself, as root and without ssh; and no secret is seen there by anybody."""

import json
import threading
from collections.abc import Callable

import pytest
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson, Resident

pytestmark = pytest.mark.lab

LINES = ('purpose = "cache"', "insight.enabled = false")
# Every argument of every process, again and again until the file goes.
WATCH = """
: > /run/watching
while [ -e /run/watching ]; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; done | sort -u
"""


@pytest.fixture(scope="module")
def host(hosts: Callable[..., LinuxHost]) -> LinuxHost:
    """A Debian on which redis-server is installed."""
    return hosts("keywright-lab-here", installed=True)


@pytest.fixture(scope="module")
def person(host: LinuxHost, tmp_path_factory: pytest.TempPathFactory) -> Resident:
    """Root on the host."""
    return Resident(tmp_path_factory.mktemp("here") / "resident", host, *LINES)


def arguments_during(host: LinuxHost, act: Callable[[], object]) -> str:
    """Every argument that any process of the host had meanwhile."""
    seen: list[str] = []
    watch = threading.Thread(target=lambda: seen.append(host.sh(WATCH)))
    watch.start()
    try:
        act()
    finally:
        host.sh("sleep 0.2; rm -f /run/watching")
        watch.join()
    return seen[0]


def vault_of(host: LinuxHost, home: str) -> dict[str, str]:
    """The secrets that are kept there."""
    found = host.sh(f"cat {home}/.local/state/keywright/*/linux/vault.json")
    secrets: dict[str, str] = json.loads(found)["secrets"]
    return secrets


def test_up_on_the_host_itself(host: LinuxHost, person: Resident) -> None:
    """As root, said before; proven but for what cannot be asked from there: the ports from outside, a kernel
    that is another's, a firewall that nobody let SSH through. No argument of any process was a secret."""
    told = person.say("up", "-e", "linux", "--dry-run")
    assert "as root, this" in told.out
    assert "by sudo" not in told.out
    said = []
    seen = arguments_during(host, lambda: said.append(person.say("up", "-e", "linux", "--json")))
    assert said[0].code == 0, said[0].text
    proofs = {each["id"]: each for each in json.loads(said[0].out)["proofs"]}
    unproven = {name for name, each in proofs.items() if each["verdict"] != "passed"}
    assert unproven == {"kernel", "firewall", "closed"}
    assert "ask from another one" in proofs["closed"]["evidence"]
    secrets = vault_of(host, f"{person.there}/home")
    assert len(secrets) == 5
    assert [name for name, secret in secrets.items() if secret in seen] == []
    assert "redis-server" in seen  # the watch has seen something


def test_daily_life_there(host: LinuxHost, person: Resident) -> None:
    """A second `up`, status, check, restart with the sessions of a cache, down, up."""
    assert json.loads(person.say("up", "-e", "linux", "--json").out)["steps"] == []
    secrets = vault_of(host, f"{person.there}/home")
    for number in range(20):
        assert host.redis(secrets["admin"], "SET", f"esabcfg:{number}", "x") == "OK"
    assert person.say("check", "-e", "linux").code == 0
    assert person.say("restart", "-e", "linux").code == 0
    assert host.redis(secrets["admin"], "DBSIZE") == "20"
    assert person.say("status", "-e", "linux").code == 0
    assert person.say("down", "-e", "linux", "--yes").code == 0
    assert person.say("status", "-e", "linux").code == 3
    assert person.say("up", "-e", "linux").code == 0


def test_no_secret_is_seen_over_ssh_either(
    host: LinuxHost, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A rotation over ssh: no argument on the host, no line of its journal, no file that others may read
    holds a password, the old or the new one."""
    person = LinuxPerson(tmp_path_factory.mktemp("ssh") / "person", host)
    person.declare_linux(*LINES)
    first = person.say("up", "-e", "linux", "--yes", "--adopt")
    assert first.code == 0, first.text
    old = dict(person.secrets)
    seen = arguments_during(
        host, lambda: person.say("password", "rotate", "--all", "-e", "linux", "--yes")
    )
    assert person.secrets["default"] != old["default"]
    readable = host.sh(
        "find /etc /run /tmp /var/lib /var/log /home -xdev -type f -perm -004 -size -1M"
        " -exec cat {} + 2>/dev/null | tr -d '\\000'"
    )
    journal = host.sh("journalctl -q -o cat --no-pager")
    secrets = {f"old {name}": each for name, each in old.items()} | person.secrets
    for place, text in (("arguments", seen), ("files", readable), ("journal", journal)):
        assert [name for name, secret in secrets.items() if secret in text] == [], place
    assert host.sh("ls -d /run/keywright.* 2>/dev/null || true") == ""
