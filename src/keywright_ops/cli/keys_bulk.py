"""`keys … --delete`, `--expire TIME`, `--undo FILE` and `key delete`: counted, asked about, copied."""

import argparse
import signal
import sys
from collections.abc import Callable
from typing import Any

from keywright.errors import InputError, Refused
from keywright_ops.actions.keys_bulk import (
    COLUMNS,
    Change,
    Changed,
    Survey,
    Target,
    change,
    survey,
    undo,
)
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.amounts import glob
from keywright_ops.cli.as_json import plan_json, show_json
from keywright_ops.cli.consent import says_yes
from keywright_ops.cli.keys import Meter, row_json, ttl_text, wanted_keys
from keywright_ops.cli.looking import reach_one
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL, exit_code
from keywright_ops.cli.show import YELLOW, coloured, duration, environment_option, show_error, size
from keywright_ops.facts.escapes import shown, taken
from keywright_ops.ops.keyspace.copy_file import LIMIT
from keywright_ops.ops.keyspace.wanted import Wanted

INTERRUPTED = 130
GIANT = 32 << 20  # bytes of one key whose dump others can feel


def run_bulk(arguments: argparse.Namespace) -> int:
    """Delete, let end, or bring back."""
    chosen = [arguments.undo is not None, arguments.delete, bool(arguments.expire)]
    if sum(chosen) > 1:
        raise InputError("only one of --delete, --expire and --undo can be meant")
    if "," in (arguments.env or ""):
        raise InputError("keys are changed in one environment at a time")
    if arguments.undo is not None:
        return _undo(arguments)
    if arguments.sort or arguments.limit is not None:
        raise InputError("--sort and --limit are for looking: a change is about all that was found")
    wanted = wanted_keys(arguments)
    if wanted == Wanted() and arguments.pattern is None:
        raise InputError(
            "which keys? A pattern, --type, --ttl or --min-size says so",
            "keywright keys 'cache:*' --delete --dry-run; `keywright flush` empties a database",
        )
    return _change(arguments, Target(wanted), arguments.expire or 0)


def run_delete(arguments: argparse.Namespace) -> int:
    """Delete the keys that were named, or those of a pattern."""
    names = tuple(map(taken, arguments.words))
    if bool(names) == (arguments.pattern is not None):
        raise InputError("key delete takes names, or --pattern", "keywright key delete NAME …")
    wanted = Wanted(glob(arguments.pattern)) if arguments.pattern is not None else Wanted()
    return _change(arguments, Target(wanted, names), 0)


def _change(arguments: argparse.Namespace, target: Target, after: int) -> int:
    silent = arguments.json or arguments.quiet
    with reach_one(arguments) as reached:
        meter = Meter()
        found = survey(reached, target, arguments.pace, None if silent else meter.progress)
        meter.close()
        if arguments.dry_run or not found.number:
            return _surveyed(arguments, reached, found, after)
        limit = LIMIT if arguments.copy_limit is None else arguments.copy_limit
        wish = Change(after, not arguments.no_copy, limit, arguments.pace)
        if not arguments.yes:
            _ask(reached, found, wish)
        meter = Meter("Expiring" if after else "Deleted")
        wish = wish._replace(stop=_stopping())  # at the question Ctrl-C ends all
        done = change(reached, target, wish, found, None if silent else meter.progress)
        meter.close()
    if arguments.json:
        show_json(
            "keys-change", **plan_json(reached.plan), **_json(found, after), **_done_json(done)
        )
    elif not arguments.quiet or done.problem or done.stopped:
        _show(reached, found, done, after)
    if done.problem is not None:
        show_error(done.problem, arguments.env)
        return exit_code(done.problem)
    return INTERRUPTED if done.stopped else EXIT_WELL


def _stopping() -> Callable[[], bool]:
    """Ctrl-C ends after the batch under way, a second one at once; the function says whether it came."""
    pressed: list[int] = []

    def press(number: int, _: object) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, press)
    return lambda: bool(pressed)


def _describe(found: Survey, after: int) -> str:
    verb = f"would end in {duration(after // 1000)}" if after else "would be deleted"
    keys = "key" if found.number == 1 else "keys"
    return f"{found.number:,} {keys} of {found.total:,} {verb}, about {size(found.size)} of memory"


def _sample(found: Survey, out: Any) -> None:
    for name, kind, pttl, memory, _ in found.sample:
        what = (kind or b"?").decode("utf-8", "replace")
        told = "?" if memory is None else size(memory)
        print(f"  {shown(name)}  ({what}, {told}, {ttl_text(pttl)})", file=out)
    if found.number > len(found.sample):
        print(f"  … and {found.number - len(found.sample):,} more", file=out)


