"""A server that does not answer (suspended, busy, loading, not ours): bounded time, a clear sentence."""

import http.server
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.embedded.stranger import Person, await_true
from tests.embedded.test_not_its_own import VALKEY


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The block takes no longer."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


@pytest.fixture
def suspended(settled: Person) -> Iterator[Person]:
    """A person whose server somebody stopped with SIGSTOP."""
    [pid] = settled.pids()
    os.kill(pid, signal.SIGSTOP)
    yield settled
    for each in settled.pids():
        os.kill(each, signal.SIGCONT)


def test_suspended(suspended: Person) -> None:
    """Law: every verb says `suspended` and the way out (3); up lets the server go on."""
    [pid] = suspended.pids()
    for verb in ("status", "check", "info", "down", "restart"):
        with within(5):
            said = suspended.say(verb)
        assert said.code == 3, (verb, said)
        assert f"(process {pid}) is suspended" in said.text
    with within(5):
        assert suspended.say("diff").code == 0
    with within(10):
        said = suspended.say("up")
    assert said.code == 0, said
    assert "go on" in said.out
    assert suspended.pids() == [pid]


def test_busy(settled: Person) -> None:
    """Law: a server that is busy is not ended by up; status and up say that it does not answer (3)."""
    before = settled.identity()
    script = "local t = redis.call('TIME')[1] while redis.call('TIME')[1] - t < 60 do end"
    with settled.wire() as wire:
        wire.link.sendall(
            b"*3\r\n$4\r\nEVAL\r\n$%d\r\n%s\r\n$1\r\n0\r\n" % (len(script), script.encode())
        )
        time.sleep(0.1)
        for verb in ("status", "up"):
            with within(20):
                said = settled.say(verb)
            assert said.code == 3, (verb, said)
            assert "Traceback" not in said.text
            assert "busy" in said.text.lower() or "did not answer" in said.text
    settled.ask("SCRIPT", "KILL")
    await_true(lambda: settled.say("status").code == 0, "it answers again")
    assert settled.identity() == before


def test_loading(settled: Person) -> None:
    """Law: a server that is still loading is waited for by up; check says that it loads (3)."""
    settled.fill(3000)
    settled.ask("BGREWRITEAOF")
    await_true(lambda: settled.info()["aof_rewrite_in_progress"] == "0", "the rewrite ends")
    assert settled.say("down").code == 0
    conf = settled.state / "redis.conf"
    conf.write_text(
        conf.read_text() + "key-load-delay 1000\nloading-process-events-interval-bytes 1024\n"
    )
    with open(settled.state / "server.log", "ab") as log:
        subprocess.Popen([str(VALKEY), str(conf)], stdout=log, stderr=log, cwd=settled.state)
    await_true(settled.pids, "it runs")
    await_true(lambda: settled.say("status").code == 0, "it answers while it loads")
    said = settled.say("check")
    assert (said.code, "loading" in said.err) == (3, True), said
    said = settled.say("up")
    assert said.code == 0, said.out
    assert "has loaded its data" in said.out
    assert settled.ask("DBSIZE") == 3000


def test_wrong_service_on_the_port(stranger: Person) -> None:
    """Law: a web server on the declared port is named as its holder."""
    assert stranger.say("up").code == 0
    assert stranger.say("down").code == 0
    server = http.server.HTTPServer(
        ("127.0.0.1", stranger.port), http.server.BaseHTTPRequestHandler
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        for verb, code in (("status", 3), ("check", 3), ("info", 3), ("down", 0), ("up", 1)):
            with within(10):
                said = stranger.say(verb)
            assert said.code == code, (verb, said)
        assert "is taken by python" in said.err
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_server_that_will_not_end(settled: Person) -> None:
    """Law: a server that refuses SIGTERM (it cannot save) is told within seconds, with its last words."""
    settled.declare('save = ["3600 1"]', "appendonly = false")
    assert settled.say("up").code == 0
    settled.fill(3)
    data = settled.state / "data"
    data.rename(settled.state / "gone")
    (settled.state / "gone" / "dump.rdb").unlink(missing_ok=True)
    (settled.state / "gone" / "dump.rdb").mkdir()
    (settled.state / "gone" / "dump.rdb" / "x").mkdir()
    with within(30):
        said = settled.say("down")
    assert said.code == 1, said
    assert "last words" in said.err
    assert settled.ask("DBSIZE") == 3
