"""The shell's history: a file that only its owner reads, one per environment, without secrets."""

import os
from collections.abc import Iterable

from prompt_toolkit.history import History

from keywright_ops.cli.shell import ENDS
from keywright_ops.facts.command_line import keeps

NAME = "shell-history"
MOST_LINES = 5000


class KeptHistory(History):
    """Lines that were typed, newest first; what must not be kept is not remembered at all."""

    def __init__(self, home: str) -> None:
        super().__init__()
        self._path = f"{home}/{NAME}"

    def append_string(self, string: str) -> None:
        """Remember a line, unless it holds a secret, begins with a blank, or only leaves."""
        if keeps(string) and string.strip().lower() not in ENDS:
            super().append_string(string)

    def load_history_strings(self) -> Iterable[str]:
        """Return the lines of the file, newest first."""
        try:
            with open(self._path, "rb") as file:
                lines = file.read().decode("utf-8", "surrogateescape").split("\n")
        except OSError:
            return []
        lines = [line for line in lines if line]
        if len(lines) > 2 * MOST_LINES:
            self._rewrite(lines[-MOST_LINES:])
        return lines[: -MOST_LINES - 1 : -1]

    def store_string(self, string: str) -> None:
        """Add a line to the file."""
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            number = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(number, "ab") as file:
                os.fchmod(number, 0o600)
                file.write(string.replace("\n", " ").encode("utf-8", "surrogateescape") + b"\n")
        except OSError:  # a full disk keeps nobody from typing
            pass

    def _rewrite(self, lines: list[str]) -> None:
        """Keep the newest lines alone."""
        fresh = f"{self._path}.new"
        try:
            number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(number, "wb") as file:
                file.write("\n".join((*lines, "")).encode("utf-8", "surrogateescape"))
            os.replace(fresh, self._path)
        except OSError:
            pass
