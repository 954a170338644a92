"""One line on standard error that is written over while something takes its time."""

import sys
import time

SILENT = 1.0  # seconds within which nothing is said


class LiveLine:
    """Shows progress on a terminal once it takes over a second; elsewhere nothing but `note`."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._live = not quiet and sys.stderr.isatty()
        self._begun = time.monotonic()
        self._shown = 0

    def show(self, text: str) -> None:
        """Write the line anew."""
        if not self._live or time.monotonic() - self._begun < SILENT:
            return
        line = f"  {text}"[:79]
        print(f"\r{line:<{self._shown}}", end="", file=sys.stderr, flush=True)
        self._shown = len(line)

    def end(self) -> None:
        """Remove the line."""
        if self._shown:
            print(f"\r{'':<{self._shown}}\r", end="", file=sys.stderr, flush=True)
            self._shown = 0

    def note(self, text: str) -> None:
        """Say something that stays, on a terminal or not."""
        if not self._quiet:
            self.end()
            print(f"  {text}", file=sys.stderr, flush=True)
