"""Logs of a Linux host: each command of the guide beside ours, over ssh and on the host itself."""

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from tests.contract.log_source import FIRST, Rig, hold_follow, hold_read, line, read
from tests.embedded.stranger import await_true
from tests.lab.docker_engine import DOCKER, Engine
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson, Resident
from tests.lab.log_reader import read_until

from keywright_ops.logs.host_file import HostFileSource
from keywright_ops.logs.journal import STAMP, JournalSource
from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.source import Wish
from keywright_ops.logs.zones import UTC
from keywright_ops.targets.channel import Channel, guarded

pytestmark = pytest.mark.lab

ERROR = "2026/11/28 10:13:41 [error] 31#31: *7 connect() failed (111: Connection refused)\n"
UNIT, LOG = "redis-server", "/var/log/redis/redis-server.log"


@pytest.fixture(scope="module")
def host(hosts: Callable[..., LinuxHost]) -> LinuxHost:
    """A Debian whose redis-server runs as its package made it: it logs into a file."""
    found = hosts("keywright-lab-logs", installed=True)
    found.run("systemctl", "start", UNIT)
    await_true(lambda: "Ready to accept" in found.read(LOG), "the server logs", 20)
    return found


@pytest.fixture(scope="module")
def person(host: LinuxHost, tmp_path_factory: pytest.TempPathFactory) -> LinuxPerson:
    """Somebody who looks at it over ssh, and has never deployed there."""
    return LinuxPerson(tmp_path_factory.mktemp("logs") / "person", host)


@pytest.fixture(autouse=True)
def _environment(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.socket)


def lines(text: str) -> list[str]:
    """The lines that say something; journalctl's own remarks are none."""
    return [each for each in text.splitlines() if each.strip() and not each.startswith("-- ")]


def logs(person: LinuxPerson | Resident, *words: str) -> list[str]:
    """What `keywright logs` shows of the host, without the names beside the lines."""
    said = person.say("logs", "-e", "linux", *words)
    assert said.code == 0, said.text
    return [re.sub(r"^(unit \S+|\S+\.log) +", "", each) for each in lines(said.out)]


def journal(host: LinuxHost, *words: str) -> list[str]:
    """What journalctl shows of the unit: without its time and the host's name."""
    shown = host.run("journalctl", "-u", UNIT, "--no-pager", *words).stdout
    return [re.sub(r"^\S+ +\S+ +\S+ \S+ ", "", each) for each in lines(shown)]


def told(found: Iterable[str], *beginnings: str) -> list[str]:
    """The lines that begin so."""
    return [each for each in found if each.startswith(beginnings)]


# --- the laws of every source -------------------------------------------------------------------


def _channel(host: LinuxHost, argv: tuple[str, ...]) -> Channel:
    return Channel((DOCKER, "exec", "-i", host.name, *guarded(argv)))


@pytest.fixture
def scratch(host: LinuxHost) -> Iterator[str]:
    """A log file of its own on the host."""
    folder = f"/var/log/scratch-{os.getpid()}-{time.monotonic_ns()}"
    host.run("mkdir", folder)
    yield f"{folder}/server.log"
    host.run("rm", "-rf", folder)


def file_rig(host: LinuxHost, path: str) -> Rig:
    """A file of the host, written as a server does, read by our script."""

    def write(written: Iterable[bytes]) -> None:
        text = b"".join(each + b"\n" for each in written).decode()
        host.run("sh", "-c", 'cat >>"$1"', "sh", path, stdin=text)

    def make() -> HostFileSource:
        form, names = redis_form(UTC), ("linux", "redis")
        return HostFileSource(path, form, lambda argv: _channel(host, argv), names, "root", "there")

    return Rig(write, make)


def test_a_file_of_a_host_holds_the_laws_of_every_source(host: LinuxHost, scratch: str) -> None:
    """Every line once and in order, windows exactly, the last lines, silence told."""
    hold_read(file_rig(host, scratch), 3000)
    hold_follow(file_rig(host, f"{scratch}.other"))
    assert nothing_left(host)


