"""Logs of containers: each command of the guide beside ours, on a real engine and with every log driver."""

import itertools
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.contract.log_source import Rig, hold_follow, hold_read, line, read
from tests.embedded.stranger import alive, await_true, children
from tests.lab.docker_engine import DOCKER, Engine
from tests.lab.images import INSIGHT_IMAGE, OFFICIAL_IMAGE
from tests.lab.linux_host import LinuxHost
from tests.lab.log_reader import read_until
from tests.lab.person import DockerPerson

from keywright.errors import InputError, Unreachable
from keywright_ops.logs.docker import STAMP, DockerSource, Way
from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.source import Source, Wish
from keywright_ops.logs.zones import UTC
from keywright_ops.targets.channel import Channel, guarded
from keywright_ops.targets.local import LocalTransport

pytestmark = pytest.mark.lab

DRIVERS = ("json-file", "local", "journald")
# A program that logs what it is told, and ends well.
ECHO = "trap 'exit 0' TERM; mkfifo /f 2>/dev/null; cat <>/f & wait"


class Scribe(NamedTuple):
    """A container that logs the lines that it is told; `docker` runs docker where its engine is."""

    name: str
    docker: tuple[str, ...]
    engine: Engine

    def run(self, *words: str, stdin: str = "", check: bool = True) -> str:
        """What docker prints."""
        return self.engine.run((*self.docker, *words), stdin=stdin, check=check).stdout

    def write(self, lines: Iterable[bytes]) -> None:
        """Have the program log these lines, and wait until docker has them."""
        text = b"".join(each + b"\n" for each in lines).decode()
        before = len(self.logged())
        self.run("exec", "-i", self.name, "sh", "-c", "cat >/f", stdin=text)
        await_true(lambda: len(self.logged()) >= before + text.count("\n"), "it is logged", 20)

    def logged(self, *options: str) -> list[str]:
        """The lines that `docker logs` has."""
        return self.run("logs", *options, self.name).splitlines()

    def source(self) -> DockerSource:
        """Ours, over the same engine."""
        words = self.docker

        def opened(argv: tuple[str, ...]) -> Channel:
            return Channel(guarded(_where(words, argv)))

        def asked(argv: tuple[str, ...]) -> object:
            return LocalTransport().run(_where(words, argv))

        return DockerSource(self.name, redis_form(UTC), Way(opened, asked), "dev")  # type: ignore[arg-type]

    def rig(self) -> Rig:
        """For the laws that every source holds."""
        return Rig(self.write, self.source, lambda raw: STAMP.sub(b"", raw, count=1), False)


def _where(docker: tuple[str, ...], argv: tuple[str, ...]) -> tuple[str, ...]:
    """The program where the engine is: before the word `docker` stand those that lead there."""
    return (*docker[:-1], *argv)


@pytest.fixture(scope="module")
def inner(hosts: Callable[..., LinuxHost], engine: Engine) -> LinuxHost:
    """A host with a Docker Engine of its own, and a journal."""
    host = hosts("keywright-lab-logs-journald")
    host.load_image(engine.add_redis())
    return host


@pytest.fixture(autouse=True)
def _environment(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.socket)
    monkeypatch.setenv("PATH", engine.environment["PATH"])


@pytest.fixture
def scribes(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Callable[..., Scribe]]:
    """Make containers that log: `scribes(driver, *options)`; they are removed."""
    made: list[Scribe] = []

    def make(driver: str, *options: str, script: str = ECHO) -> Scribe:
        docker: tuple[str, ...] = (DOCKER,)
        if driver == "journald":
            host = request.getfixturevalue("inner")
            docker = (DOCKER, "exec", "-i", host.name, "docker")
        scribe = Scribe(f"logs-scribe-{os.getpid()}-{len(made)}", docker, engine)
        words = ("run", "-d", "--name", scribe.name, "--log-driver", driver, *options)
        scribe.run(*words, engine.add_redis(), "sh", "-c", script)
        made.append(scribe)
        if script is ECHO:
            ready = ("exec", scribe.name, "test", "-p", "/f")
            await_true(lambda: _well(scribe, *ready), "the scribe listens", 20)
        return scribe

    yield make
    for scribe in made:
        scribe.run("rm", "-f", "-v", scribe.name, check=False)


def _well(scribe: Scribe, *words: str) -> bool:
    return scribe.engine.run((*scribe.docker, *words), check=False).returncode == 0


