"""The tables below the gauges: commands, clients, slow log; sorted and filtered as a person chose."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

from keywright_ops.cli.figures import micros, shortened, visible
from keywright_ops.cli.show import duration, size
from keywright_ops.ops.top.watch import CLIENTS, COMMANDS, SLOW, Seen

Cell = tuple[str, float | str]  # what is shown, and what is sorted by


class Row(NamedTuple):
    """Which column sorts, in which order, which rows are shown (those that hold `only`), from where on."""

    column: int
    reverse: bool
    only: str
    offset: int


class Column(NamedTuple):
    """A heading, its width (0: what is left), and whether greater values come first."""

    name: str
    width: int
    falling: bool = True


COLUMNS = {
    COMMANDS: (
        Column("share", 7), Column("calls/s", 10), Column("µs/call", 9), Column("command", 0, False),
    ),
    CLIENTS: (
        Column("idle", 7, False), Column("memory", 9), Column("user", 9, False),
        Column("command", 11, False), Column("name", 15, False), Column("address", 0, False),
    ),
    SLOW: (
        Column("ago", 11), Column("took", 10), Column("client", 22, False), Column("command", 0, False),
    ),
}  # fmt: skip


def table(seen: Seen, name: str, choice: Row, width: int, room: int) -> list[Text]:
    """Return heading and rows of a table, at most `room` lines."""
    columns = COLUMNS[name]
    at = choice.column % len(columns)
    rows = {COMMANDS: _commands, CLIENTS: _clients, SLOW: _slow}[name](seen)
    wanted = choice.only.lower()
    rows = [row for row in rows if wanted in " ".join(cell[0] for cell in row).lower()]
    falling = columns[at].falling != choice.reverse
    rows.sort(key=lambda row: row[at][1], reverse=falling)
    lines = [_heading(columns, at, falling)]
    first = min(choice.offset, max(0, len(rows) - room + 1))
    lines += [_row(columns, row, width) for row in rows[first : first + room - 1]]
    if not rows:
        lines.append(Text("  " + (seen.denied.get(name) or _nothing(name, wanted)), "dim"))
    return lines[: max(0, room)]


def _nothing(name: str, wanted: str) -> str:
    if wanted:
        return "no row holds that; esc shows all"
    return {COMMANDS: "no command came", CLIENTS: "nobody", SLOW: "the slow log is empty"}[name]


def _heading(columns: Sequence[Column], at: int, falling: bool) -> Text:
    line = Text("  ")
    for number, column in enumerate(columns):
        name = column.name + (("▾" if falling else "▴") if number == at else "")
        line.append(_fit(name, column.width) + " ", "bold" if number == at else "dim")
    return line


def _row(columns: Sequence[Column], row: Sequence[Cell], width: int) -> Text:
    left = width - 2 - sum(column.width + 1 for column in columns if column.width)
    cells = [_fit(cell[0], column.width or left) for column, cell in zip(columns, row, strict=True)]
    return Text("  " + " ".join(cells))


def _fit(text: str, width: int) -> str:
    return shortened(text, width).ljust(width) if width else text


def _commands(seen: Seen) -> list[list[Cell]]:
    return [
        [
            (f"{each.share * 100:.1f} %", each.share),
            (f"{each.calls:,.1f}", each.calls),
            (f"{each.usec_per_call:,.1f}", each.usec_per_call),
            (each.name, each.name),
        ]
        for each in seen.commands
    ]


def _clients(seen: Seen) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for each in seen.clients:
        texts = map(visible, (each.user, each.command, each.name, each.address))
        shown = size(each.memory) if each.memory else "?"
        rows.append(
            [
                (duration(each.idle), each.idle),
                (shown, each.memory),
                *((text, text) for text in texts),
            ]
        )
    return rows


def _slow(seen: Seen) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    now = time.time()
    for each in seen.slow:
        client, words = visible(each.name or each.address), visible(" ".join(each.words))
        rows.append(
            [
                (duration(max(0, int(now - each.when))), each.when),
                (micros(each.amount), each.amount),
                (client, client),
                (words, words),
            ]
        )
    return rows
