"""`keywright keys [PATTERN]`: names one a line for a pipe, a table for a person; bulk delete and expire."""

import argparse
import sys
import time
from typing import Any

from keywright.errors import InputError
from keywright_ops.actions.keys import Keys, keys
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.amounts import bound, glob, milliseconds, octets, share
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.live_line import LiveLine
from keywright_ops.cli.looking import looking, over
from keywright_ops.cli.show import BOLD, DIM, coloured, duration, size
from keywright_ops.facts.escapes import shown
from keywright_ops.ops.keyspace.scan import IDLE, MEMORY, Row
from keywright_ops.ops.keyspace.wanted import SORTS, Wanted

ON_TERMINAL = 100  # keys that a person is shown at once
SCANNED = "Scanned"
EVERY = 0.5  # seconds between two lines of progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add keys' own arguments."""
    parser.add_argument("pattern", nargs="?", help="such as 'session:*' (in quotes)")
    choosing(parser)
    parser.add_argument(
        "--sort", choices=SORTS, default="", help="size: largest first; ttl: soonest to end first"
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="at most so many; 0: all (100 on a terminal)"
    )
    parser.add_argument("--delete", action="store_true", help="delete what was found; keeps a copy")
    parser.add_argument("--expire", metavar="TIME", type=milliseconds, help="let it end after 1h …")
    parser.add_argument(
        "--undo", metavar="FILE", help="bring back what a copy holds (last: newest)"
    )
    parser.add_argument("--replace", action="store_true", help="--undo: over what is there again")
    safety(parser)
    looking(parser)
    changing(parser)