def test_the_journal_holds_the_laws_of_every_source(host: LinuxHost) -> None:
    """The same of a unit that logs into the journal."""
    for number, hold in enumerate((hold_read, hold_follow)):
        unit = f"redis-server-scribe{number}"
        rig = journal_rig(host, unit)
        if hold is hold_read:
            hold_read(rig, 200)
        else:
            hold_follow(rig)
        host.run("systemctl", "stop", f"{unit}.service", check=False)
    assert nothing_left(host)


def journal_rig(host: LinuxHost, unit: str) -> Rig:
    """A unit that logs as redis-server what it is told; systemd's own lines about it are left out."""
    pipe = f"/run/{unit}"
    run = ("systemd-run", "-q", f"--unit={unit}", "-p", "SyslogIdentifier=redis-server")
    host.run("mkfifo", pipe)
    host.run(*run, "sh", "-c", f"exec cat <>{pipe}")

    def written() -> int:
        shown = host.run("journalctl", "-q", f"_SYSTEMD_UNIT={unit}.service", "-o", "cat").stdout
        return len(shown.splitlines())

    def write(told: Iterable[bytes]) -> None:
        text = b"".join(each + b"\n" for each in told)
        before = written()
        host.run("sh", "-c", f"cat >{pipe}", stdin=text.decode())
        await_true(lambda: written() == before + text.count(b"\n"), "the journal has it", 20)

    class Scribes(JournalSource):
        """Without what systemd says about the unit."""

        def _argv(self, wish: Wish, *options: str) -> tuple[str, ...]:
            return (*super()._argv(wish, *options), f"_SYSTEMD_UNIT={unit}.service")

    def make() -> JournalSource:
        form = redis_form(UTC)
        return Scribes(unit, form, lambda argv: _channel(host, argv), "linux", "root", "there")

    return Rig(write, make, lambda raw: STAMP.sub(b"", raw, count=1), False)


def nothing_left(host: LinuxHost) -> bool:
    """No program that a source began runs on."""
    await_true(lambda: not ours(host), "nothing is left there", 10)
    return True


def ours(host: LinuxHost) -> list[str]:
    """The programs on the host that a reader of logs began."""
    shown = host.run("ps", "-eo", "pid,args").stdout.splitlines()
    words = ("KEYWRIGHT_WATCH", "tail -n", "journalctl --no-pager", "docker logs")
    return [each for each in shown if any(word in each for word in words)]


# --- the guide's commands, beside ours ----------------------------------------------------------


