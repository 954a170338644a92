"""`keywright monitor`: who sends which commands, for a while; a summary at the end."""

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from time import localtime, strftime

from keywright.errors import InputError, Refused
from keywright.secret import MASK
from keywright_ops.actions.monitor import GUARDED, Watched, monitor
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.looking import reach_one
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import BOLD, DIM, YELLOW, coloured
from keywright_ops.facts.glob import parse_glob
from keywright_ops.facts.masking import HIDDEN, masked, without_values
from keywright_ops.facts.monitored import Seen, Summary, Wanted
from keywright_ops.facts.words import quote
from keywright_ops.profile.values import NotThat, parse_duration

LONGEST = 3600.0  # seconds; whoever wants more wants `slowlog`, `commandstats` or an exporter
COST = "MONITOR costs every client of this server about a sixth of its speed while it runs"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add monitor's own arguments."""
    add = parser.add_argument
    add("--as", dest="login", metavar="USER", default="", help="as this ACL user")
    add("-n", "--database", metavar="N", type=int, help="only the commands of this database")
    add("--for", dest="time", metavar="TIME", default="10s", help="how long (default: 10s)")
    add("--limit", metavar="N", type=int, help="end after so many lines")
    add("--every", metavar="N", type=int, default=1, help="show each Nth; all are counted")
    add("--command", metavar="NAMES", default="", help="only these commands: GET,HGET")
    add("--exclude", metavar="NAMES", default="", help="without these commands: PING,INFO")
    add("--key", metavar="PATTERN", help="only commands on such keys: 'session:*'")
    add("--client", metavar="WHO", default="", help="only of this client: its name or address")
    add("--values", action="store_true", help="show the values that are written, too")
    add("-y", "--yes", action="store_true", help="answer yes where it asks (production)")


def run(arguments: argparse.Namespace) -> int:
    """Watch, show each command and at the end what they add up to."""
    seconds = _seconds(arguments.time)
    for name, value in (("--limit", arguments.limit), ("--every", arguments.every)):
        if value is not None and value < 1:
            raise InputError(f"{name} is at least 1, not {value}")
    wanted = Wanted(
        _names(arguments.command),
        _names(arguments.exclude),
        parse_glob(arguments.key) if arguments.key else None,
        arguments.client,
        arguments.database,
    )
    arguments.database = None  # it says which are shown; the connection itself needs none
    with reach_one(arguments) as reached:
        _warn(reached, arguments, seconds)
        tell = _told_json(arguments) if arguments.json else _told(arguments)
        watched = monitor(reached, wanted, seconds, arguments.limit, arguments.every, tell)
    if arguments.json:
        _summary_json(reached, watched)
    elif not arguments.quiet:
        _show(watched)
    return EXIT_WELL


def _seconds(text: str) -> float:
    try:
        seconds = parse_duration(text) / 1_000_000
    except NotThat as error:
        raise InputError(f"--for: {error}", getattr(error, "hint", "")) from None
    if not 0 < seconds <= LONGEST:
        raise InputError(
            f"--for is more than nothing and at most an hour, not {text}",
            "`keywright commandstats` and `keywright slowlog` cost nothing and look back further",
        )
    return seconds


def _names(text: str) -> frozenset[str]:
    return frozenset(each.strip().upper() for each in text.split(",") if each.strip())


def _warn(reached: Reached, arguments: argparse.Namespace, seconds: float) -> None:
    """Say what it costs; in production ask. Raises Refused when the answer is no."""
    name, kind = reached.plan.environment, reached.plan.kind
    if kind not in GUARDED or arguments.yes:
        if not arguments.json and not arguments.quiet:
            told = f"{COST}: {seconds:g} s at most, or Ctrl-C"
            print(coloured(f"! {told}", YELLOW), file=sys.stderr)
        return
    if sys.stdin.isatty():
        print(f"{COST}, and {name} is in production.", file=sys.stderr)
        print(f"Watch for {seconds:g} s? Type yes: ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() == "yes":
            return
    raise Refused(
        f"{COST}, and {name} is in production",
        "--yes, when that is meant; `keywright slowlog` and `keywright commandstats` cost nothing",
    )


def _told(arguments: argparse.Namespace) -> Callable[[Seen, str], None]:
    if arguments.quiet:
        return lambda *_: None
    wide = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else None

    def tell(seen: Seen, name: str) -> None:
        words = masked(seen.words) if arguments.values else without_values(seen.words)
        clock = strftime("%H:%M:%S", localtime(seen.time)) + f"{seen.time % 1:.3f}"[1:]
        who = name or seen.address
        where = f" db{seen.database}" if seen.database else ""
        head, command = f"{clock}  {who}{where}  ", _line(words)
        if wide is not None and len(head) + len(command) > wide:
            command = command[: max(8, wide - len(head) - 1)] + "…"
        name_end = len(words[0])
        print(coloured(head, DIM) + coloured(command[:name_end], BOLD) + command[name_end:])
        sys.stdout.flush()

    return tell


def _line(words: Sequence[str]) -> str:
    """The command as one line; what is hidden stands without quotes."""
    rest = [each if each in (MASK, HIDDEN) else quote(each) for each in words[1:]]
    return " ".join((quote(words[0].upper()), *rest))


def _told_json(arguments: argparse.Namespace) -> Callable[[Seen, str], None]:
    import json

    def tell(seen: Seen, name: str) -> None:
        words = masked(seen.words) if arguments.values else without_values(seen.words)
        clean = [
            each.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            for each in words
        ]
        told = {
            "time": seen.time,
            "database": seen.database,
            "address": seen.address,
            "name": name,
            "command": seen.command,
            "arguments": clean[1:],
        }
        print(json.dumps(told, ensure_ascii=False), flush=True)

    return tell


def _summary_json(reached: Reached, watched: Watched) -> None:
    """The last line: the same counts as the summary."""
    import json

    from keywright_ops.cli.as_json import plan_json

    told = watched.summary
    fields = {
        "schema": "keywright/monitor/1",
        **plan_json(reached.plan),
        "seconds": round(told.seconds, 3),
        "count": told.total,
        "shown": watched.shown,
        "passed": watched.passed,
        "ended": watched.ended,
        "commands": dict(told.commands),
        "keys": dict(told.shapes),
        "clients": dict(told.clients),
    }
    print(json.dumps(fields, ensure_ascii=False))


ENDS = {
    "time": "",
    "limit": " (the limit was reached)",
    "asked": " (ended by you)",
    "behind": " (ended early: more came than can be read here, and the rest heaps up in the server)",
}


def _show(watched: Watched) -> None:
    summary = watched.summary
    rate = summary.total / summary.seconds if summary.seconds else 0.0
    of = f" of {watched.passed:,}" if watched.passed != summary.total else ""
    ended = ENDS[watched.ended]
    print(
        f"\n{summary.total:,}{of} commands in {summary.seconds:.1f} s, {rate:,.0f} a second{ended}"
    )
    _counted("commands", summary.commands, summary)
    _counted("keys", summary.shapes, summary)
    _counted("clients", summary.clients, summary)


def _counted(title: str, counts: Sequence[tuple[str, int]], summary: Summary) -> None:
    for number, (kind, count) in enumerate(counts):
        share = 100 * count / summary.total
        head = title if number == 0 else ""
        print(f"  {head:<9} {count:>9,} {share:>5.1f}%  {_clean(kind)}")


def _clean(text: str) -> str:
    raw = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in raw
    )
