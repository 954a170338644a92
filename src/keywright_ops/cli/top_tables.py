"""The tables below the gauges: commands, clients, slow log; sorted and filtered as a person chose."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

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
    if not width:
        return text
    return text[: width - 1] + "…" if len(text) > width else text.ljust(width)


def _commands(seen: Seen) -> list[list[Cell]]:
    whole = sum(each.busy for each in seen.commands) or 1.0
    return [
        [
            (f"{each.busy * 100 / whole:.1f} %", each.busy),
            (f"{each.calls:,.1f}", each.calls),
            (f"{each.each:,.1f}", each.each),
            (each.name, each.name),
        ]
        for each in seen.commands
    ]


def _clients(seen: Seen) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for each in seen.clients:
        idle, memory = int(each.get("idle", 0)), int(each.get("tot-mem", 0))
        command = each.get("cmd", "").replace("|", " ")
        texts = (each.get("user", ""), command, each.get("name", ""), each.get("addr", ""))
        shown = size(memory) if memory else "?"
        rows.append([(duration(idle), idle), (shown, memory), *((text, text) for text in texts)])
    return rows


def _slow(seen: Seen) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    now = time.time()
    for entry in seen.slow:
        _, when, took, words, *who = entry
        client = str((who[1] if len(who) > 1 and who[1] else who[0]) if who else "")
        words = " ".join(repr(str(word))[1:-1] for word in words)
        rows.append(
            [
                (duration(max(0, int(now - when))), when),
                (took_text(took), took),
                (client, client),
                (words, words),
            ]
        )
    return rows


def took_text(microseconds: int) -> str:
    """A short time as people read it: 950 µs, 12.3 ms, 1.4 s."""
    if microseconds < 1000:
        return f"{microseconds} µs"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.1f} ms"
    return f"{microseconds / 1_000_000:.1f} s"
