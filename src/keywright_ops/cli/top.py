"""`keywright top`: a running server, live. In a pipe one line a look, with --json one object a look."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from keywright.errors import InputError, KeywrightError, Unreachable
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.looking import looking, reach_one
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.top_keys import Keys
from keywright_ops.cli.top_screen import PLAIN_COLUMNS, PLAIN_WIDTHS, View, plain_line, screen
from keywright_ops.cli.top_tables import COLUMNS
from keywright_ops.ops.top.watch import CLIENTS, COMMANDS, SLOW, Seen, Watch

if TYPE_CHECKING:
    from rich.console import Console

TABLES = (COMMANDS, CLIENTS, SLOW)
PACES = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add top's own arguments."""
    parser.add_argument(
        "--interval", metavar="S", type=float, default=1.0, help="seconds between looks (1)"
    )
    parser.add_argument(
        "--count", metavar="N", type=int, default=0, help="end after so many lines (in a pipe)"
    )
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the live screen on a terminal, lines elsewhere, until it is left."""
    if not 0.1 <= arguments.interval <= 3600:
        raise InputError("--interval is seconds between 0.1 and 3600")
    if arguments.count < 0:
        raise InputError("--count is a number of lines", "without it they end with Ctrl-C")
    names = [name for name in (arguments.env or "").split(",") if name] or [None]
    try:
        if arguments.json or arguments.count or not (sys.stdin.isatty() and sys.stdout.isatty()):
            _lines(arguments, names[0])
        else:
            _Live(arguments, names).run()
    except KeyboardInterrupt:
        pass  # the usual way to leave what has no end
    return EXIT_WELL


def _lines(arguments: argparse.Namespace, name: str | None) -> None:
    """One line a look, as `redis-cli --stat` gives, until --count or Ctrl-C."""
    told = 0
    with reach_one(arguments, name) as reached:
        watch = Watch(reached.ask)
        while True:
            seen = watch.look()
            if seen is not None:
                _tell(arguments, seen, told)
                told += 1
                if told == arguments.count:
                    return
            time.sleep(arguments.interval)


def _tell(arguments: argparse.Namespace, seen: Seen, told: int) -> None:
    if arguments.json:
        import json

        called = [each._asdict() for each in seen.commands]
        line = {"schema": "keywright/top/1", **seen.reading._asdict(), "commands": called}
        print(json.dumps(line), flush=True)
        return
    if told % 20 == 0:
        print(" ".join(f"{n:>{w}}" for n, w in zip(PLAIN_COLUMNS, PLAIN_WIDTHS, strict=True)))
    cells = plain_line(seen.reading)
    print(" ".join(f"{c:>{w}}" for c, w in zip(cells, PLAIN_WIDTHS, strict=True)), flush=True)


class _Live:
    """The live screen: looks at its pace, draws after each look and each key."""

    def __init__(self, arguments: argparse.Namespace, names: list[str | None]) -> None:
        self._arguments, self._names = arguments, names
        self._at = 0
        self._view = View(pace=arguments.interval)
        self._seen: Seen | None = None
        self._trouble = ""

    def run(self) -> None:
        with reach_one(self._arguments, self._names[0]) as first:
            first.call("PING")  # what cannot be reached at all is an error, not a screen
            reached: Reached | None = first
            with Keys() as keys:
                while reached is not None:
                    reached = self._watch(reached, keys)

    def _watch(self, reached: Reached, keys: Keys) -> Reached | None:
        """Watch one server until it is left (None) or another environment is asked for."""
        from rich.console import Console

        console = Console(highlight=False)
        watch, due, self._seen = Watch(reached.ask), 0.0, None
        while True:
            now = time.monotonic()
            if now >= due and not self._view.held:
                self._look(watch)
                due = now + (self._view.pace if self._seen else 0.2)
            self._draw(console, reached)
            key = keys.wait(due - time.monotonic() if not self._view.held else 1.0)
            if key == "q" and self._view.typing is None:
                return None
            if key == "e" and self._view.typing is None and len(self._names) > 1:
                self._at = (self._at + 1) % len(self._names)
                reached.close()
                return reach_one(self._arguments, self._names[self._at])
            before = self._view
            self._view = pressed(before, key)
            if before.table != self._view.table:
                due = 0.0

    def _look(self, watch: Watch) -> None:
        try:
            self._seen = watch.look(self._view.table) or self._seen
            self._trouble = ""
        except Unreachable as error:  # it may come back: a restart is what one wants to watch
            self._trouble = str(error)
        except KeywrightError as error:
            self._trouble = f"{error}; {error.hint}" if error.hint else str(error)

    def _draw(self, console: "Console", reached: Reached) -> None:
        try:
            width, height = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            width, height = 80, 24
        app = reached.plan.application
        lines = screen(
            reached.plan, f"{app.host}:{app.port}", self._seen, self._view, width, height
        )
        if self._trouble:
            from rich.text import Text

            lines[1] = Text(f"  {self._trouble}"[:width], "bold red")
        with console.capture() as captured:
            for line in lines:
                console.print(line, end="\033[K\n", soft_wrap=True)
        text = captured.get().rstrip("\n").replace("\n", "\r\n")
        sys.stdout.write(f"\033[H{text}")
        sys.stdout.flush()


def pressed(view: View, key: str) -> View:
    """Return what a key makes of the view."""
    if view.typing is not None:
        return _typed(view, key)
    moves: dict[str, Callable[[], View]] = {
        "1": lambda: view._replace(table=COMMANDS, column=0, offset=0),
        "2": lambda: view._replace(table=CLIENTS, column=0, offset=0),
        "3": lambda: view._replace(table=SLOW, column=0, offset=0),
        "tab": lambda: _turned(view, 1),
        "shift-tab": lambda: _turned(view, -1),
        "right": lambda: _sorted(view, 1),
        ">": lambda: _sorted(view, 1),
        "left": lambda: _sorted(view, -1),
        "<": lambda: _sorted(view, -1),
        "down": lambda: view._replace(offset=view.offset + 1),
        "up": lambda: view._replace(offset=max(0, view.offset - 1)),
        "r": lambda: view._replace(reverse=not view.reverse),
        "/": lambda: view._replace(typing=""),
        "esc": lambda: view._replace(filter="", help=False, offset=0),
        "p": lambda: view._replace(held=not view.held),
        " ": lambda: view._replace(held=not view.held),
        "+": lambda: view._replace(pace=_paced(view.pace, -1)),
        "-": lambda: view._replace(pace=_paced(view.pace, 1)),
        "?": lambda: view._replace(help=not view.help),
        "h": lambda: view._replace(help=not view.help),
    }
    return moves[key]() if key in moves else view


def _typed(view: View, key: str) -> View:
    typing = view.typing or ""
    if key == "enter":
        return view._replace(filter=typing, typing=None, offset=0)
    if key == "esc":
        return view._replace(typing=None)
    if key == "backspace":
        return view._replace(typing=typing[:-1])
    return view._replace(typing=typing + key) if len(key) == 1 and key.isprintable() else view


def _turned(view: View, by: int) -> View:
    at = (TABLES.index(view.table) + by) % len(TABLES)
    return view._replace(table=TABLES[at], column=0, reverse=False, offset=0)


def _sorted(view: View, by: int) -> View:
    return view._replace(column=(view.column + by) % len(COLUMNS[view.table]), offset=0)


def _paced(pace: float, by: int) -> float:
    """The next pace of the list: `by` -1 looks more often."""
    if by < 0:
        return max((each for each in PACES if each < pace), default=PACES[0])
    return min((each for each in PACES if each > pace), default=PACES[-1])
