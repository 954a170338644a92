"""Changes of a Linux host's server: live, from drift, passwords, TLS, another version, and taken back."""

import json
from collections.abc import Callable

import pytest
from tests.embedded.stranger import await_true
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_image import RAISED
from tests.lab.linux_person import LinuxPerson

pytestmark = pytest.mark.lab

LINES = ('purpose = "cache"', "insight.enabled = false", 'firewall = "none"')
UNIT = "redis-server"


@pytest.fixture(scope="module")
def host(hosts: Callable[..., LinuxHost]) -> LinuxHost:
    """A Debian on which redis-server is installed."""
    return hosts("keywright-lab-changes", installed=True)


@pytest.fixture(scope="module")
def person(host: LinuxHost, tmp_path_factory: pytest.TempPathFactory) -> LinuxPerson:
    """Somebody whose environment runs there, with a hundred sessions in memory alone."""
    found = LinuxPerson(tmp_path_factory.mktemp("changes") / "person", host)
    found.bring_up(*LINES)
    script = "for i=1,100 do redis.call('SET','esabcfg:session:'..i,'x','EX',3600) end return 100"
    assert found.redis("EVAL", script, "0") == "100"
    return found


def sessions(person: LinuxPerson) -> int:
    """How many sessions there are."""
    return len(person.redis("--scan", "--pattern", "esabcfg:session:*").split())


def test_what_can_change_live_changes_live(host: LinuxHost, person: LinuxPerson) -> None:
    """Memory, clients and slow log change under the running process; the file follows."""
    before = host.unit_pid(UNIT)
    person.bring_up(*LINES, 'maxmemory = "700mb"', "settings.hz = 20")
    assert host.unit_pid(UNIT) == before
    assert person.redis("CONFIG", "GET", "maxmemory").split() == ["maxmemory", str(700 * 2**20)]
    assert "maxmemory 734003200" in host.read("/etc/redis/redis.conf").lower().replace(
        "700mb", "734003200"
    )


def test_what_needs_a_restart_costs_no_session(host: LinuxHost, person: LinuxPerson) -> None:
    """More databases need another process; the sessions of a profile that keeps nothing are carried over."""
    before = host.unit_pid(UNIT)
    said = person.bring_up(*LINES, "databases = 32")
    assert "let the server save its data when it ends" in said
    assert host.unit_pid(UNIT) != before
    assert (sessions(person), host.sh("ls /var/lib/redis")) == (100, "")
    person.bring_up(*LINES)
    assert sessions(person) == 100


def test_drift_is_found_three_ways_and_mended(host: LinuxHost, person: LinuxPerson) -> None:
    """A CONFIG SET by hand, an edited file, a changed drop-in, a user added, a mode opened, a service
    disabled: `check` fails, `diff` names each, `up` mends each, once."""
    person.redis("CONFIG", "SET", "maxmemory", "64mb")
    person.redis("ACL", "SETUSER", "intruder", "on", "nopass", "~*", "+@all")
    host.sh("sed -i 's/^tcp-keepalive .*/tcp-keepalive 77/' /etc/redis/redis.conf")
    host.sh("echo '# by hand' >> /etc/systemd/system/redis-server.service.d/keywright.conf")
    host.sh(
        "chmod 644 /etc/redis/users.acl; chmod 755 /var/lib/redis; systemctl disable -q redis-server"
    )
    checked = person.say("check", "-e", "linux", "--json")
    failed = {
        each["id"] for each in json.loads(checked.out)["proofs"] if each["verdict"] == "failed"
    }
    assert (checked.code, failed) == (1, {"settings", "users", "files", "service", "folders"})
    told = person.say("diff", "-e", "linux").out
    for word in (
        "maxmemory",
        "intruder",
        "keywright.conf",
        "/var/lib/redis",
        "start redis-server with",
    ):
        assert word in told, word
    person.bring_up(*LINES)
    assert person.say("diff", "-e", "linux", "--strict").code == 0
    assert "intruder" not in person.redis("ACL", "LIST")
    assert sessions(person) == 100