def test_the_guide_s_commands_of_the_journal_show_the_same(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """journalctl -u redis-server, its last lines, a window, a boot, priorities: what systemd says."""
    for ours_words, theirs in (
        ((), ()),
        (("--since", "1 hour ago"), ("--since", "1 hour ago")),
        (("--since", "1 day ago"), ("--since", "1 day ago")),
        (("--since", "1 hour ago", "--until", "1 minute ago"),
         ("--since", "1 hour ago", "--until", "1 minute ago")),
        (("-b",), ("-b",)),
        (("-p", "err"), ("-p", "err")),
        (("-p", "info"), ("-p", "info")),
        (("-p", "warning..err", "--since", "1 hour ago"),
         ("-p", "warning..err", "--since", "1 hour ago")),
    ):  # fmt: skip
        shown = told(logs(person, *ours_words), "systemd[")
        assert shown == journal(host, *theirs), ours_words
    assert logs(person, "-n", "1")[0] == journal(host, "-n", "1")[0]


def test_the_guide_s_commands_of_the_file_show_the_same(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """tail and grep of /var/log/redis/redis-server.log, by levels and patterns."""
    every = lines(host.read(LOG))
    shown = [each for each in logs(person) if not each.startswith("systemd[")]
    assert every == shown
    assert lines(host.run("grep", "-i", "error", LOG, check=False).stdout) == logs(
        person, "--grep", "error"
    )
    assert lines(host.run("grep", "-iE", "ready|listening", LOG, check=False).stdout) == logs(
        person, "--grep", "ready|listening"
    )
    warnings = [each for each in every if re.search(r"\d # ", each)]
    assert warnings and warnings == told(logs(person, "--level", "warning"), *"123456789")
    assert [] == logs(person, "--since", "2025-01-11T10:00", "--until", "2025-01-11T12:00")


def test_both_are_in_order_of_time(host: LinuxHost, person: LinuxPerson) -> None:
    """systemd starts the service before the server speaks, and says that it runs after it is ready."""
    host.run("systemctl", "restart", UNIT)
    await_true(lambda: "Started" in journal(host, "-n", "1")[0], "it runs", 20)
    shown = [each.partition("] ")[2] or each for each in logs(person, "--since", "1 hour ago")]
    last = shown[-30:]
    order = [
        "Stopping ",
        "Redis is now ready to exit",
        "Stopped ",
        "Starting ",
        "Ready to",
        "Started ",
    ]
    places = [max(n for n, each in enumerate(last) if word in each) for word in order]
    assert sorted(places) == places, last


def test_following_over_ssh_shows_what_comes_and_leaves_nothing(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """A line that is logged after it began is shown, through a restart; Ctrl-C ends it, here and there, and
    so does SIGKILL. One connection is made, for all channels."""
    for way in (signal.SIGINT, signal.SIGKILL):
        before = host.connections()
        child = person.start("logs", "-e", "linux", "-f", "-n", "0")
        try:
            await_true(lambda: any("tail -n" in each for each in ours(host)), "it follows", 30)
            await_true(lambda: any("journalctl" in each for each in ours(host)), "it follows", 30)
            assert 1 == host.connections() - before
            # what comes before the first silence counts as there already: so it is done again
            read_until(child, "Background saving started", each_second=lambda: save(host))
            host.run("systemctl", "restart", UNIT)
            read_until(child, "Ready to accept connections", "Started")
        finally:
            child.send_signal(way)
            out, err = child.communicate(timeout=30)
        assert "Traceback" not in err, err
        if way == signal.SIGINT:
            assert 0 == child.returncode, (out, err)
        assert nothing_left(host)


def save(host: LinuxHost) -> None:
    """Have the server log something."""
    host.run("redis-cli", "BGSAVE")


def test_what_rotation_left_is_read_and_followed_on(host: LinuxHost, scratch: str) -> None:
    """logrotate's own work: .2.gz, .1 and the file are one story; following goes on in the new file."""
    rig = file_rig(host, scratch)
    rule = f"{scratch} {{\n rotate 5\n compress\n delaycompress\n create\n}}\n"
    host.write(f"{scratch}.rule", rule)

    def rotate() -> None:
        if not host.sh("command -v logrotate || true").strip():
            # Debian's rule, by hand: the lab's host has no logrotate
            host.sh(
                f"cd $(dirname {scratch}); [ ! -e server.log.1 ] || "
                "{ gzip -c server.log.1 >server.log.2.gz; touch -r server.log.1 server.log.2.gz; }; "
                "mv server.log server.log.1; : >server.log"
            )
            return
        host.run("logrotate", "-f", "-s", f"{scratch}.state", f"{scratch}.rule")

    rig.write([line(number) for number in range(10)])
    rotate()
    rig.write([line(number) for number in range(10, 20)])
    rotate()
    rig.write([line(number) for number in range(20, 30)])
    names = host.sh(f"ls {scratch}*").split()
    assert {f"{scratch}.1", f"{scratch}.2.gz"} <= set(names)
    every = [line(number) for number in range(30)]
    assert every == read(rig, Wish())
    assert every[15:] == read(rig, Wish(since=FIRST + 15 * 60))
    assert every[3:25] == read(rig, Wish(since=FIRST + 180, until=FIRST + 25 * 60))
    assert every[-25:] == read(rig, Wish(tail=25))[-25:]
    following = rig.make().follow(Wish())
    got: list[bytes] = []

    def until(count: int) -> None:
        deadline = time.monotonic() + 20
        while len(got) < count:
            assert time.monotonic() < deadline, got
            got.extend(next(following).splitlines())

    until(30)
    rotate()
    rig.write([line(30)])
    until(31)
    following.close()  # type: ignore[attr-defined]
    assert [line(number) for number in range(31)] == got
    assert nothing_left(host)


def test_without_the_right_a_sentence_says_what_to_do(host: LinuxHost, tmp_path: Path) -> None:
    """A user without sudo reads neither; in the groups adm and systemd-journal both, still without sudo."""
    nosudo = LinuxPerson(tmp_path / "nosudo", host, user="nosudo")
    said = nosudo.say("logs", "-e", "linux")
    assert said.code != 0
    assert f"nosudo may not read {LOG}" in said.err, said.err
    assert "nosudo may not read the journal" in said.err
    assert "usermod -aG" in said.err
    host.run("usermod", "-aG", "adm,systemd-journal", "nosudo")
    try:
        shown = logs(nosudo)
        assert told(shown, "systemd[") and told(shown, *"123456789")
    finally:
        host.run("gpasswd", "-d", "nosudo", "adm")
        host.run("gpasswd", "-d", "nosudo", "systemd-journal")


def test_the_host_s_clock_is_the_file_s(host: LinuxHost, person: LinuxPerson) -> None:
    """The file tells the host's wall clock; what is shown and asked for is the same moment everywhere."""
    host.sh(
        "ln -sf /usr/share/zoneinfo/Asia/Kolkata /etc/localtime; systemctl restart redis-server"
    )
    try:
        await_true(lambda: "Started" in journal(host, "-n", "1")[0], "it runs", 20)
        shown = person.say("logs", "-e", "linux", "--json", "--since", "5m").out.splitlines()
        entries = [json.loads(each) for each in shown]
        ready = [each for each in entries if "Ready to accept" in each["text"]][-1]
        began = [each for each in entries if "Started" in each["text"]][-1]
        assert "5:30" not in ready["time"]
        moments = [_moment(each["time"]) for each in (ready, began)]
        assert abs(moments[0] - moments[1]) < 5 and abs(moments[0] - time.time()) < 300
    finally:
        host.sh("ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime; systemctl restart redis-server")


def _moment(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_on_the_host_itself(host: LinuxHost, tmp_path: Path) -> None:
    """The same lines without ssh."""
    resident = Resident(tmp_path / "resident", host)
    shown = logs(resident)
    assert lines(host.read(LOG)) == [each for each in shown if not each.startswith("systemd[")]
    assert journal(host) == told(shown, "systemd[")


# --- the other services of the host, and a server that logs into the journal ----------------------


def test_redisinsight_s_container_on_the_host(
    host: LinuxHost, person: LinuxPerson, engine: Engine, tmp_path: Path
) -> None:
    """`sudo docker logs redisinsight` beside ours, which no group docker is needed for; and followed."""
    host.load_image(engine.add_redis())
    script = "echo one; echo two >&2; sleep 2; while :; do echo again; sleep 1; done"
    host.run(
        "docker", "run", "-d", "--name", "redisinsight", engine.add_redis(), "sh", "-c", script
    )
    try:
        await_true(lambda: "two" in host.run("docker", "logs", "redisinsight").stderr, "it logs")
        theirs = host.sh("docker logs --tail=2 redisinsight 2>&1")
        assert theirs
        shown = logs(person, "--service", "redisinsight")
        assert {"one", "two"} <= set(shown) <= {"one", "two", "again"}
        together = person.say(
            "logs", "-e", "linux", "--service", "all", "--since", "1 hour ago"
        ).out
        assert {"redis", "redisinsight"} == {each.split()[0] for each in together.splitlines()}
        child = person.start("logs", "-e", "linux", "--service", "redisinsight", "-f", "-n", "0")
        try:
            read_until(child, "again\nagain")
        finally:
            child.send_signal(signal.SIGINT)
            child.communicate(timeout=30)
        assert nothing_left(host)
    finally:
        host.run("docker", "rm", "-f", "redisinsight")
    denied = LinuxPerson(tmp_path / "denied", host, user="nosudo")
    said = denied.say("logs", "-e", "linux", "--service", "redisinsight")
    assert said.code == 3 and "your user may not use the Docker Engine" in said.err
    gone = person.say("logs", "-e", "linux", "--service", "redisinsight")
    assert gone.code == 2 and "there is no container redisinsight" in gone.err


def test_nginx_before_it(host: LinuxHost, person: LinuxPerson) -> None:
    """The access and the error log of the site, in order of time; without a site there is none."""
    none = person.say("logs", "-e", "linux", "--service", "nginx")
    assert none.code == 2 and "has no nginx" in none.err
    site = 'insight.site = "insight.example.org"'
    person.declare_linux(site)
    host.run("systemctl", "start", "nginx")
    try:
        host.run("curl", "-s", "http://127.0.0.1/nowhere")
        await_true(lambda: "nowhere" in host.sh("cat /var/log/nginx/access.log"), "it is logged")
        shown = person.say("logs", "-e", "linux", "--service", "nginx", "--since", "5m").out
        assert '"GET /nowhere HTTP/1.1" 404' in shown
        host.write("/var/log/nginx/error.log", ERROR)
        both = person.say("logs", "-e", "linux", "--service", "nginx", "--level", "warning").out
        assert ERROR == both
    finally:
        host.run("systemctl", "stop", "nginx")
        person.declare_linux()


def test_a_valkey_unit_is_found_by_its_own_names(host: LinuxHost, person: LinuxPerson) -> None:
    """Its unit, and the file where its package has the log."""
    run = ("systemd-run", "-q", "--unit=valkey-server", "-p", "SyslogIdentifier=valkey-server")
    said = line(0, "from the journal").decode()
    host.run(*run, "sh", "-c", f"echo '{said}'; sleep 600")
    host.sh("mkdir -p /var/log/valkey; chmod 750 /var/log/valkey")
    host.write("/var/log/valkey/valkey-server.log", line(1, "from the file").decode() + "\n")
    person.declare_linux('engine = "valkey"')
    try:
        shown = logs(person)
        assert said in shown and told(shown, "systemd[1]: Started valkey-server")
        assert 1 == len([each for each in shown if "from the file" in each])
        assert not [each for each in shown if "redis-server" in each]
    finally:
        person.declare_linux()
        host.sh("systemctl stop valkey-server; rm -rf /var/log/valkey")


def test_a_service_that_keywright_set_up_logs_into_the_journal(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """The guide's `journalctl | grep "Ready to accept connections"`; and the package's older file."""
    words = ("--yes", "--adopt")
    person.bring_up("insight.enabled = false", 'firewall = "none"', words=words)
    mine = [each for each in journal(host, "--since", "10 minutes ago") if "redis-server[" in each]
    mine = [each.partition("]: ")[2] for each in mine]
    assert [each for each in mine if "Ready to accept connections" in each]
    shown = logs(person, "--since", "10 minutes ago")
    assert mine == [each for each in shown if each in set(mine)]
    ready = logs(person, "--since", "10 minutes ago", "--grep", "Ready to accept connections")
    assert ready == [each for each in shown if "Ready to accept connections" in each]
    every = logs(person)
    older = lines(host.read(LOG))
    assert older and older == [each for each in every if each in set(older)]
    # the server's own levels, though the journal has them all as info
    warnings = told(logs(person, "--level", "warning", "--since", "10 minutes ago"), *"123456789")
    assert [each for each in mine if re.search(r"\d # ", each)] == [
        each for each in warnings if each in set(mine)
    ]


def test_a_host_without_the_service_says_so(
    hosts: Callable[..., LinuxHost], tmp_path: Path
) -> None:
    """One sentence and what to do."""
    bare = hosts("keywright-lab-logs-bare")
    said = LinuxPerson(tmp_path / "bare", bare).say("logs", "-e", "linux")
    assert said.code == 2
    assert "there is no service redis-server on" in said.err and "keywright up -e linux" in said.err
