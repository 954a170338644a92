"""What a reader of .env files found: entries with line numbers, lines it skipped, or a refusal."""

from collections.abc import Mapping
from typing import NamedTuple

Lookup = Mapping[str, str]


class Entry(NamedTuple):
    """One variable as one reader sees it. `line` counts from 1; `expanded` names the variables that
    were put in its place."""

    name: str
    value: str
    line: int
    expanded: tuple[str, ...] = ()


class Skipped(NamedTuple):
    """A line that the reader leaves out; `why` completes "line N is skipped: …"."""

    line: int
    why: str


class Reading(NamedTuple):
    """What one reader makes of a file.

    `refused` is "" or why the reader takes nothing from the file at all ("line N …"); the sentence
    holds no value.
    """

    entries: tuple[Entry, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    refused: str = ""

    def values(self) -> dict[str, str]:
        """Name to value; the last entry of a name counts, as in every reader."""
        return {entry.name: entry.value for entry in self.entries}


class Refusal(Exception):
    """Inside a reader: the whole file is refused; never leaves it."""


def line_of(text: str, position: int) -> int:
    """The line number, from 1, of a place in a text."""
    return text.count("\n", 0, position) + 1
