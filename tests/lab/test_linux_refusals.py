"""What stands in the way on a Linux host: one sentence and a hint each, and nothing half done."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.embedded.stranger import Said
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson

pytestmark = pytest.mark.lab

PLAIN = ('purpose = "cache"', "insight.enabled = false", 'firewall = "none"')
People = Callable[..., LinuxPerson]


@pytest.fixture(scope="module")
def host(hosts: Callable[..., LinuxHost]) -> LinuxHost:
    """A Debian on which redis-server is installed and was never started."""
    return hosts("keywright-lab-refusals", installed=True)


@pytest.fixture
def person(host: LinuxHost, tmp_path: Path) -> LinuxPerson:
    """Somebody new each time."""
    found = LinuxPerson(tmp_path / "person", host)
    found.declare_linux(*PLAIN)
    return found


def state(host: LinuxHost) -> str:
    """What no refusal may change."""
    return host.sh(
        "find /etc /var/lib/redis /var/backups -xdev -type f -printf '%p %s %m %U %T@\\n' | sort;"
        " dpkg -l | grep redis; ufw show added; systemctl is-enabled redis-server || true"
    )


def refused(said: Said, code: int, *words: str) -> None:
    """It ended with this code, one sentence that has these words, and a hint."""
    assert said.code == code, said.text
    lines = said.err.splitlines()
    assert lines[0].startswith("keywright: "), said.text
    for word in words:
        assert word in said.err, said.err
    assert any(line.startswith("  hint: ") for line in lines), said.err


def up(person: LinuxPerson, *more: str) -> Said:
    """Try to bring it up."""
    return person.say("up", "-e", "linux", "--yes", *more)


# --- the way there ------------------------------------------------------------------------------


def test_no_such_host(person: LinuxPerson) -> None:
    """A name that nobody knows, and a port on which nobody listens."""
    person.declare_linux(*PLAIN, host="ssh://ops@no-such-host.invalid")
    refused(up(person), 3, "no-such-host.invalid")
    person.declare_linux(*PLAIN, host="ssh://ops@127.0.0.1:9")
    refused(up(person), 3, "127.0.0.1")


def test_a_key_that_is_not_let_in(person: LinuxPerson, host: LinuxHost, tmp_path: Path) -> None:
    """Another key than the one that the host knows; and one that is not there."""
    key = tmp_path / "other"
    keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(keygen, check=True, stdin=subprocess.DEVNULL)
    config = person.home / ".ssh" / "config"
    config.write_text(config.read_text().replace(str(host.key), str(key)))
    refused(up(person), 3, "key")


def test_a_host_key_that_nobody_knows(person: LinuxPerson) -> None:
    """A host that was never met is not trusted unasked."""
    person.known_hosts.write_text("")
    refused(up(person), 3, "host key")


def test_a_host_key_that_has_changed(person: LinuxPerson, host: LinuxHost, tmp_path: Path) -> None:
    """Another key than the last time: the sentence says that it may be another machine."""
    key = tmp_path / "host"
    keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(keygen, check=True, stdin=subprocess.DEVNULL)
    person.known_hosts.write_text(f"{host.address} {key.with_suffix('.pub').read_text()}")
    refused(up(person), 3, "is another one than before", "ssh-keygen -R")


def test_no_sudo(host: LinuxHost, tmp_path: Path) -> None:
    """An account without sudo: the first step that needs root is named, `status` and a dry run still tell."""
    person = LinuxPerson(tmp_path / "nosudo", host, user="nosudo")
    person.declare_linux(*PLAIN)
    before = state(host)
    refused(up(person), 4, "needs root", "--dry-run")
    assert "as nosudo, without root" in person.say("up", "-e", "linux", "--dry-run").text
    assert person.say("status", "-e", "linux").code == 3
    assert state(host) == before


def test_sudo_that_asks_for_a_password(host: LinuxHost, person: LinuxPerson) -> None:
    """Nobody is there to type it: sudo's own reason is told."""
    host.sh("echo 'ops ALL=(ALL) ALL' > /etc/sudoers.d/ops")
    try:
        before = state(host)
        refused(up(person), 4, "needs root", "password")
        assert state(host) == before
    finally:
        host.sh("echo 'ops ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ops")


