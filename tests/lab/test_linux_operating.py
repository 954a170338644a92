"""A service of a Linux host in its daily life: it is stopped, killed, booted, slow to load, out of disk."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.embedded.stranger import await_true
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson

pytestmark = pytest.mark.lab

WITHOUT = ("insight.enabled = false", 'firewall = "none"')
CACHE = ('purpose = "cache"', *WITHOUT)
DURABLE = ("appendonly = true", *WITHOUT)
SNAPSHOTS = (
    'save = ["900 1"]',
    'purpose = "sessions"',
    'maxmemory_policy = "noeviction"',
    *WITHOUT,
)
UNIT = "redis-server"


@pytest.fixture(scope="module")
def host(hosts: Callable[..., LinuxHost]) -> LinuxHost:
    """A Debian on which redis-server is installed."""
    return hosts("keywright-lab-operating", installed=True)


@pytest.fixture(scope="module")
def person(host: LinuxHost, tmp_path_factory: pytest.TempPathFactory) -> LinuxPerson:
    """Somebody who looks after it over ssh."""
    return LinuxPerson(tmp_path_factory.mktemp("operating") / "person", host)


def fill(person: LinuxPerson, count: int = 100) -> None:
    """Write so many sessions of an hour."""
    script = f"for i=1,{count} do redis.call('SET','esabcfg:session:'..i,'x','EX',3600) end return {count}"
    assert person.redis("EVAL", script, "0") == str(count)


def sessions(person: LinuxPerson) -> int:
    """How many sessions there are."""
    listed = person.redis("--scan", "--pattern", "esabcfg:session:*")
    return len(listed.split())


def pid(host: LinuxHost) -> int:
    """The process of the service, once it answers."""
    await_true(lambda: host.unit_pid(UNIT) > 0, "the service runs", 30)
    found = host.unit_pid(UNIT)
    await_true(
        lambda: "NOAUTH" in host.run("redis-cli", "ping", check=False).stdout, "it answers", 60
    )
    return found


# --- our own restart costs nothing --------------------------------------------------------------


def test_a_restart_of_ours_keeps_the_sessions_of_a_cache(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """Under `save ""` and without an append-only file every session is there after `keywright restart`, and
    no dump stays behind that a later crash would bring back; the setting is as declared again."""
    person.bring_up(*CACHE)
    fill(person)
    before = pid(host)
    said = person.say("restart", "-e", "linux")
    assert said.code == 0, said.text
    assert pid(host) != before
    assert sessions(person) == 100
    assert person.redis("CONFIG", "GET", "save").split("\n") == ["save"]
    assert host.sh("ls /var/lib/redis").split() == []
    assert "loaded-dump.rdb" in host.sh("ls /var/backups/redis")
    assert person.say("diff", "-e", "linux", "--strict").code == 0


def test_a_crash_empties_a_cache_as_status_says(host: LinuxHost, person: LinuxPerson) -> None:
    """kill -9: systemd starts it again within seconds, empty, as `status` has told before."""
    assert "a crash or a boot empties it" in person.say("status", "-e", "linux").out
    before = pid(host)
    host.run("kill", "-9", str(before))
    await_true(lambda: host.unit_pid(UNIT) not in (0, before), "systemd starts it again", 30)
    pid(host)
    assert sessions(person) == 0
    assert "started again 1 times by itself" in person.say("status", "-e", "linux").out


# --- what was promised is kept ------------------------------------------------------------------


def test_appendonly_survives_kill_and_boot(host: LinuxHost, person: LinuxPerson) -> None:
    """The file is switched on live, without a restart; then every session survives kill -9 and a reboot,
    and the service comes up by itself."""
    before = pid(host)
    person.bring_up(*DURABLE)
    fill(person)
    first = pid(host)
    assert sessions(person) == 100
    host.run("kill", "-9", str(first))
    await_true(lambda: host.unit_pid(UNIT) not in (0, first), "systemd starts it again", 30)
    pid(host)
    assert sessions(person) == 100
    host.reboot()
    pid(host)
    assert sessions(person) == 100
    assert before > 0
    said = person.say("check", "-e", "linux", "--restart", "--yes", "--json")
    proofs = {each["id"]: each["verdict"] for each in json.loads(said.out)["proofs"]}
    assert (said.code, proofs["restart"]) == (0, "passed"), said.text


def test_a_missing_bridge_does_not_stop_the_boot(host: LinuxHost, person: LinuxPerson) -> None:
    """With Docker switched off the machine boots and the server answers; once the bridge is there again,
    `up` takes its address up."""
    assert "-172." in host.sh("grep ^bind /etc/redis/redis.conf")
    host.sh("systemctl disable -q docker.service docker.socket")
    host.reboot()
    host.sh("ip link delete docker0 2>/dev/null || true; systemctl restart redis-server")
    pid(host)
    assert "172." not in host.sh("ss -Hltn sport = :6379")
    host.sh("systemctl enable -q docker.service docker.socket; systemctl start docker")
    said = person.say("up", "-e", "linux", "--yes")
    assert (said.code, "came after it" in said.out) == (0, True), said.text
    assert "172." in host.sh("ss -Hltn sport = :6379")
    assert sessions(person) == 100


def test_a_slow_load_is_not_killed_by_the_start_limit(host: LinuxHost, person: LinuxPerson) -> None:
    """With a default limit of 3 s a load of 6 s ends well with our drop-in; without it systemd kills it."""
    person.bring_up(*SNAPSHOTS)
    fill(person, 600)
    assert person.redis("SAVE") == "OK"
    limit = "/etc/systemd/system.conf.d/short.conf"
    host.sh(
        f"mkdir -p /etc/systemd/system.conf.d; printf '[Manager]\\nDefaultTimeoutStartSec=3s\\n' > {limit}"
    )
    host.sh("sed -i '1i key-load-delay 10000' /etc/redis/redis.conf; systemctl daemon-reexec")
    drop_in = f"/etc/systemd/system/{UNIT}.service.d/keywright.conf"
    try:
        host.sh(f"systemctl restart {UNIT}")
        assert sessions(person) == 600
        host.sh(f"mv {drop_in} /root/aside; systemctl daemon-reload")
        bare = host.run("systemctl", "restart", UNIT, check=False)
        assert bare.returncode != 0
    finally:
        host.sh(f"[ ! -e /root/aside ] || mv /root/aside {drop_in}; rm {limit}")
        host.sh("sed -i '/^key-load-delay/d' /etc/redis/redis.conf; systemctl daemon-reexec")
        host.sh(f"systemctl reset-failed {UNIT}; systemctl restart {UNIT}")
    pid(host)
    assert sessions(person) == 600


def test_a_stop_that_could_not_save_is_not_begun(host: LinuxHost, person: LinuxPerson) -> None:
    """With a full disk `restart` and `down` say so, the same server goes on with all it holds, and
    afterwards, with room again, it ends well."""
    host.sh("systemctl stop redis-server; cp -a /var/lib/redis /root/kept")
    host.sh(
        "mount -t tmpfs -o size=300k,mode=750,uid=$(id -u redis),gid=$(id -g redis) tmpfs /var/lib/redis"
    )
    host.sh("cp -a /root/kept/. /var/lib/redis/; systemctl start redis-server")
    before = pid(host)
    try:
        script = "for i=1,9000 do redis.call('SET','esabcfg:big:'..i,i..string.rep('y'..i,9)) end"
        person.redis("EVAL", script, "0")
        for verb in ("restart", "down"):
            said = person.say(verb, "-e", "linux", "--yes")
            assert said.code == 1, said.text
            assert "the server cannot write it" in said.err
            assert "No space left on device" in said.err
            assert pid(host) == before
        assert person.redis("DBSIZE") == "9600"
        host.sh("mount -o remount,size=64m /var/lib/redis")
        assert person.say("restart", "-e", "linux", "--yes").code == 0
        assert person.redis("DBSIZE") == "9600"
    finally:
        host.sh(
            "systemctl stop redis-server; cp -a /var/lib/redis/. /root/kept/; umount /var/lib/redis"
        )
        host.sh("cp -a /root/kept/. /var/lib/redis/; systemctl start redis-server")
    pid(host)


def test_down_stays_down_over_a_boot_and_up_brings_it_back(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """`down` stops the service and keeps it from a boot; `up` starts it, and enables it again."""
    assert person.say("down", "-e", "linux", "--yes").code == 0
    assert host.unit_pid(UNIT) == 0
    assert person.say("status", "-e", "linux").code == 3
    host.reboot()
    assert host.unit_pid(UNIT) == 0
    assert person.say("up", "-e", "linux").code == 0
    assert person.redis("DBSIZE") == "9600"
    assert host.run("systemctl", "is-enabled", UNIT).stdout.strip() == "enabled"


def test_every_step_is_in_the_journal(person: LinuxPerson) -> None:
    """Each run noted what it began and ended, and nothing secret."""
    events = {str(each["event"]) for each in person.journal()}
    assert {"begin", "done"} <= events
    text = (Path(person.state_of("linux")) / "journal.jsonl").read_text()
    assert [name for name, secret in person.secrets.items() if secret in text] == []
