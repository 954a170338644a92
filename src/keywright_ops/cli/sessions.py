"""`keywright sessions`, `sessions show ID`, `sessions end ID|--user USER`; an id is shown as its mark."""

import argparse
import sys
import time
from typing import Any

from keywright.errors import InputError, Refused
from keywright_ops.actions.key import Shown, show_key
from keywright_ops.actions.reach import Reached
from keywright_ops.actions.sessions import Sessions, end_sessions, find_session, sessions
from keywright_ops.cli.amounts import share
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.keys import ON_TERMINAL, Meter, ttl_text
from keywright_ops.cli.looking import looking, over, reach_one
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import BOLD, DIM, coloured, duration, size
from keywright_ops.facts.escapes import escaped, raw, shown, taken
from keywright_ops.ops.keyspace.sessions import SessionRow

SORTS = ("age", "ttl", "size", "user")
MOST_USERS = 20  # in the table of counts, on a terminal


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add sessions' own arguments."""
    parser.add_argument(
        "words", nargs="*", metavar="show ID | end ID …", help="(default: list them)"
    )
    parser.add_argument("--user", metavar="USER", help="only those of this user")
    parser.add_argument("--by-user", action="store_true", help="how many each user has")
    parser.add_argument(
        "--sort", choices=SORTS, default="age", help="(default: age, youngest first)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many; 0: all")
    parser.add_argument("--ids", action="store_true", help="show ids: whoever has one is that user")
    parser.add_argument("--pace", type=share, metavar="SHARE", help="of the server's time: 25%%")
    looking(parser)
    changing(parser)


def run(arguments: argparse.Namespace) -> int:
    """List, show or end."""
    verb, *words = arguments.words or ["list"]
    ids = [taken(each).decode("utf-8", "surrogateescape") for each in words]
    if verb not in ("list", "show", "end"):
        raise InputError(
            f"sessions {verb!r} is none of list, show, end", "keywright sessions --help"
        )
    if verb != "end" and (arguments.yes or arguments.dry_run):
        raise InputError("--yes and --dry-run belong to sessions end")
    if verb == "end":
        return _end(arguments, ids)
    if verb == "show":
        return _show_one(arguments, ids)
    if ids:
        raise InputError("sessions list takes no ids", "keywright sessions show ID")
    alone = "," not in (arguments.env or "")
    meter = Meter() if alone and not arguments.quiet else None

    def look(reached: Reached) -> Sessions:
        progress = meter.progress if meter else None
        found = sessions(reached, arguments.user, arguments.pace, progress)
        if meter:
            meter.close()
        return found._replace(rows=sorted(found.rows, key=lambda row: _by(row, arguments.sort)))

    def show(reached: Reached, found: Sessions) -> None:
        _show(reached, found, arguments)

    return over(arguments, "sessions", look, show, lambda found: _json(found, ids=arguments.ids))


def _by(row: SessionRow, sort: str) -> tuple[Any, ...]:
    if sort == "ttl":
        return row.pttl < 0, row.pttl
    if sort == "size":
        return (-(row.size or 0),)
    return (row.user or "\U0010ffff",) if sort == "user" else (-row.created,)


def _show(reached: Reached, found: Sessions, arguments: argparse.Namespace) -> None:
    if arguments.by_user:
        _show_users(found)
        return
    limit = (
        (ON_TERMINAL if sys.stdout.isatty() else 0) if arguments.limit is None else arguments.limit
    )
    rows = found.rows[:limit] if limit else found.rows
    width = min(max((len(_user(row)) for row in rows), default=0), 40)
    if rows:
        print(coloured(f"{'session':<8}  {'age':>10}  {'ends in':>10}  {'size':>9}  user", DIM))
    for row in rows:
        age = duration(max(0, int(time.time()) - row.created)) if row.created else "–"
        told = "?" if row.size is None else size(row.size).replace("bytes", "B")
        ids = shown(raw(row.id)) if arguments.ids else "bare" if row.bare else ""
        line = f"{coloured(row.mark, BOLD)}  {age:>10}  {ttl_text(row.pttl):>10}  {told:>9}  "
        print(f"{line}{_user(row):<{width}}  {ids}".rstrip())
    users = len([user for user, _ in found.by_user() if user])
    many = "session" if len(found.rows) == 1 else "sessions"
    part = f", {len(rows):,} of them shown (--limit 0: all)" if len(rows) < len(found.rows) else ""
    print(f"{len(found.rows):,} {many} of {users:,} {'user' if users == 1 else 'users'}{part}")
    endless = sum(row.pttl < 0 for row in found.rows)
    if endless:
        print(f"  {endless:,} without an end: `keywright keys '*session:*' --no-ttl --expire 1h`")
    if not found.readable:
        print(f"  user {reached.login} may not read whose they are", file=sys.stderr)