def _surveyed(arguments: argparse.Namespace, reached: Reached, found: Survey, after: int) -> int:
    """What would be done; nothing is. A named key that is not there is a failure."""
    if arguments.json:
        show_json("keys-change", **plan_json(reached.plan), dry_run=True, **_json(found, after))
    elif not arguments.quiet:
        print(_describe(found, after) if found.number else "no such key: nothing to do")
        _sample(found, sys.stdout)
        _absent(found)
    return EXIT_FAILED if found.absent and not found.number else EXIT_WELL


def _absent(found: Survey) -> None:
    if found.absent and found.number:
        names = ", ".join(map(shown, found.absent[:5]))
        print(f"  not there: {names}{' …' if len(found.absent) > 5 else ''}", file=sys.stderr)


def _ask(reached: Reached, found: Survey, wish: Change) -> None:
    """Say what goes, and ask on a terminal. Raises Refused."""
    if not sys.stdin.isatty():
        raise Refused(
            f"{_describe(found, wish.after)} in {reached.plan.environment}, and nobody confirmed it",
            "--dry-run shows them, --yes answers",
        )
    out = sys.stderr
    print(f"In {reached.plan.environment}, database {reached.database}:", file=out)
    print(_describe(found, wish.after), file=out)
    _sample(found, out)
    _absent(found)
    largest = found.largest
    if wish.copy and not wish.after and largest is not None and (largest[3] or 0) > GIANT:
        name, told = shown(largest[0]), size(largest[3] or 0)
        print(f"The largest, {name}, has {told}: others wait while it is copied.", file=out)
    if wish.copy:
        what = (
            "Their present times are" if wish.after else f"A copy (at most {size(wish.limit)}) is"
        )
        print(f"{what} kept first: `keys --undo last` brings it back.", file=out)
    else:
        print(coloured("No copy is kept: this cannot be taken back.", YELLOW), file=out)
    if not says_yes():
        raise Refused("nothing was changed: it was not confirmed")


def _show(reached: Reached, found: Survey, done: Changed, after: int) -> None:
    """What was done, what was left, and the way back."""
    verb = f"end in {duration(after // 1000)}" if after else "deleted"
    tally = done.tally
    whole = "" if not (done.stopped or done.problem) else f" of about {found.number:,}"
    print(f"{tally.done:,}{whole} {'key' if tally.done == 1 else 'keys'} {verb}")
    if tally.left:
        print(f"  {tally.left:,} left: changed while they were copied, or of a type that cannot be")
    _absent(found)
    where = environment_option(reached.plan)
    if done.copy:
        print(f"  copy: {done.copy} ({size(done.copied)})")
        print(f"  back: keywright keys{where} --undo {done.copy.rpartition('/')[2]}")
    if done.stopped:
        print("  stopped; the same command goes on where it ended", file=sys.stderr)


def _json(found: Survey, after: int) -> dict[str, Any]:
    return {
        "change": "expire" if after else "delete",
        "count": found.number,
        "size": found.size,
        "total": found.total,
        "sample": [row_json(row, COLUMNS) for row in found.sample],
        "absent": [shown(name) for name in found.absent],
    }


def _done_json(done: Changed) -> dict[str, Any]:
    return {
        "done": done.tally.done,
        "left": done.tally.left,
        "gone": done.tally.gone,
        "copy": done.copy or None,
        "stopped": done.stopped,
        "problem": str(done.problem) if done.problem else None,
        "seconds": round(done.seconds, 3),
    }


def _undo(arguments: argparse.Namespace) -> int:
    if arguments.pattern is not None or wanted_keys(arguments) != Wanted():
        raise InputError("--undo brings back all that a copy holds, and takes no choice of keys")
    if arguments.dry_run:
        raise InputError("--undo has no dry run: what is there again stays as it is")
    with reach_one(arguments) as reached:
        told = undo(
            reached, arguments.undo, replace=arguments.replace, database=arguments.database,
            stop=_stopping(),
        )  # fmt: skip
    back = told.restored
    if arguments.json:
        show_json("keys-undo", **plan_json(reached.plan), copy=told.path, database=told.database,
                  kept=told.kept or None, **back._asdict())  # fmt: skip
    elif not arguments.quiet:
        keys = "key is" if back.done == 1 else "keys are"
        print(f"{back.done:,} {keys} back in database {told.database}")
        if back.there:
            print(
                f"  {back.there:,} left as they are: they are there again, or unchanged (--replace)"
            )
        if told.kept:
            where = f"{environment_option(reached.plan)} --undo {told.kept.rpartition('/')[2]}"
            print(f"  what was there: keywright keys{where} --replace")
        if back.ended:
            print(f"  {back.ended:,} would have ended by now")
        if back.refused:
            print(f"  {back.refused:,} refused by the server: {back.why}", file=sys.stderr)
    return EXIT_FAILED if back.refused else EXIT_WELL
