"""The terminal while a live screen is shown: keys come one by one, and everything is put back after it."""

import os
import select
import sys
import termios
import tty
from types import TracebackType
from typing import Self

ENTER, LEAVE = "\033[?1049h\033[?25l", "\033[?25h\033[?1049l"  # another screen, no cursor; and back
ESCAPES = {"[C": "right", "[D": "left", "[A": "up", "[B": "down", "[Z": "shift-tab"}
NAMES = {
    "\t": "tab",
    "\r": "enter",
    "\n": "enter",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x03": "q",
}


class Keys:
    """Reads keys from standard input; use it as a context manager."""

    def __init__(self) -> None:
        self._input = sys.stdin.fileno()
        self._kept = termios.tcgetattr(self._input)

    def __enter__(self) -> Self:
        tty.setcbreak(self._input)
        sys.stdout.write(ENTER)
        sys.stdout.flush()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        termios.tcsetattr(self._input, termios.TCSADRAIN, self._kept)
        sys.stdout.write(LEAVE)
        sys.stdout.flush()

    def wait(self, seconds: float) -> str:
        """Wait at most so long for a key; return its name (a character, left, tab, esc …), "" for none."""
        ready, _, _ = select.select([self._input], [], [], max(0.0, seconds))
        if not ready:
            return ""
        first = os.read(self._input, 1).decode("utf-8", "replace")
        if not first:
            return "q"  # the terminal has gone
        if first != "\033":
            return NAMES.get(first, first)
        rest = ""
        while len(rest) < 8 and select.select([self._input], [], [], 0.02)[0]:
            rest += os.read(self._input, 1).decode("utf-8", "replace")
            if rest[-1:].isalpha() or rest[-1:] == "~":
                break
        return ESCAPES.get(rest, "" if rest else "esc")