def _user(row: SessionRow) -> str:
    """Whose it is; "?" where nobody can tell, "–" for nobody."""
    return "?" if row.user is None else escaped(raw(row.user)) or "–"


def _show_users(found: Sessions) -> None:
    counts = found.by_user()
    most = MOST_USERS if sys.stdout.isatty() else len(counts)
    for user, number in counts[:most]:
        print(f"{number:>9,}  {escaped(raw(user)) or '–'}")
    if len(counts) > most:
        print(f"  … and {len(counts) - most:,} users more", file=sys.stderr)


def _show_one(arguments: argparse.Namespace, ids: list[str]) -> int:
    from keywright_ops.cli.key_show import key_json, show_key_report

    if len(ids) != 1:
        raise InputError("sessions show takes one id, or the mark that the list shows")

    def look(reached: Reached) -> Shown:
        row = find_session(reached, ids[0], arguments.pace)
        name = row.key if arguments.ids else f"session {row.mark}".encode()
        return show_key(reached, row.key)._replace(name=name)

    return over(arguments, "key", look, lambda _, found: show_key_report(found), key_json)


def _end(arguments: argparse.Namespace, ids: list[str]) -> int:
    user = arguments.user
    if bool(ids) == (user is not None):
        raise InputError("sessions end takes ids (or marks), or --user USER")
    if "," in (arguments.env or ""):
        raise InputError("sessions are ended in one environment at a time")
    with reach_one(arguments) as reached:
        if user is not None:
            ending = sessions(reached, user, arguments.pace).rows
        else:
            ending = [find_session(reached, each, arguments.pace) for each in ids]
        if arguments.dry_run or not ending:
            ended = 0
        else:
            _ask(arguments, ending, user)
            ended = end_sessions(reached, ending, user)
    if arguments.json:
        from keywright_ops.cli.as_json import plan_json, show_json

        marks = [row.mark for row in ending]
        show_json("sessions-end", **plan_json(reached.plan), dry_run=arguments.dry_run, user=user,
                  found=marks, ended=ended)  # fmt: skip
    elif not arguments.quiet:
        number = len(ending) if arguments.dry_run else ended
        word = "would end" if arguments.dry_run else "ended"
        of = f" of {user}" if user is not None else ""
        print(f"{number:,} {'session' if number == 1 else 'sessions'}{of} {word}")
    return EXIT_WELL


def _ask(arguments: argparse.Namespace, ending: list[SessionRow], user: str | None) -> None:
    """Whoever is logged in by them must log in again. Raises Refused."""
    if arguments.yes:
        return
    of = f" of {user}" if user is not None else ""
    what = f"{len(ending):,} {'session' if len(ending) == 1 else 'sessions'}{of}"
    if sys.stdin.isatty():
        print(f"{what} will end: whoever has one must log in again.", file=sys.stderr)
        print("Go on? Type yes: ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() == "yes":
            return
    raise Refused(f"{what} would end, and nobody confirmed it", "--yes answers")


def _json(found: Sessions, *, ids: bool) -> dict[str, Any]:
    """The report's own fields; ids only when asked for."""
    rows = [
        {
            "session": row.mark,
            "user": row.user,
            "created": row.created or None,
            "ttl": None if row.pttl < 0 else row.pttl / 1000,
            "size": row.size,
            "bare": row.bare,
        }
        | ({"id": shown(raw(row.id))} if ids else {})
        for row in found.rows
    ]
    users = [{"user": user, "sessions": number} for user, number in found.by_user()]
    return {"sessions": rows, "users": users, "scanned": found.scanned, "readable": found.readable}
