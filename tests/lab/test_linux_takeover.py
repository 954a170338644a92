"""A Linux host that was set up by hand, by the guide, is taken over: nothing lost, nobody locked out."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.embedded.stranger import await_true
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson

pytestmark = pytest.mark.lab

PASSWORD = "guide-secret-4711"
LINES = ('purpose = "cache"', "insight.enabled = false")
UNIT = "redis-server"

# The guide's steps 2, 3, 5 and 7, word for word but for the addresses, which are the lab's.
BY_HAND = r"""
set -eu
conf=/etc/redis/redis.conf
bridge=$(ip -4 addr show docker0 | awk '/inet /{print $2}' | cut -d/ -f1)
sed -i "s/^#\? *bind .*/bind 127.0.0.1 $bridge/" $conf
sed -i 's/^#\?supervised .*/supervised systemd/' $conf
sed -i '/^requirepass /d' $conf
printf 'requirepass %s\n' "$(cat)" >> $conf
echo 'maxmemory 1gb' >> $conf
echo 'maxmemory-policy allkeys-lru' >> $conf
echo 'save ""' >> $conf
sed -i 's/^appendonly .*/appendonly no/' $conf
sed -i 's/^protected-mode .*/protected-mode no/' $conf
systemctl enable -q redis-server
systemctl restart redis-server
"""


@pytest.fixture(scope="module")
def host(hosts: Callable[..., LinuxHost]) -> LinuxHost:
    """A Debian on which redis-server is installed."""
    found = hosts("keywright-lab-takeover", installed=True)
    found.sh("cp -a /etc/redis /root/redis.before; systemctl start docker")
    return found


@pytest.fixture
def person(host: LinuxHost, tmp_path: Path) -> LinuxPerson:
    """Somebody new, on a host whose Redis was set up by hand and holds fifty sessions."""
    host.sh(
        "systemctl stop redis-server; systemctl disable -q redis-server;"
        " rm -rf /etc/redis /etc/systemd/system/redis-server.service.d /var/lib/redis/*;"
        " cp -a /root/redis.before /etc/redis; systemctl daemon-reload; ufw --force reset"
    )
    by_hand(host, PASSWORD)
    found = LinuxPerson(tmp_path / "person", host)
    found.declare_linux(*LINES)
    return found


def by_hand(host: LinuxHost, password: str, quoted: str = "") -> None:
    """Follow the guide; `quoted` is how the password is written in redis.conf."""
    host.run("sh", "-c", BY_HAND, stdin=quoted or password)
    await_true(lambda: host.redis(password, "PING", user="default") == "PONG", "it answers", 30)
    script = "for i=1,50 do redis.call('SET','esabcfg:session:'..i,i,'EX',3600) end return 50"
    assert host.redis(password, "EVAL", script, "0", user="default") == "50"
    host.sh("ufw deny 6379 >/dev/null")


def with_viewer(host: LinuxHost) -> None:
    """The guide's step 5: a viewer with a password; CONFIG REWRITE writes the users into redis.conf."""
    words = (
        "ACL",
        "SETUSER",
        "viewer",
        "on",
        ">viewer-secret",
        "~*",
        "+@read",
        "-@write",
        "-@admin",
    )
    assert host.redis(PASSWORD, *words, user="default") == "OK"
    assert host.redis(PASSWORD, "CONFIG", "REWRITE", user="default") == "OK"
    assert "user default on" in host.read("/etc/redis/redis.conf")


def expect_taken_over(host: LinuxHost, person: LinuxPerson, password: str, *words: str) -> None:
    """Everything is proven, every session is there, and who logged in before still does."""
    said = person.say("up", "-e", "linux", "--yes", "--json", *words)
    assert said.code == 0, said.text
    verdicts = {each["id"]: each["verdict"] for each in json.loads(said.out)["proofs"]}
    assert {name for name, verdict in verdicts.items() if verdict != "passed"} <= {
        "kernel",
        "firewall",
    }
    expect_whole(host, person, password)


