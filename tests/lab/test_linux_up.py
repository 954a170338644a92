"""From a bare Debian to a proven Redis, over ssh: what is told before, what is there after, who gets in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.lab.docker_engine import Engine
from tests.lab.images import INSIGHT_IMAGE, REDIS_IMAGE
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson

pytestmark = pytest.mark.lab

LINES = (
    f'insight.image = "{INSIGHT_IMAGE}"',
    'purpose = "cache"',
    'admin_from = ["172.17.0.1/32"]',
)
NEIGHBOUR = "keywright-lab-neighbour"


@pytest.fixture(scope="module")
def host(hosts: Callable[..., LinuxHost], images: Engine) -> LinuxHost:
    """A bare Debian with a Docker Engine that has RedisInsight's image."""
    found = hosts("keywright-lab-up")
    found.load_image(INSIGHT_IMAGE)
    return found


@pytest.fixture(scope="module")
def person(host: LinuxHost, tmp_path_factory: pytest.TempPathFactory) -> LinuxPerson:
    """Somebody whose ssh key is known there, and who may use sudo."""
    found = LinuxPerson(tmp_path_factory.mktemp("linux") / "person", host)
    found.declare_linux(*LINES)
    return found


@pytest.fixture(scope="module")
def neighbour(engine: Engine) -> str:
    """Another machine beside the host, which nobody let in; its address."""
    engine.docker("run", "-d", "--name", NEIGHBOUR, REDIS_IMAGE, "sleep", "3600")
    found = json.loads(engine.docker("inspect", NEIGHBOUR).stdout)[0]
    return str(found["NetworkSettings"]["IPAddress"])


def everything(host: LinuxHost) -> str:
    """What a dry run must leave as it is: files, packages, rules, services."""
    return host.sh(
        "find /etc /var/lib/redis /var/backups /opt -xdev -type f -printf '%p %s %m %U %T@\\n' 2>&1"
        " | sort; dpkg -l; ufw show added; systemctl list-unit-files --no-pager"
    )


# --- the first time -----------------------------------------------------------------------------


