"""The server outlives whoever started it, and is found again whatever happened to its traces."""

import os
import signal
import subprocess
import sys

import pytest
from tests.embedded.stranger import Person, alive, await_true, children, end, on_terminal
from tests.embedded.test_not_its_own import VALKEY
from tests.ports import free_port


def test_outlives_the_terminal(stranger: Person) -> None:
    """Law: closing the terminal (SIGHUP to its session) leaves the server running."""
    code, screen = on_terminal(stranger, "up", answers={})
    assert code == 0, screen
    [pid] = stranger.pids()
    assert os.getsid(pid) == pid
    assert alive(pid)
    assert stranger.say("status").code == 0


def test_outlives_a_killed_parent(settled: Person) -> None:
    """Law: a signal to the whole group of the shell that ran `up` does not reach the server."""
    settled.say("down")
    shell = settled.start("up", start_new_session=True)
    assert shell.wait() == 0
    [pid] = settled.pids()
    with pytest.raises(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGKILL)
    assert alive(pid)
    assert os.getpgid(pid) == pid


def test_killed_and_found_gone(settled: Person) -> None:
    """Law: after kill -9 status says so (3), check too (3), and up brings the same data back."""
    settled.ask("SET", "kept", "1")
    settled.ask("WAITAOF", "1", "0", "1000")
    end(settled.pids()[0])
    said = settled.say("status")
    assert (said.code, "not running" in said.out) == (3, True)
    said = settled.say("check")
    assert said.code == 3
    assert "no server of environment local runs" in said.err
    assert "keywright up" in said.err
    said = settled.say("up")
    assert said.code == 0
    assert settled.ask("GET", "kept") == "1"


@pytest.mark.parametrize("lie", ["", "deleted", "rubbish", "0", "-1", "99999999999999999999", "1"])
def test_pid_file_lies(neighbour: Person, lie: str) -> None:
    """Law: the pid file is a short cut, never the proof: the server is found without it."""
    path = neighbour.state / "server.pid"
    before = path.read_text()
    path.unlink() if lie == "deleted" else path.write_text(lie)
    try:
        said = neighbour.say("up")
        assert (said.code, "nothing to do" in said.out) == (0, True)
        assert neighbour.pids() == [int(before)]
    finally:
        path.write_text(before)


@pytest.mark.parametrize("argv", [("sleep", "60"), (str(VALKEY), "--save", "", "--port")])
def test_pid_file_names_a_stranger(settled: Person, argv: tuple[str, ...]) -> None:
    """Law: a pid file that names another process of ours, be it a server, does not get it ended."""
    port = () if argv[0] == "sleep" else (str(free_port()),)
    sleeper = subprocess.Popen((*argv, *port), stdout=subprocess.DEVNULL, cwd=settled.root)
    try:
        (settled.state / "server.pid").write_text(str(sleeper.pid))
        assert settled.say("down").code == 0
        assert settled.pids() == []
        (settled.state / "server.pid").write_text(str(sleeper.pid))
        assert settled.say("down").code == 0
        assert settled.say("status").code == 3
        assert sleeper.poll() is None
        assert settled.say("up").code == 0
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_pid_file_names_a_zombie(settled: Person) -> None:
    """Law: a process that has ended and is not reaped yet is not taken for the server."""
    pid = settled.pids()[0]
    settled.say("down")
    zombie = subprocess.Popen([sys.executable, "-c", "pass"])
    await_true(lambda: not alive(zombie.pid), "the child ends")
    (settled.state / "server.pid").write_text(str(zombie.pid))
    assert settled.say("status").code == 3
    assert settled.say("up").code == 0
    assert settled.pids() != [pid]
    zombie.wait()


def test_after_a_reboot(settled: Person) -> None:
    """Law: server gone, pid file, lock and socket still there: up starts it again, proven."""
    settled.ask("SET", "kept", "1")
    settled.ask("WAITAOF", "1", "0", "1000")
    end(settled.pids()[0])
    (settled.state / "lock").write_text("keywright up, process 1\n")
    said = settled.say("up")
    assert said.code == 0, said
    assert settled.ask("GET", "kept") == "1"


def test_snapshot_child_is_not_the_server(settled: Person) -> None:
    """Law: while a child writes a snapshot, `down` ends the server and not the child."""
    settled.fill(5000)
    settled.ask("CONFIG", "SET", "rdb-key-save-delay", "1000")
    pid = settled.pids()[0]
    settled.ask("BGSAVE")
    [child] = children(pid)
    (settled.state / "server.pid").unlink()
    said = settled.say("status", "--json")
    assert said.code == 0
    (settled.state / "server.pid").write_text(str(child))
    assert settled.say("down").code == 0
    assert not alive(pid)