def test_a_password_is_rotated_and_the_old_one_is_dead(
    person: LinuxPerson, host: LinuxHost
) -> None:
    """The new one works, the old one is refused, on the running process; a restart changes nothing of it."""
    old, before = person.secrets["default"], host.unit_pid(UNIT)
    said = person.say("password", "rotate", "-e", "linux", "--yes")
    assert said.code == 0, said.text
    new = person.secrets["default"]
    assert new != old
    assert host.redis(new, "PING", user="default") == "PONG"
    assert "WRONGPASS" in host.redis(old, "PING", user="default")
    assert host.unit_pid(UNIT) == before
    assert person.say("restart", "-e", "linux").code == 0
    assert host.redis(new, "PING", user="default") == "PONG"
    assert "WRONGPASS" in host.redis(old, "PING", user="default")
    assert sessions(person) == 100


def test_a_setting_that_the_server_refuses_is_taken_back(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """A line that Redis does not start with: the server's own reason, and everything is as it was."""
    before = host.read("/etc/redis/redis.conf")
    said = person.bring_up(*LINES, "settings.io-threads = 4000", code=1)
    assert "taken back" in said
    assert "FATAL CONFIG FILE ERROR" in said or "io-threads" in said
    assert host.read("/etc/redis/redis.conf") == before
    assert person.redis("PING") == "PONG"
    assert sessions(person) == 100
    person.bring_up(*LINES)


def test_another_version_comes_with_a_copy_and_keeps_everything(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """`unit.version = "latest"`: the data is saved, copied, the copy read by the server's own checker, the
    package replaced, and every session is there; held packages are refused before anything is done."""
    host.newer_packages()
    lines = (*LINES, 'unit.version = "latest"')
    host.sh("apt-mark hold redis-server")
    refused = person.bring_up(*lines, code=4)
    assert "is held there (apt-mark hold)" in refused
    host.sh("apt-mark unhold redis-server")
    said = person.bring_up(*lines)
    assert "check the copy: dump.rdb is whole" in said
    assert host.sh("dpkg-query -W -f '${Version}' redis-server").endswith(RAISED)
    assert sessions(person) == 100
    assert "before-replacing-" in host.sh("ls /var/backups/redis")
    assert host.sh("ls /var/lib/redis") == ""
    assert person.say("diff", "-e", "linux", "--strict").code == 0


def test_an_upgrade_by_apt_itself_is_recovered(host: LinuxHost, person: LinuxPerson) -> None:
    """Somebody runs apt-get by hand: our redis.conf stays, the service comes back with its users, and `up`
    finds nothing that it would have to mend but what the person sees."""
    host.sh("DEBIAN_FRONTEND=noninteractive apt-get install -y -q --reinstall redis-server 2>&1")
    await_true(lambda: host.unit_pid(UNIT) > 0, "the service runs", 30)
    await_true(lambda: person.redis("PING") == "PONG", "it answers", 30)
    assert person.say("check", "-e", "linux").code == 0
    assert person.say("diff", "-e", "linux", "--strict").code == 0


def test_tls_takes_the_port_and_the_application_is_told(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """Own authority, 6379 itself with TLS, no port without; every proof of it passes over ssh."""
    person.declare_linux(*LINES, "tls.enabled = true")
    said = person.say("up", "-e", "linux", "--yes", "--json")
    assert said.code == 0, said.text
    proofs = {each["id"]: each["verdict"] for each in json.loads(said.out)["proofs"]}
    wanted = ("certificate", "tls-only", "plain-closed", "password", "no-password")
    assert {name: proofs[name] for name in wanted} == dict.fromkeys(wanted, "passed")
    ca = "/etc/redis/tls/ca.crt"
    script = (
        'REDISCLI_AUTH=$(cat) redis-cli --no-auth-warning --tls --cacert "$0" --user admin PING'
    )
    asked = host.run("sh", "-c", script, ca, stdin=person.secrets["admin"])
    assert asked.stdout.strip() == "PONG"
    assert "REDIS_SSL=true" in (person.project / "src/backend/.env").read_text()
    renewed = person.say("tls", "renew", "-e", "linux", "--yes")
    assert renewed.code == 0, renewed.text
    assert person.say("up", "-e", "linux").code == 0
