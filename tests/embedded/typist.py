"""Somebody at a terminal of their own, key by key: what they type, and what they see."""

import os
import pty
import re
import select
import subprocess
import time

from tests.embedded.stranger import Person

PATIENCE = 30.0  # seconds until what is awaited must be seen
STEERING = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|[=>()][0-9AB]?)")


class Typist:
    """A program on a terminal; use it as a context manager."""

    def __init__(self, person: Person, *words: str, **environ: str) -> None:
        self._leader, follower = pty.openpty()
        os.set_blocking(self._leader, False)
        environment = person.environ | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"} | environ
        self.child = person.start(
            *words,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            text=False,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: _own(follower),
        )
        os.close(follower)
        self.screen = ""
        self._seen = 0

    def type(self, text: str) -> None:
        """Press keys: Enter is \\r, Tab \\t, Ctrl-C \\x03."""
        os.write(self._leader, text.encode())

    def say(self, line: str) -> None:
        """Type a line and Enter."""
        self.type(f"{line}\r")

    def await_text(self, text: str) -> str:
        """Wait until the text stands on the screen, after what was awaited before; return what came."""
        deadline = time.monotonic() + PATIENCE
        while text not in self._fresh():
            assert time.monotonic() < deadline, f"{text!r} was never seen in:\n{self._fresh()}"
            self._look(0.05)
        begin = self._seen
        self._seen = self.screen.index(text, begin) + len(text)
        return self.screen[begin : self._seen]

    def _fresh(self) -> str:
        return self.screen[self._seen :]

    def _look(self, seconds: float) -> bool:
        if select.select([self._leader], [], [], seconds)[0]:
            try:
                told = os.read(self._leader, 65536)
            except OSError:  # the other side has gone
                return False
            self._raw = getattr(self, "_raw", "") + told.decode("utf-8", "replace")
            self.screen = STEERING.sub("", self._raw).replace("\r", "")
            return bool(told)
        return True

    def leave(self) -> int:
        """Wait until the program has ended; its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.child.poll() is None:
            assert time.monotonic() < deadline, f"it does not end:\n{self._fresh()}"
            self._look(0.05)
        while self._look(0.05) and select.select([self._leader], [], [], 0)[0]:
            pass
        assert "Traceback" not in self.screen
        return int(self.child.returncode)

    def __enter__(self) -> "Typist":
        return self

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self._leader)


def _own(follower: int) -> None:
    """Make the terminal the child's own, so that Ctrl-C reaches it."""
    import fcntl
    import termios

    fcntl.ioctl(follower, termios.TIOCSCTTY, 0)


def ended(child: "subprocess.Popen[str]", limit: float = PATIENCE) -> tuple[int, str, str]:
    """Wait for a program; its exit code and both streams."""
    out, err = child.communicate(timeout=limit)
    return child.returncode, out, err