# --- the machine --------------------------------------------------------------------------------


def test_a_clock_that_is_wrong(host: LinuxHost, person: LinuxPerson) -> None:
    """An hour ahead: certificates and apt's lists would be judged wrongly."""
    host.write("/usr/local/bin/date", "#!/bin/sh\necho $(($(/usr/bin/date +%s) + 3600))\n")
    host.sh("chmod 755 /usr/local/bin/date")
    try:
        before = state(host)
        refused(up(person), 4, "the clock of", "60 minutes ahead")
        assert state(host) == before
    finally:
        host.sh("rm /usr/local/bin/date")


def test_a_version_that_the_archive_does_not_have(host: LinuxHost, person: LinuxPerson) -> None:
    """What there is stands in the hint, and nothing was begun."""
    before = state(host)
    person.declare_linux(*PLAIN, 'unit.version = "5:9.9.9-1"')
    refused(up(person), 2, "5:9.9.9-1")
    assert state(host) == before
    assert (
        host.run("systemctl", "is-enabled", "redis-server", check=False).stdout.strip()
        == "disabled"
    )


def test_a_disk_with_no_room_to_install(host: LinuxHost, person: LinuxPerson) -> None:
    """The data's file system is almost full when a version is to be replaced: nothing is begun."""
    host.newer_packages()
    host.sh("mount -t tmpfs -o size=1m tmpfs /var/lib/redis")
    try:
        person.declare_linux(*PLAIN, 'unit.version = "latest"')
        refused(up(person), 4, "MiB are free where /var/lib/redis is")
    finally:
        host.sh("umount /var/lib/redis")


def test_another_server_holds_the_port(host: LinuxHost, person: LinuxPerson) -> None:
    """A redis-server of somebody's own: it is named, and not touched."""
    host.sh("redis-server --port 6379 --bind 127.0.0.1 --daemonize yes --dir /tmp --save ''")
    try:
        refused(up(person), 1, "port 6379 on 127.0.0.1 is taken by redis-server (process")
        assert host.run("redis-cli", "ping").stdout.strip() == "PONG"
        assert host.unit_pid("redis-server") == 0
    finally:
        host.sh("redis-cli shutdown nosave")


def test_a_file_that_redis_refuses(host: LinuxHost, person: LinuxPerson) -> None:
    """A line of somebody's in redis.conf: the server's own words name line and reason, and the file is as
    it was."""
    broken = host.read("/etc/redis/redis.conf") + "no-such-setting yes\n"
    host.write("/etc/redis/redis.conf", broken)
    try:
        refused(up(person), 1, "the server's last words", "no-such-setting yes")
        assert host.read("/etc/redis/redis.conf") == broken
        assert host.unit_pid("redis-server") == 0
    finally:
        host.write("/etc/redis/redis.conf", broken.replace("no-such-setting yes\n", ""))


def test_an_interface_that_is_not_there(host: LinuxHost, person: LinuxPerson) -> None:
    """A private interface that the host does not have: those that it has are named."""
    person.declare_linux(*PLAIN, 'interfaces = ["eth7"]')
    refused(up(person), 2, "eth7", "eth0")


def test_a_disk_that_fills_up_in_the_middle(host: LinuxHost, person: LinuxPerson) -> None:
    """No room where the files go: the sentence names the file, and what was written is taken back."""
    host.sh("mkdir -p /root/etc-redis && cp -a /etc/redis/. /root/etc-redis/")
    host.sh(
        "mount -t tmpfs -o size=120k,mode=2770 tmpfs /etc/redis && cp -a /root/etc-redis/. /etc/redis/"
    )
    try:
        host.sh("dd if=/dev/zero of=/etc/redis/filler bs=1k 2>/dev/null; true")
        refused(up(person), 1, "No space left on device")
        assert host.unit_pid("redis-server") == 0
    finally:
        host.sh("umount /etc/redis")


def test_afterwards_it_works(host: LinuxHost, person: LinuxPerson) -> None:
    """None of it left anything behind that stands in the way."""
    said = up(person)
    assert said.code == 0, said.text
