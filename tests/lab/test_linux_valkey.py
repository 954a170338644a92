"""Debian's own Valkey on a Linux host: where the distribution has it, and where it has not.

Debian 12 has it in its backports, Debian 13 (KEYWRIGHT_LAB_SUITE=trixie) in its main archive; the package is
the real one. RedisInsight is left out: it is the same as beside Redis.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.embedded.stranger import Said, await_true
from tests.lab.docker_engine import Engine
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_image import BACKPORTS, RAISED, SUITE
from tests.lab.linux_person import LinuxPerson

pytestmark = pytest.mark.lab

VALKEY = ('engine = "valkey"', "insight.enabled = false")
DURABLE = ('purpose = "durable"', "appendonly = true", 'maxmemory_policy = "noeviction"')
REFUSED = 2
UNIT = "valkey-server"


class Owner(LinuxPerson):
    """Somebody who keeps Valkey on a host; `plain` is its port without TLS."""

    plain = 6379

    def up(self, *words: str) -> Said:
        """`keywright up -e linux`, without a question."""
        return self.say("up", "-e", "linux", "--yes", *words)

    def tell(self, *words: str) -> str:
        """What the server answers to the administrator, by Valkey's own client there; "" when none does."""
        secret = f"REDISCLI_AUTH='{self.secrets['admin']}'"
        line = f"{secret} valkey-cli -p {self.plain} --user admin {' '.join(words)}"
        return self.host.sh(line, check=False).strip()

    def about(self, name: str) -> str:
        """One line of the server's INFO."""
        lines = self.tell("INFO").splitlines()
        return next((line for line in lines if line.startswith(f"{name}:")), "").partition(":")[2]


def all_well(said: Said) -> None:
    """Nothing failed, and what is unknown has a reason that is known here: the lab's kernel and ufw."""
    assert said.code == 0, said
    unknown = [line for line in said.out.splitlines() if line.startswith("  ? ")]
    known = ("the kernel is set", "the firewall holds")
    assert [line for line in unknown if not line[4:].startswith(known)] == []
    assert "✗" not in said.out


def offered(host: LinuxHost) -> str:
    """The version of Valkey in the image's archive."""
    return host.sh(f"dpkg-deb -f {BACKPORTS}/valkey-server_*.deb Version").strip()


def nothing_done(host: LinuxHost, person: LinuxPerson) -> None:
    """Neither the host was changed, nor did this person's machine keep a password."""
    assert host.touched() == []
    assert not person.secrets


@pytest.fixture(scope="module")
def hosts(engine: Engine) -> Iterator[Callable[[str], LinuxHost]]:
    """Hosts by name, each made once."""
    there: dict[str, LinuxHost] = {}

    def named(name: str) -> LinuxHost:
        if name not in there:
            there[name] = LinuxHost(engine, name).__enter__()
        return there[name]

    try:
        yield named
    finally:
        for host in there.values():
            host.__exit__()


@pytest.fixture(scope="module")
def bare(hosts: Callable[[str], LinuxHost], tmp_path_factory: pytest.TempPathFactory) -> Owner:
    """Somebody with a new host, whose apt has never asked its archive."""
    return Owner(tmp_path_factory.mktemp("bare") / "person", hosts("valkey"))


@pytest.fixture(scope="module")
def installed(bare: Owner) -> Owner:
    """The same, with Valkey brought up under a profile that promises to keep the data."""
    bare.host.add_archive(BACKPORTS)
    bare.declare_linux(*VALKEY, *DURABLE, f'unit.version = "{offered(bare.host)}"')
    all_well(bare.up())
    return bare


def test_where_apt_has_none_nothing_is_changed(bare: Owner) -> None:
    """Debian 12 without its backports: one sentence, a hint, and not even apt's lists are written."""
    bare.declare_linux(*VALKEY)
    bare.host.mark()
    said = bare.up()
    assert said.code == REFUSED
    assert f"({SUITE}), and apt there offers no valkey-server" in said.err
    assert "bookworm-backports" in said.err
    assert 'env.linux.engine = "redis"' in said.err
    nothing_done(bare.host, bare)


def test_an_archive_that_does_not_answer_is_told(bare: Owner) -> None:
    """Whether there is a Valkey cannot be said then: apt's own words, and nothing is changed."""
    source = "/etc/apt/sources.list.d/away.list"
    bare.declare_linux(*VALKEY)
    bare.host.write(source, "deb [trusted=yes] file:/srv/away ./\n")
    bare.host.mark()
    said = bare.up()
    bare.host.run("rm", source)
    assert said.code == 3
    assert "cannot say whether it has valkey-server" in said.err
    assert "/srv/away" in said.err
    assert not bare.secrets


def test_a_version_that_apt_has_not_is_refused(bare: Owner) -> None:
    """The hint names the version that apt could install, though its lists do not hold it yet."""
    bare.host.add_archive(BACKPORTS)
    bare.declare_linux(*VALKEY, 'unit.version = "9.9.9-1"')
    bare.host.mark()
    said = bare.up()
    assert said.code == REFUSED
    assert "offers no valkey-server 9.9.9-1" in said.err
    assert f"it offers {offered(bare.host)}" in said.err
    nothing_done(bare.host, bare)