def choosing(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which keys."""
    parser.add_argument("--type", dest="kind", metavar="TYPE", default="", help="string, hash, …")
    parser.add_argument("--ttl", type=bound, metavar="WHICH", help="none, '<1h' or '>1d'")
    parser.add_argument("--no-ttl", action="store_true", help="those that never end (--ttl none)")
    parser.add_argument("--min-size", type=octets, metavar="SIZE", help="of memory, such as 10kb")
    parser.add_argument("--pace", type=share, metavar="SHARE", help="of the server's time: 25%%")


def safety(parser: argparse.ArgumentParser) -> None:
    """Add the options about the copy that is kept before keys go."""
    parser.add_argument("--no-copy", action="store_true", help="keep no copy of what is deleted")
    parser.add_argument(
        "--copy-limit", type=octets, metavar="SIZE", help="refuse a larger copy (default: 1gb)"
    )


def wanted_keys(arguments: argparse.Namespace) -> Wanted:
    """What the options say. Raises InputError for those that contradict one another."""
    how, edge = arguments.ttl or ("", 0)
    if arguments.no_ttl:
        if how in ("<", ">"):
            raise InputError("--no-ttl and --ttl with a time exclude one another")
        how = "none"
    limit = getattr(arguments, "limit", None) or 0
    if limit < 0:
        raise InputError("--limit is a number of keys, 0 for all of them")
    sort, least = getattr(arguments, "sort", ""), arguments.min_size or 0
    return Wanted(
        glob(arguments.pattern or "*"), arguments.kind.lower(), how, edge, least, sort, limit
    )


def run(arguments: argparse.Namespace) -> int:
    """List, or change what was found."""
    if arguments.undo is not None or arguments.delete or arguments.expire:
        from keywright_ops.cli.keys_bulk import run_bulk  # who only looks loads none of it

        return run_bulk(arguments)
    for option in ("dry_run", "yes", "no_copy", "copy_limit", "replace"):
        if getattr(arguments, option):
            name = option.replace("_", "-")
            raise InputError(f"--{name} belongs to --delete or --expire", "keywright keys --help")
    wanted, terminal = wanted_keys(arguments), sys.stdout.isatty()
    if arguments.limit is None and terminal and not arguments.json:
        wanted = wanted._replace(limit=ON_TERMINAL)
    piped = not terminal and not arguments.json
    alone = "," not in (arguments.env or "")
    streamed = piped and alone and not wanted.sort and not arguments.quiet

    def look(reached: Reached) -> Keys:
        meter = Meter() if alone and not arguments.quiet else None
        found = keys(
            reached, wanted, shown=not piped, pace=arguments.pace,
            progress=meter.progress if meter else None, emit=_print_names if streamed else None,
        )  # fmt: skip
        if meter is not None:
            meter.close()
        return found

    def show(_: Reached, found: Keys) -> None:
        if piped:
            _print_names(found.rows)
        else:
            _show_table(found)
        _sum_up(found, arguments.limit is None and terminal)

    return over(arguments, "keys", look, show, keys_json)


def _print_names(rows: list[Row]) -> None:
    sys.stdout.write("".join([f"{shown(row[0])}\n" for row in rows]))


def _show_table(found: Keys) -> None:
    """Type, TTL and size stand first: a long name may run over the edge and is never cut."""
    if not found.rows:
        return
    idle = IDLE in found.columns
    print(
        coloured(f"{'type':<7} {'ttl':>11} {'size':>9}{'  idle       ' if idle else ''}  name", DIM)
    )
    for name, kind, pttl, memory, since in found.rows:
        told = "?" if memory is None else size(memory).replace("bytes", "B")
        asleep = f"  {duration(since or 0):<11}" if idle else ""
        what = (kind or b"?").decode("utf-8", "replace")
        print(f"{what:<7} {ttl_text(pttl):>11} {told:>9}{asleep}  {coloured(shown(name), BOLD)}")


def ttl_text(pttl: int | None) -> str:
    """The time that is left, in words."""
    if pttl is None:
        return "?"
    if pttl < 0:
        return "no limit"
    return duration(pttl // 1000) if pttl >= 1000 else "<1 s"


def _sum_up(found: Keys, limited: bool) -> None:
    """One line on standard error that says how much was looked at, and how to see more."""
    if not (sys.stdout.isatty() or sys.stderr.isatty()):
        return
    if found.gone:
        print("no such key", file=sys.stderr)
        return
    left = found.found > len(found.rows) and sys.stdout.isatty()
    part = f", {len(found.rows):,} of them shown" if left else ""
    print(
        f"Scanned {found.scanned:,} of {found.total:,}, found {found.found:,}{part}",
        file=sys.stderr,
    )
    if limited and (left or not found.whole):
        print("--limit 0 shows all; --sort size, a pattern or --type narrows", file=sys.stderr)


def keys_json(found: Keys) -> dict[str, Any]:
    """The report's own fields."""
    return {
        "keys": [row_json(row, found.columns) for row in found.rows],
        "scanned": found.scanned,
        "total": found.total,
        "found": found.found,
        "whole": found.whole,
    }


def row_json(row: Row, columns: tuple[str, ...]) -> dict[str, Any]:
    """One key: `ttl` in seconds (null: no end), `size` in bytes."""
    name, kind, pttl, memory, idle = row
    told: dict[str, Any] = {
        "name": shown(name),
        "type": kind.decode("utf-8", "replace") if kind is not None else None,
        "ttl": None if pttl is None or pttl < 0 else pttl / 1000,
    }
    if MEMORY in columns:
        told["size"] = memory
    if IDLE in columns:
        told["idle"] = idle
    return told


class Meter:
    """Progress on standard error of a terminal, from the second second on, one line that is written over."""

    def __init__(self, what: str = SCANNED) -> None:
        self._what, self._last = what, time.monotonic() + EVERY
        self._line = LiveLine(quiet=False)

    def progress(self, scanned: int, total: int, found: int) -> None:
        """Say how far it is, now and then."""
        now = time.monotonic()
        if now - self._last >= EVERY:
            self._last = now
            text = f"{self._what} {scanned:,} of {total:,}"
            self._line.show(text + (f", found {found:,}" if self._what == SCANNED else ""))

    def close(self) -> None:
        """Remove the line."""
        self._line.end()
