"""`top` shows what the server does: live on a terminal, line by line in a pipe, and it leaves no trace."""

import json
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Callable
from fcntl import ioctl

import pytest
from tests.embedded.stranger import Person


class Terminal:
    """A person's terminal of 80×24, in which `top` runs."""

    def __init__(self, person: Person, *words: str) -> None:
        self.master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        environ = person.environ | {"TERM": "xterm-256color"}
        self.child = person.start(
            *words,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environ,
            text=False,
            start_new_session=True,
        )
        self.text = ""

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.master, keys.encode())

    def until(self, holds: Callable[[str], bool], limit: float = 20.0) -> str:
        """Read until what was shown since the last call holds something."""
        end, self.text = time.monotonic() + limit, ""
        while time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode("utf-8", "replace")
                except OSError:
                    break
            if holds(self.text):
                return self.text
        raise AssertionError(self.text[-3000:])

    def close(self) -> int:
        """Wait for the end, and hang up."""
        try:
            return self.child.wait(10)
        finally:
            self.child.kill()
            os.close(self.slave)
            os.close(self.master)


def test_a_terminal_shows_the_server_live(neighbour: Person) -> None:
    """Gauges and tables are shown, keys turn between them, and q leaves the terminal as it was."""
    terminal = Terminal(neighbour, "top", "--interval", "0.2")
    terminal.until(lambda text: "commands" in text and "memory" in text and "INFO" in text)
    terminal.type("2")
    terminal.until(
        lambda text: "keywright" in text and "address" in text
    )  # we are a client ourselves
    terminal.type("/nobody-is-called-so\r")
    terminal.until(lambda text: "no row holds that" in text)
    terminal.type("3")
    terminal.until(lambda text: "took" in text)
    terminal.type("?")
    terminal.until(lambda text: "turn the order round" in text)
    terminal.type("q")
    terminal.until(lambda text: "\033[?1049l" in text)
    after = termios.tcgetattr(terminal.slave)
    assert terminal.close() == 0
    assert after == terminal.before


def test_ctrl_c_leaves_it_quietly(neighbour: Person) -> None:
    """Ctrl-C is the usual way out: exit code 0, and the other screen is left."""
    terminal = Terminal(neighbour, "top", "--interval", "0.2")
    terminal.until(lambda text: "commands" in text)
    os.killpg(terminal.child.pid, 2)
    said = terminal.until(lambda text: "\033[?1049l" in text)
    assert "Traceback" not in said
    assert terminal.close() == 0


def test_it_outlives_a_restart_of_the_server(settled: Person) -> None:
    """While the server is away the screen says so; when it is back the numbers are."""
    terminal = Terminal(settled, "top", "--interval", "0.2")
    terminal.until(lambda text: "INFO" in text)
    assert settled.say("down", "--yes").code == 0
    terminal.until(lambda text: "no server of this environment runs" in text)
    assert settled.say("up").code == 0
    terminal.until(lambda text: ("INFO" in text and "up 0 s" in text) or "up 1 s" in text)
    terminal.type("q")
    assert terminal.close() == 0


def test_a_pipe_gets_lines(neighbour: Person) -> None:
    """In a pipe each look is a line under a heading, within 100 columns, and --count ends it."""
    said = neighbour.say("top", "--interval", "0.1", "--count", "3")
    head, *lines = said.out.splitlines()
    assert (said.code, 3) == (0, len(lines))
    assert head.split()[:5] == ["ops/s", "hits", "memory", "keys", "clients"]


def test_a_machine_gets_objects(neighbour: Person) -> None:
    """--json prints one object a look, with what was called in between."""
    said = neighbour.say("top", "--json", "--interval", "0.1", "--count", "2")
    objects = [json.loads(line) for line in said.out.splitlines()]
    assert [each["schema"] for each in objects] == ["keywright/top/1"] * 2
    assert "INFO" in {each["name"] for each in objects[1]["commands"]}
    assert objects[1]["maxmemory"] > objects[1]["used"] > 0


def test_the_viewer_may_watch(neighbour: Person) -> None:
    """Everything that the screen asks is among the viewer's rights."""
    said = neighbour.say("top", "--as", "viewer", "--interval", "0.1", "--count", "1")
    assert said.code == 0, said


@pytest.mark.parametrize("interval", ["0", "-1", "nan", "x"])
def test_an_impossible_pace_is_refused(neighbour: Person, interval: str) -> None:
    """A pace that makes no sense ends with 2 and a sentence."""
    assert neighbour.say("top", "--interval", interval).code == 2


def test_a_server_that_is_not_there_is_an_error(stranger: Person) -> None:
    """Without a server there is no screen: exit code 3."""
    assert stranger.say("top", "--count", "1").code == 3
