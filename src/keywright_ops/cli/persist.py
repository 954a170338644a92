"""`keywright persist now [--rewrite]` and `keywright persist status`."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keywright_ops.actions.persist import (
    PersistReport,
    Written,
    persist_now,
    persist_status,
    refuse_rewrite,
)
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.looking import looking, over, reach_one
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import RED, YELLOW, coloured, duration, show_pairs, size, wrapped
from keywright_ops.facts.saving import Saving
from keywright_ops.ops.saving import REWRITE

if TYPE_CHECKING:
    from keywright_ops.cli.live_line import LiveLine


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add persist's own arguments."""
    parser.add_argument(
        "verb", choices=("now", "status"), help="write what is in memory, or tell how it is kept"
    )
    parser.add_argument(
        "--rewrite", action="store_true", help="the append-only file, instead of a snapshot"
    )
    changing(parser)
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write and watch, or tell."""
    if arguments.verb == "status":
        return over(arguments, "persist-status", persist_status, _show_status, _status_fields)
    with reach_one(arguments) as reached:
        if arguments.dry_run:
            return _dry(arguments, reached)
        from keywright_ops.cli.live_line import LiveLine

        line = LiveLine(arguments.json or arguments.quiet)
        try:
            written = persist_now(reached, arguments.rewrite, watching(line))
        finally:
            line.end()
        if arguments.json:
            from keywright_ops.cli.as_json import plan_json, show_json

            show_json("persist-now", **plan_json(reached.plan), **_written_fields(written))
        elif not arguments.quiet:
            _show_written(written)
    return EXIT_WELL


def watching(line: "LiveLine") -> Callable[[str, Saving], None]:
    """Return who is told how far it is: another one that is waited for is said once."""
    said: set[str] = set()

    def watch(event: str, saving: Saving) -> None:
        if event != "running" and event not in said:
            said.add(event)
            line.note(WAITS[event])
        line.show(_progress(event, saving))

    return watch


WAITS = {
    "waiting": "another one is being written: waiting for its end",
    "scheduled": "the server does it as soon as what it writes now is done",
}


def _progress(event: str, saving: Saving) -> str:
    share = saving.share
    percent = f"{share:.0%}" if share is not None else ""
    kind = "append-only file" if saving.rewrite_running else "snapshot"
    keys = f"{saving.processed} of {saving.total} keys" if saving.total > 0 else ""
    seconds = f"{saving.running_seconds} s" if saving.running_seconds >= 0 else ""
    verb = "writing" if event == "running" else "waiting for"
    return ", ".join(part for part in (f"{verb} the {kind}: {percent}", keys, seconds) if part)


def _dry(arguments: argparse.Namespace, reached: Reached) -> int:
    """Say what would be sent."""
    word = "BGREWRITEAOF" if arguments.rewrite else "BGSAVE"
    if arguments.rewrite:
        refuse_rewrite(reached)
    now = persist_status(reached).saving
    busy = now.snapshot_running or now.rewrite_running
    if arguments.json:
        from keywright_ops.cli.as_json import plan_json, show_json

        show_json("persist-now", **plan_json(reached.plan), dry_run=True, sends=word, busy=busy)
    elif not arguments.quiet:
        first = "wait for the one that is being written, then " if busy else ""
        print(f"  would {first}send {word} and watch it to its end")
    return EXIT_WELL


def _show_written(written: Written) -> None:
    saved = written.saved
    what = (
        "the append-only file is written anew" if saved.kind == REWRITE else "a snapshot is written"
    )
    print(f"  {what}, and it is good")
    rows = [("took", _seconds(saved.seconds))]
    if saved.waited >= 1:
        rows.append(("waited", f"{_seconds(saved.waited)} for another one"))
    if written.path:
        told = f", {size(written.size)}" if isinstance(written.size, int) else ""
        rows.append(("file", f"{written.path}{told}"))
    if saved.after.fork >= 0:
        rows.append(("fork", f"{saved.after.fork / 1000:.1f} ms, in which the server stood still"))
    if saved.cow >= 0:
        rows.append(("copy-on-write", f"{size(saved.cow)} of memory besides"))
    show_pairs(rows)
    if written.alone:
        text = "nothing else keeps data here: a crash or restart begins with this file from now on"
        print("\n".join(wrapped(text, "  ")))


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else duration(int(seconds))


def _written_fields(written: Written) -> dict[str, Any]:
    saved = written.saved
    return {
        "written": saved.kind,
        "seconds": round(saved.seconds, 3),
        "waited": round(saved.waited, 3),
        "alone": written.alone,
        "path": written.path or None,
        "bytes": written.size if isinstance(written.size, int) else None,
        "fork_microseconds": _known(saved.after.fork),
        "copied_bytes": _known(saved.cow),
    }


def _known(number: int) -> int | None:
    return number if number >= 0 else None


def _show_status(_: Reached, report: PersistReport) -> None:
    saving = report.saving
    rows = [("last snapshot", _last(report)), ("since then", _changes(saving))]
    if saving.appendonly:
        rows.append(("append-only file", _appendonly(saving)))
    else:
        rows.append(("append-only file", "off"))
    if saving.snapshot_running or saving.rewrite_running:
        rows.append(("now", _progress("running", saving)))
    if report.path:
        told = f", {size(report.size)}" if isinstance(report.size, int) else ", not there yet"
        rows.append(("snapshot's file", f"{report.path}{told}"))
    rows += [(each.name, _promise(each.declared, each.live, each.kept)) for each in report.promises]
    show_pairs(rows)


def _last(report: PersistReport) -> str:
    saving = report.saving
    if not saving.snapshot_ok:
        return coloured("the last one FAILED; `keywright persist now` says why", RED)
    if saving.saves == 0:
        return "none since the server began"
    ago = max(0, report.now - saving.last_save)
    took = f", took {saving.snapshot_seconds} s" if saving.snapshot_seconds >= 0 else ""
    return f"{duration(ago)} ago{took}"


def _changes(saving: Saving) -> str:
    return f"{saving.changes} changes" if saving.changes != 1 else "1 change"


def _appendonly(saving: Saving) -> str:
    state = size(max(saving.aof_size, 0))
    base = f", {size(saving.aof_base)} after the last rewrite" if saving.aof_base >= 0 else ""
    if not saving.write_ok:
        return coloured("cannot be written: is the disk full?", RED)
    if not saving.rewrite_ok:
        return f"{state}{base}; " + coloured("the last rewrite FAILED", RED)
    scheduled = "; a rewrite is scheduled" if saving.rewrite_scheduled else ""
    return f"{state}{base}{scheduled}"


def _promise(declared: str, live: str, kept: bool | None) -> str:
    if kept is None:
        return live or "the server does not tell"
    if kept:
        return f"{live}, as declared"
    return coloured(f"{live}, and {declared} is declared: `keywright up` mends it", YELLOW)


def _status_fields(report: PersistReport) -> dict[str, Any]:
    saving = report.saving
    return {
        "saving": saving._asdict(),
        "time": report.now,
        "path": report.path or None,
        "bytes": report.size if isinstance(report.size, int) else None,
        "promises": [each._asdict() | {"kept": each.kept} for each in report.promises],
    }
