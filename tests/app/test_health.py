"""Health: what is asked, how long it may take, and what a load balancer and a person are told."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.app.conftest import emptied, start
from tests.app.faces import driven
from tests.engines.servers import ENGINES, Server
from tests.ports import free_port

from keywright.endpoint import Endpoint
from keywright.errors import Unreachable
from keywright.health import AsyncHealth, Health, HealthReport, health_response, live_response
from keywright.secret import Secret
from keywright.settings import Settings

Make = Callable[..., Any]


@pytest.fixture(params=["threads", "asyncio"])
def health(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Make checks of either kind, called the same way."""
    made: list[Any] = []

    def make(source: Any, **named: Any) -> Any:
        named = {"key": "esabcfg:health", **named}
        if request.param == "threads":
            return Health(source, **named)
        made.append(driven(AsyncHealth(source, **named)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_well(health: Make, server: Server, endpoint: Endpoint) -> None:
    """A server that is well: ready, named, the key written with a time to live."""
    report = health(endpoint).check()
    assert ("pass", (), "master") == (report.status, report.problems, report.role)
    assert report.server.split()[0] in ("redis", "valkey")
    with server.line() as line:
        assert 0 < line.ask("TTL", "esabcfg:health") <= 60
    assert health_response(report) == (200, {"status": "pass"})
    told = health_response(report, authorised=True)[1]["checks"]["redis:responseTime"][0]
    assert told["server"] == report.server and told["observedUnit"] == "ms"
    assert live_response() == (200, {"status": "pass"})


def test_nobody_there(health: Make) -> None:
    """Refused: not ready, one sentence and what to do; a load balancer learns no more than the status."""
    one = health(Endpoint(port=free_port()))
    report = one.check()
    assert report.status == "fail" and "nobody listens" in report.problems[0].sentence
    assert health_response(report) == (503, {"status": "fail"})
    assert "nobody listens" in str(health_response(report, authorised=True))
    with pytest.raises(Unreachable, match="Redis is not ready: nobody listens"):
        one.check_on_start()


def test_never_longer_than_its_time(health: Make, debian: Server) -> None:
    """A server that stands still, and a name service that hangs, are told within the time-out."""
    one = health(emptied(debian), timeout=0.3)
    assert one.check().ready
    os.kill(debian.process.pid, signal.SIGSTOP)
    try:
        for _ in range(2):
            begun = time.monotonic()
            report = one.check()
            assert time.monotonic() - begun < 1.0
            assert "did not answer within 0.3 s" in report.problems[0].sentence
    finally:
        os.kill(debian.process.pid, signal.SIGCONT)
    deadline = time.monotonic() + 5
    while not one.check().ready:
        assert time.monotonic() < deadline


def test_a_name_service_that_hangs(health: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up the name takes for ever: the check does not."""
    monkeypatch.setattr("socket.getaddrinfo", _hangs)
    begun = time.monotonic()
    report = health(Endpoint(host="cache.example"), timeout=0.2).check()
    assert time.monotonic() - begun < 1.0
    assert not report.ready


def _hangs(*_: object, **__: object) -> None:
    time.sleep(1.5)
    raise OSError("no name service")


@pytest.mark.parametrize(
    ("lines", "word", "ready"),
    [
        (("user default on resetpass >x",), "password", False),
        (("maxmemory 100kb", "maxmemory-policy noeviction"), "", False),
        (("replicaof 127.0.0.1 1",), "", False),
        (("user default on nopass ~* +@all -set",), "", False),
    ],
)
def test_what_is_wrong_is_named(
    health: Make, tmp_path: Path, lines: tuple[str, ...], word: str, ready: bool
) -> None:
    """No password, full, a replica, no rights: told with a hint, and not ready."""
    engine = next(each for each in ENGINES if each.program)
    port = free_port()
    kept = [line for line in lines if not line.startswith("user")]
    with start(engine, tmp_path, port, *kept) as server:
        if lines[0].startswith("user"):
            with server.line() as line:
                line.ask("ACL", "SETUSER", *lines[0].split()[1:])
        report = health(Endpoint(port=port)).check()
        assert report.ready is ready
        assert report.problems[0].hint, report
        assert word in report.problems[0].sentence


def test_a_wrong_password_is_not_shown(health: Make, debian: Server) -> None:
    """What is said of a refused login holds no password."""
    place = Endpoint(port=debian.port, username="nobody", password=Secret("wrong-4711"))
    report = health(place).check()
    assert not report.ready and "4711" not in str(report)


def test_two_at_once_are_both_well(debian: Server) -> None:
    """Who asks while another asks is told the same, and what others write to the key is no fault."""
    place, found = emptied(debian), list[bool]()
    one, other = (Health(place, key="esabcfg:health", timeout=5) for _ in range(2))

    def ask(health: Health) -> None:
        for _ in range(50):
            found.append(health.check().ready)

    threads = [threading.Thread(target=ask, args=(each,)) for each in (one, one, other, other)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [True] * 200


def test_an_applications_user(health: Make, server: Server, endpoint: Endpoint) -> None:
    """A user who may not send what is dangerous (INFO, ROLE) learns server, version and role all the same."""
    with server.line() as line:
        line.ask("ACL", "SETUSER", "app", "on", ">pw", "~esabcfg:*", "+@all", "-@dangerous")
    place = endpoint._replace(username="app", password=Secret("pw"))
    report = health(place).check()
    assert (report.status, report.role, report.problems) == ("pass", "master", ())
    assert report.server.partition(" ")[2].count(".") == 2
    elsewhere = health(place, key="others:health").check()
    assert not elsewhere.ready and elsewhere.problems[0].hint


def test_one_round_trip(health: Make, server: Server, endpoint: Endpoint) -> None:
    """A check is four commands in one write; nothing else is sent once it is connected."""
    one = health(endpoint)
    one.check()
    with server.line() as line:
        line.ask("CONFIG", "RESETSTAT")
        assert one.check().ready
        said = line.ask("INFO", "commandstats")
    counted = dict(re.findall(r"cmdstat_(\S+?):calls=(\d+)", said))
    counted.pop("config|resetstat", None), counted.pop("config", None)
    assert counted == {"set": "1", "get": "1", "hello": "1", "info": "1"}


def test_a_disk_that_takes_no_snapshot(health: Make, tmp_path: Path) -> None:
    """MISCONF: the server takes no writes, which is told with what to do."""
    engine = next(each for each in ENGINES if each.program)
    port, folder = free_port(), tmp_path / "folder.rdb"
    with start(engine, tmp_path, port, "dbfilename folder.rdb") as server, server.line() as line:
        line.ask("CONFIG", "SET", "save", "100000 1000000")
        folder.mkdir()  # one with something in it is not replaced by a file
        (folder / "x").touch()
        line.ask("BGSAVE")
        deadline = time.monotonic() + 10
        while "rdb_last_bgsave_status:ok" in line.ask("INFO", "persistence"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        report = health(Endpoint(port=port)).check()
        line.ask("CONFIG", "SET", "save", "")  # else it would not end
    assert not report.ready
    assert report.problems[0].hint


def test_killed_and_back(health: Make, tmp_path: Path) -> None:
    """A server that was killed is told at once, and found again by the same check."""
    engine = next(each for each in ENGINES if each.program)
    port = free_port()
    with start(engine, tmp_path, port) as server:
        one = health(Endpoint(port=port))
        assert one.check().ready
        server.process.kill()
        server.process.wait()
        assert not one.check().ready
    with start(engine, tmp_path, port):
        assert one.check().ready


def test_a_client_of_somebody(debian: Server) -> None:
    """A redis-py client may be asked instead."""
    client = redis.Redis(port=debian.port)
    report = Health(Endpoint(), client=client, key="esabcfg:health").check()
    assert report.status == "pass"
    client.close()


def test_switched_off() -> None:
    """Without Redis the application is ready, with a remark; at the start nobody is asked if so said."""
    off = Settings.from_env({"ENABLE_REDIS_CACHING": "false"})
    assert Health(off).check().status == "warn"
    silent = Settings.from_env({"REDIS_HEALTHCHECK_ON_START": "false", "REDIS_PORT": "1"})
    assert Health(silent).check_on_start() is None


def test_the_shape_of_a_warning() -> None:
    """Ready with a doubt is 200 and warn."""
    report = HealthReport(True, 0.001, server="redis 7")
    assert health_response(report._replace(problems=Health(OFF_SETTINGS).check().problems)) == (
        200,
        {"status": "warn"},
    )


OFF_SETTINGS = Settings.from_env({"ENABLE_REDIS_CACHING": "false"})