def shown(source: Source, wish: Wish) -> list[str]:
    """The lines as the program wrote them."""
    lines = [each for chunk in source.read(wish) for each in chunk.removesuffix(b"\n").split(b"\n")]
    return [source.form.parse(each).raw.decode() for each in lines]


def no_children() -> bool:
    """Nothing that a source started is left; whoever writes still looks a moment longer by docker logs."""

    def left() -> list[int]:
        return [pid for pid in children(os.getpid()) if b"docker" in _argv(pid)]

    await_true(lambda: not left(), "nothing is left")
    return True


def _argv(pid: int) -> bytes:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
    return words if b"logs" in words else b""


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_container_holds_the_laws_of_every_source(
    scribes: Callable[..., Scribe], driver: str
) -> None:
    """Every line once and in order, whole chunks, the last lines, silence told, nothing left running."""
    hold_read(scribes(driver).rig(), 200)
    hold_follow(scribes(driver).rig())
    assert no_children()


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_engine_picks_the_window_exactly(scribes: Callable[..., Scribe], driver: str) -> None:
    """since is the first line that is shown, until the first that is not: as docker logs tells the times."""
    scribe = scribes(driver)
    for number in range(6):
        scribe.write([line(number)])
    source = scribe.source()
    times = [source.form.parse(each.encode()).time or 0.0 for each in scribe.logged("--timestamps")]
    every = [line(number).decode() for number in range(6)]
    assert sorted(times) == times
    middle = [(one + two) / 2 for one, two in itertools.pairwise(times)]
    assert every[2:] == shown(source, Wish(since=middle[1]))
    assert every[:4] == shown(source, Wish(until=middle[3]))
    assert every[2:4] == shown(source, Wish(since=middle[1], until=middle[3]))
    assert every[2:4] == shown(source, Wish(since=middle[1], until=middle[3], tail=2))[-2:]
    assert abs(time.time() - times[-1]) < 60
    # beside the guide's: docker logs --since … --until …
    there = scribe.logged("--since", f"{middle[1]:.6f}", "--until", f"{middle[3]:.6f}")
    assert every[2:4] == there
    assert every == scribe.logged() == shown(source, Wish())
    assert every[-2:] == scribe.logged("--tail=2") == shown(source, Wish(tail=2))[-2:]


@pytest.mark.parametrize("driver", DRIVERS)
def test_following_goes_through_a_restart(scribes: Callable[..., Scribe], driver: str) -> None:
    """`docker logs -f` ends with the container; ours goes on with its next run, each line once."""
    scribe = scribes(driver)
    scribe.write([line(0)])
    following = scribe.source().follow(Wish())
    got: list[bytes] = []

    def until(count: int) -> None:
        deadline = time.monotonic() + 30
        while len(got) < count:
            assert time.monotonic() < deadline, got
            chunk = next(following)
            got.extend(scribe.rig().shown(each) for each in chunk.splitlines())

    until(1)
    scribe.write([line(1)])
    until(2)
    scribe.run("restart", "-t", "5", scribe.name)
    scribe.write([line(2)])
    until(3)
    following.close()  # type: ignore[attr-defined]
    assert [line(number) for number in range(3)] == got
    assert [line(number) for number in range(3)] == read(scribe.rig(), Wish())
    assert no_children()


def test_following_ends_when_the_container_is_removed(scribes: Callable[..., Scribe]) -> None:
    """Nothing can come any more: it ends by itself."""
    scribe = scribes("json-file")
    scribe.write([line(0)])
    following = scribe.source().follow(Wish())
    assert line(0) in next(following)
    scribe.run("rm", "-f", scribe.name)
    began = time.monotonic()
    assert b"" == b"".join(following)
    assert time.monotonic() - began < 20


def test_a_driver_that_keeps_nothing_says_so(scribes: Callable[..., Scribe]) -> None:
    """none, and a remote driver whose cache is off: one sentence, and what to do."""
    none = scribes("none", script="sleep 600").source()
    for attempt in (none.read, none.follow):
        with pytest.raises(InputError, match="keeps no log: its driver is none") as error:
            list(attempt(Wish()))
        assert "daemon.json" in error.value.hint
    away = ("--log-opt", "syslog-address=udp://127.0.0.1:514")
    remote = scribes("syslog", *away, "--log-opt", "cache-disabled=true", script="sleep 600")
    with pytest.raises(InputError, match="by the driver syslog: the syslog server has its lines"):
        list(remote.source().read(Wish()))
    # where Docker keeps a cache of its own, it is read
    cached = scribes("syslog", *away, script="echo kept; sleep 600")
    await_true(lambda: shown(cached.source(), Wish()) == ["kept"], "the cache has it")