def expect_whole(host: LinuxHost, person: LinuxPerson, password: str) -> None:
    """The sessions, the login of before, no password in redis.conf, and a second `up` with nothing to do."""
    assert host.redis(password, "PING", user="default") == "PONG"
    listed = host.redis(password, "--scan", "--pattern", "esabcfg:session:*", user="default")
    assert len(listed.split()) == 50
    text = host.read("/etc/redis/redis.conf")
    assert password not in text
    assert [line for line in text.splitlines() if line.startswith(("requirepass", "user "))] == []
    assert (
        host.redis(password, "CONFIG", "GET", "protected-mode", user="default").split()[1] == "yes"
    )
    assert json.loads(person.say("up", "-e", "linux", "--json").out)["steps"] == []


def test_requirepass_alone(host: LinuxHost, person: LinuxPerson) -> None:
    """The password is read from redis.conf and stays `default`'s; a client that is connected meanwhile goes
    on; the guide's rule no longer stands alone; a reboot changes nothing of it."""
    expect_taken_over(host, person, PASSWORD)
    assert "deny 6379" in host.sh("ufw show added")
    host.sh("systemctl restart redis-server")
    await_true(lambda: host.redis(PASSWORD, "PING", user="default") == "PONG", "it answers", 30)
    assert "WRONGPASS" in host.redis("wrong", "PING", user="default")
    assert "NOAUTH" in host.run("redis-cli", "ping", check=False).stdout
    assert person.say("check", "-e", "linux").code == 0


def test_who_would_be_locked_out_is_named_first(host: LinuxHost, person: LinuxPerson) -> None:
    """The guide's viewer logs in with a password that Keywright does not know: refused, nothing changed; with
    --adopt the viewer gets another one, and `default` keeps its own."""
    with_viewer(host)
    before = host.sh("find /etc -xdev -type f -newermt '1970-01-01' -printf '%p %s %T@\\n' | sort")
    said = person.say("up", "-e", "linux", "--yes")
    assert (said.code, "viewer" in said.err) == (4, True), said.text
    after = host.sh("find /etc -xdev -type f -newermt '1970-01-01' -printf '%p %s %T@\\n' | sort")
    assert after == before
    expect_taken_over(host, person, PASSWORD, "--adopt")


def test_any_password_that_a_person_can_type(host: LinuxHost, person: LinuxPerson) -> None:
    """Spaces, quotes, #, $, a backslash and letters beyond ASCII in requirepass: the same one works after."""
    nasty = 'it\'s "#1" $HOME \\ 100% ü@ß'
    quoted = '"' + nasty.replace("\\", "\\\\").replace('"', '\\"') + '"'
    host.sh("systemctl stop redis-server; rm -rf /etc/redis; cp -a /root/redis.before /etc/redis")
    by_hand(host, nasty, quoted)
    expect_taken_over(host, person, nasty)


def test_a_password_that_nobody_wrote_down_is_asked_for(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """redis.conf holds its hash alone: refused with the way to give it; given, it is taken over."""
    with_viewer(host)
    host.sh("sed -i '/^requirepass/d' /etc/redis/redis.conf")
    said = person.say("up", "-e", "linux", "--yes", "--adopt")
    assert said.code == 4, said.text
    assert "REDIS_PASSWORD" in said.err
    person.environ["REDIS_PASSWORD"] = PASSWORD
    expect_taken_over(host, person, PASSWORD, "--adopt")


def test_killed_anywhere_the_next_up_ends_well(host: LinuxHost, person: LinuxPerson) -> None:
    """SIGKILL in the middle of a takeover, ssh with it: whatever was done, the next `up` finishes it."""
    with_viewer(host)
    for moment in (1.0, 1.8, 2.6, 3.4):
        child = person.start("up", "-e", "linux", "--yes", "--adopt")
        time.sleep(moment)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate(timeout=30)
    expect_taken_over(host, person, PASSWORD, "--adopt")
    assert host.unit_pid(UNIT) > 0
