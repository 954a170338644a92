"""Somebody at a terminal of their own, key by key: what they type, and what they see."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable

from tests.embedded.screen import COLUMNS, ROWS, Screen
from tests.embedded.stranger import Person

PATIENCE = 30.0  # seconds until what is awaited must be seen


class Typist:
    """A program on a terminal; use it as a context manager."""

    def __init__(self, person: Person, *words: str, **environ: str) -> None:
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = person.environ | {"TERM": "xterm"} | environ
        self.child = person.start(
            *words,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            text=False,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: _prepare(follower),
        )
        os.close(follower)
        self.screen = Screen()
        self.said = b""
        self._from = 0

    def type(self, text: str) -> None:
        """Press keys: Enter is \\r, Tab \\t, Ctrl-C \\x03."""
        os.write(self._leader, text.encode())

    def say(self, line: str) -> None:
        """Type a line, see it, and press Enter; what is awaited then comes after it."""
        self.type(line)
        # what the history suggests may stand behind it
        self._wait(lambda: line.rstrip() in self.screen.line, f"{line!r} is not echoed")
        before = self.screen.place
        self.type("\r")
        self._wait(
            lambda: self.screen.place != before or not self.screen.line, "Enter does nothing"
        )
        self._from = before + 1 if self.screen.place > before else 0

    def await_text(self, text: str) -> str:
        """Wait until the text is seen below the last line that was said; return what is there."""
        self._wait(lambda: text in self.screen.since(self._from), f"{text!r} is not seen")
        return self.screen.since(self._from)

    def await_line(self, text: str) -> None:
        """Wait until the line at the cursor reads so."""
        self._wait(lambda: self.screen.line == text, f"{text!r} is not the line")

    def _wait(self, question: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not question():
            assert time.monotonic() < deadline, f"{otherwise}:\n{self.screen.text}"
            self._look(0.05)

    def _look(self, seconds: float) -> bool:
        """Read what comes within so many seconds; whether there was anything."""
        if not select.select([self._leader], [], [], seconds)[0]:
            return False
        try:
            told = os.read(self._leader, 65536)
        except OSError:  # the other side has gone
            return False
        self.said += told
        self.screen.feed(told.decode("utf-8", "replace"))
        if self.screen.answer:
            self.type(self.screen.answer)
            self.screen.answer = ""
        return bool(told)

    def leave(self) -> int:
        """Wait until the program has ended; its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.child.poll() is None:
            assert time.monotonic() < deadline, f"it does not end:\n{self.screen.text}"
            self._look(0.05)
        while self._look(0.05):
            pass
        assert b"Traceback" not in self.said
        return int(self.child.returncode)

    def __enter__(self) -> "Typist":
        return self

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self._leader)


def ended(child: "subprocess.Popen[str]", limit: float = PATIENCE) -> tuple[int, str, str]:
    """Wait for a program; its exit code and both streams."""
    out, err = child.communicate(timeout=limit)
    return child.returncode, out, err


def heed() -> None:
    """Ctrl-C is heeded, also where the tests run in the background of a script, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _prepare(follower: int) -> None:
    heed()
    fcntl.ioctl(
        follower, termios.TIOCSCTTY, 0
    )  # the terminal is its own, so that Ctrl-C reaches it