def test_what_is_not_there_is_a_sentence(
    scribes: Callable[..., Scribe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that is gone, an engine that is away, no docker at all."""
    scribe = scribes("json-file")
    scribe.run("rm", "-f", scribe.name)
    for attempt in (scribe.source().read, scribe.source().follow):
        with pytest.raises(InputError, match=f"there is no container {scribe.name}") as error:
            list(attempt(Wish()))
        assert "keywright up -e dev" in error.value.hint
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    for attempt in (scribe.source().read, scribe.source().follow):
        with pytest.raises(Unreachable, match="no Docker Engine answers"):
            list(attempt(Wish()))


def test_the_server_itself_in_a_container(engine: Engine, scribes: Callable[..., Scribe]) -> None:
    """Redis' own lines have their level and the engine's time; standard error is read too, and a line that
    docker cuts and stamps in its middle is whole."""
    script = "redis-server --save '' & sleep 0.5; echo oops >&2; kill %1; wait"
    scribe = scribes("json-file", script=script)
    await_true(lambda: "oops" in shown(scribe.source(), Wish()), "it has logged", 20)
    source = scribe.source()
    lines = [
        source.form.parse(each) for chunk in source.read(Wish()) for each in chunk.splitlines()
    ]
    ready = next(each for each in lines if b"Ready to accept connections" in each.text)
    assert ("notice", "M") == (ready.level, ready.role)
    assert {"warning", "notice"} <= {each.level for each in lines}
    assert all(each.time for each in lines)
    long = scribes("json-file", script="head -c 50000 /dev/zero | tr '\\0' x; echo; sleep 600")
    await_true(lambda: shown(long.source(), Wish()) == ["x" * 50000], "the long line is whole", 20)


# --- the guide's commands, beside ours ----------------------------------------------------------

SETTINGS = """
app = "shop"
[env.dev]
image = "{image}"
publish = ""
[env.dev.insight]
image = "{insight}"
port = 8171
[env.prod]
image = "{image}"
insight.enabled = false
"""


class Deployed(NamedTuple):
    """The guide's development stack, brought up by Keywright."""

    person: DockerPerson

    def compose(self, *words: str) -> list[str]:
        """What the guide's `docker compose logs …` shows, without the services' names."""
        labels = self.person.inspect("shop-redis")["Config"]["Labels"]
        folder = self.person.project / "deployment" / "docker"
        begin = ("docker", "compose", "-p", labels["com.docker.compose.project"])
        file = ("-f", str(folder / "docker-compose.yml"))
        said = self.person.run(*begin, *file, "logs", "--no-color", "--no-log-prefix", *words)
        assert said.code == 0, said.text
        return said.out.splitlines()

    def logs(self, *words: str) -> list[str]:
        """What `keywright logs` shows."""
        said = self.person.say("logs", "-e", "dev", *words)
        assert said.code == 0, said.text
        return said.out.splitlines()


@pytest.fixture(scope="module")
def deployed(residents: Callable[..., DockerPerson]) -> Deployed:
    """The stack is up, has been restarted once, and has written a snapshot."""
    text = SETTINGS.format(image=OFFICIAL_IMAGE, insight=INSIGHT_IMAGE)
    found = Deployed(residents(text))
    up = found.person.say("up", "-e", "dev")
    assert up.code == 0, up.text
    found.person.engine.docker("restart", "shop-redis")
    with found.person.wire_to("shop-redis") as wire:
        wire.call("BGSAVE")
    await_true(lambda: "terminated with success" in "".join(found.compose("redis")), "saved", 20)
    return found


def grep(lines: list[str], pattern: str) -> list[str]:
    """The guide's `| grep -iE`."""
    return [each for each in lines if re.search(pattern, each, re.IGNORECASE)]


def test_the_guide_s_commands_show_the_same(deployed: Deployed) -> None:
    """All lines, the last ones, windows, patterns, levels: docker compose logs and keywright logs."""
    every = deployed.compose("redis")
    assert len(every) > 20
    assert every == deployed.logs()
    for theirs, ours in (
        (("--tail=10", "redis"), ("--tail", "10")),
        (("--since", "5m", "redis"), ("--since", "5m")),
        (("--since", "1h", "redis"), ("--since", "1h")),
        (("--since", "24h", "redis"), ("--since", "24h")),
        (("--since", "2025-01-11T10:00:00", "redis"), ("--since", "2025-01-11T10:00:00")),
        (("--since", "2025-01-11T10:00:00", "--until", "2025-01-11T12:00:00", "redis"),
         ("--since", "2025-01-11T10:00:00", "--until", "2025-01-11T12:00:00")),
    ):  # fmt: skip
        assert deployed.compose(*theirs) == deployed.logs(*ours), ours
    for pattern in ("warning", "ready|listening", "connection|auth|denied", "slow|latency|memory"):
        assert grep(every, pattern) == deployed.logs("--grep", pattern)
    left = deployed.logs("--exclude", "Background saving")
    assert [each for each in every if "Background saving" not in each] == left
    warnings = [each for each in every if re.match(r"\d+:\w .{24} # ", each)]
    assert warnings and warnings == deployed.logs("--level", "warning")
    assert grep(deployed.compose("--since", "1h", "redis"), "error") == deployed.logs(
        "--since", "1h", "--grep", "error"
    )


def test_times_are_docker_s_own(deployed: Deployed) -> None:
    """-t and --json tell when Docker took the line, whatever the container's own clock shows."""
    theirs = [each.split(" ")[0] for each in deployed.compose("--timestamps", "redis")]
    entries = [json.loads(each) for each in deployed.logs("--json")]
    ours = [each["time"] for each in entries]
    assert set(ours) <= {f"{each[:23]}Z" for each in theirs} | {_up(each) for each in theirs}
    assert {"redis"} == {each["service"] for each in entries}


def _up(stamp: str) -> str:
    """The stamp with its milliseconds rounded up."""
    return f"{stamp[:20]}{int(stamp[20:23]) + 1:03}Z"


def test_every_service_of_the_stack(deployed: Deployed) -> None:
    """RedisInsight's lines by themselves, and all together by name."""
    insight = deployed.logs("--service", "redisinsight")
    theirs = deployed.compose("redisinsight")
    assert theirs and theirs[: len(insight)] == insight[: len(theirs)]
    together = deployed.logs("--service", "all")
    assert {"redis", "redisinsight"} == {each.split()[0] for each in together}


def test_following_the_stack_sees_a_restart(deployed: Deployed) -> None:
    """docker-compose logs -f: what comes after it began, of both runs; Ctrl-C leaves nothing behind."""
    person = deployed.person
    child = person.start("logs", "-e", "dev", "-f", "-n", "1")
    try:
        await_true(lambda: bool(_below(child.pid)), "it follows", 30)
        time.sleep(1)
        with person.wire_to("shop-redis") as wire:
            wire.call("BGSAVE")
        person.engine.docker("restart", "shop-redis")
        with person.wire_to("shop-redis") as wire:
            wire.call("ACL", "LOG", "RESET")
            wire.call("BGSAVE")
        seen = read_until(
            child, "Ready to accept connections", "bye bye", "terminated with success"
        )
        assert 1 == seen.count("bye bye")
    finally:
        below = _below(child.pid)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
    assert 0 == child.returncode, (out, err)
    assert not [pid for pid in below if alive(pid)]


def _below(pid: int) -> list[int]:
    """The processes that it began, and theirs."""
    found = children(pid)
    return [*found, *(each for one in found for each in _below(one))]


def test_a_stack_that_was_never_up_says_so(deployed: Deployed) -> None:
    """One sentence and what to do."""
    said = deployed.person.say("logs", "-e", "prod")
    assert said.code == 2
    assert "there is no container shop-redis-prod" in said.err
    assert "keywright up -e prod" in said.err


def test_a_container_that_was_set_aside_belongs_to_the_story(
    engine: Engine, somebody: Callable[..., DockerPerson]
) -> None:
    """What `up` took over and renamed: its lines come first."""
    person = somebody(
        SETTINGS.replace("shop", "tale").format(image=OFFICIAL_IMAGE, insight=INSIGHT_IMAGE)
    )
    image = engine.add_redis()
    engine.docker("run", "--name", "tale-redis-before-keywright-1", image, "echo", "the older")
    engine.docker("run", "-d", "--name", "tale-redis", image, "sh", "-c", "echo newer; sleep 600")
    await_true(lambda: "newer" in engine.docker("logs", "tale-redis").stdout, "it logs")
    said = person.say("logs", "-e", "dev")
    shown = [each.split(None, 2)[-1] for each in said.out.splitlines()]
    assert ["older", "newer"] == [each.split()[-1] for each in shown], said.text