def test_a_dry_run_tells_everything_and_changes_nothing(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """Who is at work, how root is had, what is installed, written and started, and every command line;
    the package's own steps, and those that come after it."""
    before = everything(host)
    said = person.say("up", "-e", "linux", "--dry-run")
    assert said.code == 0
    for word in (
        "as ops, root by sudo",
        "installs  redis-server redis-tools",
        "/etc/redis/users.acl",
        "rules of ufw change",
        "service   is started",
        "systemctl mask --runtime redis-server.service",
        "apt-get -q -y",
        "ufw prepend allow in on docker0 to any port 6379 proto tcp",
        "ufw --force enable",
        "systemctl start redis-server",
        "docker run --label keywright.made=",
    ):
        assert word in said.out, word
    assert everything(host) == before
    assert not list(Path(person.environ["HOME"]).glob(".local/state/keywright/*/*/vault.json"))


def test_up_brings_a_bare_host_to_a_proven_server(host: LinuxHost, person: LinuxPerson) -> None:
    """Package, files, kernel, firewall, users, service, RedisInsight: all proofs pass, but for the kernel,
    which is not the host's own in the lab."""
    said = person.say("up", "-e", "linux", "--json")
    assert said.code == 0, said.text
    report = json.loads(said.out)
    unproven = {
        each["id"]: each["evidence"] for each in report["proofs"] if each["verdict"] != "passed"
    }
    assert list(unproven) == ["kernel"]
    assert "not this host's to set" in unproven["kernel"]
    assert report["server"]["name"] == "redis"


def test_a_second_up_changes_nothing_over_one_connection(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """One login, at most six channels, no step; and the proofs hold again."""
    before, logins, channels = everything(host), host.connections(), host.channels()
    said = person.say("up", "-e", "linux", "--json")
    assert (said.code, json.loads(said.out)["steps"]) == (0, [])
    assert everything(host) == before
    assert host.connections() - logins == 1
    assert host.channels() - channels <= 6


def test_status_says_what_the_profile_promises(person: LinuxPerson) -> None:
    """The service, that it starts with the machine, RedisInsight, and that memory alone keeps the data."""
    said = person.say("status", "-e", "linux")
    assert said.code == 0
    assert "redis-server: active, starts with the machine" in said.out
    assert "running, http://127.0.0.1:6380 there" in said.out
    assert "a crash or a boot empties it" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


# --- the files ----------------------------------------------------------------------------------


def test_the_distribution_s_file_stays_readable(host: LinuxHost) -> None:
    """Its own comments and lines stand there, what we set is a comment, and ours is one block at the end."""
    text = host.read("/etc/redis/redis.conf")
    assert text.startswith("# Redis configuration file example.")
    assert text.count("# >>> keywright >>>") == 1
    assert "#keywright# bind 127.0.0.1 -::1" in text
    before, _, block = text.partition("# >>> keywright >>>")
    theirs, ours = settings_of(before), settings_of(block)
    assert theirs & ours == set()
    assert len(theirs) > 30 and "requirepass" not in theirs


def settings_of(text: str) -> set[str]:
    """The settings that the lines of a redis.conf set."""
    lines = (line.split() for line in text.splitlines())
    return {words[0] for words in lines if words and not words[0].startswith("#")}


def test_modes_and_owners_are_closed(host: LinuxHost) -> None:
    """Configuration, users, data and copies are the server's alone; nobody else reads them."""
    listed = host.sh(
        "stat -c '%U:%G %a %n' /etc/redis /etc/redis/redis.conf /etc/redis/users.acl"
        " /var/lib/redis /var/backups/redis"
    )
    assert listed.splitlines() == [
        "redis:redis 2770 /etc/redis",
        "redis:redis 640 /etc/redis/redis.conf",
        "root:redis 640 /etc/redis/users.acl",
        "redis:redis 750 /var/lib/redis",
        "redis:redis 750 /var/backups/redis",
    ]
    opened = host.run("su", "nosudo", "-c", "cat /etc/redis/users.acl", check=False)
    assert opened.returncode != 0


def test_the_server_may_write_its_copies_and_nothing_else(host: LinuxHost) -> None:
    """The hardened unit lets it into the backups' folder, and still not into the rest of the disk."""
    mounts = host.read(f"/proc/{host.unit_pid('redis-server')}/mountinfo").splitlines()
    seen = {words[4]: words[5].split(",")[0] for words in map(str.split, mounts)}
    folders = ("/var/backups/redis", "/var/lib/redis", "/")
    assert [seen.get(folder) for folder in folders] == ["rw", "rw", "ro"]


def test_the_service_is_no_less_hardened_than_the_distribution_s(host: LinuxHost) -> None:
    """`systemd-analyze security` gives the service with our drop-in no worse a mark than without."""

    def exposure() -> float:
        said = host.sh("systemd-analyze security redis-server --no-pager | tail -n 1")
        return float(said.partition("redis-server.service: ")[2].split()[0])

    ours = exposure()
    drop_in = "/etc/systemd/system/redis-server.service.d/keywright.conf"
    host.sh(f"mv {drop_in} /root/aside && systemctl daemon-reload")
    theirs = exposure()
    host.sh(f"mv /root/aside {drop_in} && systemctl daemon-reload")
    assert 0 < ours <= theirs


# --- who gets in --------------------------------------------------------------------------------


def knock(engine: Engine, host: LinuxHost, port: int = 6379) -> str:
    """What a PING from the neighbour gets within a second."""
    ask = f"timeout 1 redis-cli -h {host.address} -p {port} ping || echo closed"
    return engine.docker("exec", NEIGHBOUR, "sh", "-c", ask).stdout.strip()


def test_the_port_is_closed_to_a_stranger_and_open_from_a_container(
    engine: Engine, host: LinuxHost, person: LinuxPerson, neighbour: str
) -> None:
    """With the firewall on a neighbour reaches nothing, whatever the server binds; RedisInsight's container
    reaches the server at the address of the bridge, and is asked for a password there."""
    assert "Status: active" in host.sh("ufw status")
    assert (knock(engine, host), knock(engine, host, 6380)) == ("closed", "closed")
    bridge = host.sh("ip -4 -o addr show docker0").split()[3].partition("/")[0]
    pid = host.sh("docker inspect -f '{{.State.Pid}}' redisinsight").strip()
    asked = host.sh(f"nsenter -n -t {pid} redis-cli -h {bridge} ping", check=False)
    assert "NOAUTH" in asked
    viewer = person.secrets["viewer"]
    script = f"REDISCLI_AUTH=$(cat) nsenter -n -t {pid} redis-cli -h {bridge} --user viewer ping"
    assert host.run("sh", "-c", script, stdin=viewer).stdout.strip() == "PONG"


def test_a_declared_network_gets_in_and_leaves_again(
    engine: Engine, host: LinuxHost, person: LinuxPerson, neighbour: str
) -> None:
    """With the interface bound and the neighbour's address in allow_from it is asked for a password;
    without the line it is shut out again. Another address is closed all the while."""
    person.declare_linux(*LINES, 'interfaces = ["eth0"]', f'allow_from = ["{neighbour}/32"]')
    said = person.say("up", "-e", "linux", "--yes", "--json")
    assert said.code == 0, said.text
    assert "NOAUTH" in knock(engine, host)
    proofs = {each["id"]: each for each in json.loads(said.out)["proofs"]}
    assert proofs["closed"]["verdict"] == "passed"  # asked from 172.17.0.1, which is not let in
    person.declare_linux(*LINES, 'interfaces = ["eth0"]')
    assert person.say("up", "-e", "linux", "--yes").code == 0
    assert knock(engine, host) == "closed"
    person.declare_linux(*LINES)
    assert person.say("up", "-e", "linux", "--yes").code == 0


# --- RedisInsight -------------------------------------------------------------------------------


def test_insight_goes_and_comes_by_itself(host: LinuxHost, person: LinuxPerson) -> None:
    """`insight down` removes its container and keeps the volume, `up` starts it, on loopback alone."""
    assert person.say("insight", "down", "-e", "linux").code == 0
    assert "redisinsight" not in host.sh("docker ps -a --format '{{.Names}}'")
    assert "redisinsight-data" in host.sh("docker volume ls -q")
    assert person.say("insight", "status", "-e", "linux").code == 3
    said = person.say("insight", "up", "-e", "linux")
    assert (said.code, "127.0.0.1:6380" in said.out) == (0, True), said.text
    assert "127.0.0.1:6380->5540/tcp" in host.sh("docker ps --format '{{.Ports}}'")


def test_the_tunnel_leads_to_it(person: LinuxPerson) -> None:
    """`tunnel --print` gives the lines for OpenSSH and PuTTY; an open one lets RedisInsight be asked."""
    said = person.say("tunnel", "-e", "linux", "--print")
    assert said.code == 0
    assert f"ssh -N -L 6380:127.0.0.1:6380 ops@{person.host.address}" in said.out
    assert "plink.exe -i key.ppk -N -L 6380:127.0.0.1:6380" in said.out
    line = person.start("tunnel", "-e", "linux")
    assert line.stdout is not None
    told = ""
    while "Ctrl-C" not in told:
        more = line.stdout.readline()
        assert more, told
        told += more
    try:
        asked = person.run("curl", "-sf", "http://127.0.0.1:6380/api/health/")
        assert json.loads(asked.out) == {"status": "up"}
    finally:
        line.terminate()
        line.communicate(timeout=20)


# --- the users ----------------------------------------------------------------------------------

TABLE = {
    "appuser": (
        (("SET", "esabcfg:a", "1"), "OK"),
        (("GET", "esabcfg:a"), "1"),
        (("UNLINK", "esabcfg:a"), "1"),
        (("GET", "other:a"), "NOPERM"),
        (("PUBLISH", "other", "x"), "NOPERM"),
        (("FLUSHALL",), "NOPERM"),
        (("CONFIG", "GET", "*"), "NOPERM"),
        (("KEYS", "*"), "NOPERM"),
        (("SHUTDOWN",), "NOPERM"),
        (("ACL", "LIST"), "NOPERM"),
    ),
    "viewer": (
        (("PING",), "PONG"),
        (("INFO", "server"), "# Server"),
        (("SLOWLOG", "GET", "1"), ""),
        (("CLIENT", "LIST"), "id="),
        (("SCAN", "0"), "0"),
        (("TYPE", "esabcfg:none"), "none"),
        (("TTL", "esabcfg:none"), "-2"),
        (("GET", "esabcfg:none"), "NOPERM"),
        (("SET", "esabcfg:none", "1"), "NOPERM"),
        (("MONITOR",), "NOPERM"),
        (("FLUSHALL",), "NOPERM"),
    ),
    "health": (
        (("PING",), "PONG"),
        (("INFO", "server"), "# Server"),
        (("GET", "esabcfg:none"), "NOPERM"),
        (("SET", "esabcfg:none", "1"), "NOPERM"),
        (("CONFIG", "GET", "*"), "NOPERM"),
    ),
    "default": ((("PING",), "PONG"), (("SET", "esabcfg:b", "1", "EX", "9"), "OK")),
    "admin": ((("CONFIG", "GET", "port"), "port"), (("ACL", "WHOAMI"), "admin")),
}
ROWS = [(user, words, answer) for user, rows in TABLE.items() for words, answer in rows]


@pytest.mark.parametrize(("user", "words", "answer"), ROWS, ids=lambda each: str(each)[:40])
def test_every_right_is_proven_both_ways(
    person: LinuxPerson, user: str, words: tuple[str, ...], answer: str
) -> None:
    """What a user may do works in earnest, and what not is refused in earnest; the server's own dry run
    says the same."""
    said = person.redis(*words, user=user)
    assert said.startswith(answer), said
    dry = person.redis("ACL", "DRYRUN", user, *words)
    assert (dry == "OK") == (answer != "NOPERM"), dry