def test_it_is_valkey_under_debians_own_unit(installed: Owner) -> None:
    """The pinned package, its service, account and places; the server tells itself as Valkey."""
    host = installed.host
    seen = host.sh(f"dpkg-query -W -f '${{Version}}' {UNIT}")
    assert seen == offered(host)
    status = installed.say("status", "-e", "linux")
    assert f"valkey {offered(host).partition('+')[0]} " in status.out
    assert installed.about("server_name") == "valkey"
    shown = host.sh(f"systemctl show -p User,FragmentPath,DropInPaths,ActiveState {UNIT}")
    assert "User=valkey\n" in shown
    assert "/lib/systemd/system/valkey-server.service" in shown
    assert f"DropInPaths=/etc/systemd/system/{UNIT}.service.d/keywright.conf" in shown
    assert "ActiveState=active" in shown
    assert installed.about("config_file") == "/etc/valkey/valkey.conf"
    assert host.sh("stat -c '%U %a' /etc/valkey/valkey.conf").split() == ["valkey", "640"]
    assert "redis" not in host.sh("ls /etc /var/lib; getent passwd")


def test_a_second_up_does_nothing(installed: Owner) -> None:
    """No step, and the same process."""
    before = installed.host.unit_pid(UNIT)
    said = installed.up()
    all_well(said)
    assert "nothing to do" in said.out
    assert installed.host.unit_pid(UNIT) == before


def test_data_survives_a_kill_and_a_reboot(installed: Owner) -> None:
    """What was promised to be kept is there after `kill -9`, and after the machine started anew."""
    host = installed.host
    installed.tell("SET", "esabcfg:kept", "through")
    time.sleep(1.1)  # seconds: appendfsync everysec
    before = host.unit_pid(UNIT)
    host.run("kill", "-9", str(before))
    await_true(lambda: host.unit_pid(UNIT) not in (0, before), "systemd starts it again")
    await_true(lambda: installed.tell("GET", "esabcfg:kept") == "through", "the key is there")
    host.reboot()
    await_true(lambda: installed.tell("GET", "esabcfg:kept") == "through", "the key is there")
    installed.learn_host_key()
    said = installed.say("check", "-e", "linux")
    all_well(said)


def test_redis_is_not_put_beside_it(installed: Owner, tmp_path: Path) -> None:
    """Who asks for Redis on a host whose port Valkey has is told so, and how to end it."""
    other = Owner(tmp_path / "other", installed.host)
    other.declare_linux("insight.enabled = false")
    installed.host.mark()
    said = other.up()
    assert said.code == 1
    assert "port 6379 on 127.0.0.1 is taken by valkey-server (process " in said.err
    assert "sudo systemctl disable --now valkey-server" in said.err
    nothing_done(installed.host, other)


def test_latest_replaces_it_and_keeps_the_data(installed: Owner) -> None:
    """The copy is read by Valkey's own checkers; then the newer version has the keys."""
    before = offered(installed.host)
    installed.host.newer_packages()
    installed.declare_linux(*VALKEY, *DURABLE, 'unit.version = "latest"')
    said = installed.up()
    all_well(said)
    assert f"replace valkey-server (was {before})" in said.out
    assert installed.host.sh(f"dpkg-query -W -f '${{Version}}' {UNIT}") == before + RAISED
    assert "check the copy: appendonlydir/appendonly.aof.manifest" in said.out
    assert installed.tell("GET", "esabcfg:kept") == "through"
    assert "nothing to do" in installed.up().out


def test_a_redis_that_runs_is_left_alone(hosts: Callable[[str], LinuxHost], tmp_path: Path) -> None:
    """Debian's Redis has the port: Valkey is refused, nothing is half done, and Redis goes on.

    Ended as the hint says Valkey comes up, with TLS; ended for now only, the next boot is warned of. A
    restart under the profile that keeps nothing keeps the sessions.
    """
    host = hosts("redis")
    host.add_archive(BACKPORTS)
    host.sh("apt-get update -qq && apt-get install -y -qq redis-server >/dev/null 2>&1")
    host.sh("redis-cli SET session:1 theirs")
    person = Owner(tmp_path / "person", host)
    person.declare_linux(*VALKEY)
    before = host.unit_pid("redis-server")
    host.mark()
    said = person.up()
    assert said.code == 1
    assert "port 6379 on 127.0.0.1 is taken by redis-server (process " in said.err
    assert "sudo systemctl disable --now redis-server" in said.err
    nothing_done(host, person)
    assert host.unit_pid("redis-server") == before
    assert host.sh("redis-cli GET session:1").strip() == "theirs"

    host.sh("systemctl stop redis-server")
    person.plain = 6389  # TLS has the other
    person.declare_linux(*VALKEY, "tls.enabled = true", "port = 6389")
    said = person.up()
    all_well(said)
    assert "redis-server is down now and starts with the machine" in " ".join(said.text.split())
    assert "certificate" in said.out
    person.tell("SET", "esabcfg:session", "kept")
    host.sh("systemctl disable redis-server")
    person.declare_linux(*VALKEY, "tls.enabled = true", "port = 6389", "databases = 20")
    said = person.up()
    all_well(said)
    assert "down now and starts" not in " ".join(said.text.split())
    assert person.tell("GET", "esabcfg:session") == "kept"
    assert person.say("restart", "-e", "linux", "--yes").code == 0
    assert person.tell("GET", "esabcfg:session") == "kept"
