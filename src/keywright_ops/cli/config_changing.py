"""The words of `keywright config` that change something: set, rewrite, reset-stat."""

import argparse
from collections.abc import Callable, Mapping
from shlex import quote
from typing import Any

from keywright_ops.actions.config import reset_stat
from keywright_ops.actions.config_rewrite import RewriteReport, config_rewrite, rewritable
from keywright_ops.actions.config_set import Change, apply_change, lasts, plan_change
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.as_json import plan_json, show_json
from keywright_ops.cli.config import readable
from keywright_ops.cli.consent import agree
from keywright_ops.cli.show import YELLOW, coloured, environment_option, show_pairs, wrapped


def change(arguments: argparse.Namespace, reached: Reached) -> None:
    """Set one setting, after saying what it can cost."""
    name, value = arguments.words
    wanted = plan_change(reached, name, value, arguments.live_only)
    if arguments.dry_run or not wanted.needed:
        _tell(arguments, reached, wanted, wanted.old, False)
        return
    if wanted.danger:
        agree(arguments.yes, (f"{wanted.name} {_from_to(wanted)}: {wanted.danger}",))
    found = apply_change(reached, wanted)
    _tell(arguments, reached, wanted, found, True)


def _from_to(wanted: Change) -> str:
    return f"from {readable(wanted.name, wanted.old)} to {readable(wanted.name, wanted.new)}"


def _tell(
    arguments: argparse.Namespace, reached: Reached, wanted: Change, found: str, done: bool
) -> None:
    undo = undo_command(reached, wanted)
    if arguments.json:
        show_json(
            "config-set",
            **plan_json(reached.plan),
            name=wanted.name,
            old=wanted.old,
            new=found if done else wanted.new,
            changed=done,
            dry_run=arguments.dry_run,
            danger=wanted.danger or None,
            declared=wanted.declared,
            lasts=lasts(reached, wanted),
            undo=undo,
        )
        return
    if arguments.quiet:
        return
    if not wanted.needed:
        print(f"  {wanted.name} is {readable(wanted.name, wanted.old)} already: nothing to do")
        return
    if not done:
        print(f"  would set {wanted.name} {_from_to(wanted)}")
        if wanted.danger:
            for number, line in enumerate(wrapped(wanted.danger, "    ")):
                print(f"  {coloured('!', YELLOW)} {line.lstrip()}" if number == 0 else line)
    elif found == wanted.new:
        print(f"  {wanted.name} is {readable(wanted.name, found)} now")
    else:
        print(f"  {wanted.name} is {readable(wanted.name, found)} now: the server made that of it")
    lines = wrapped(lasts(reached, wanted), " " * 9)
    print(f"  lasts  {lines[0].lstrip()}", *lines[1:], sep="\n")
    print(f"  undo   {undo}")


def undo_command(reached: Reached, wanted: Change) -> str:
    """Return the command that sets the old value again."""
    live = "" if wanted.declared is None and _sayable(wanted) else " --live-only"
    where = environment_option(reached.plan)
    return f"keywright config set{where} {wanted.name} {quote(wanted.old)}{live}"


def _sayable(wanted: Change) -> bool:
    known = wanted.wording
    return known is None or ".settings." in known.path


def rewrite(arguments: argparse.Namespace, reached: Reached) -> None:
    """Have the server write its settings into its own file, where that is not Keywright's."""
    wanted = rewritable(reached)
    if arguments.dry_run:
        if arguments.json:
            show_json("config-rewrite", **plan_json(reached.plan), path=wanted.path, copy=None,
                      changed=[], dry_run=True)  # fmt: skip
        elif not arguments.quiet:
            print(f"  would copy {wanted.path} beside itself, and have the server rewrite it")
        return
    question = f"the server rewrites {wanted.path}, comments that it does not know included"
    agree(arguments.yes, (question, f"a copy is kept first: {wanted.copy}"))
    report = config_rewrite(reached, wanted)
    if arguments.json:
        rows = [{"name": n, "before": b, "after": a} for n, b, a in report.changed]
        show_json("config-rewrite", **plan_json(reached.plan), path=report.path, copy=report.copy,
                  changed=rows, dry_run=False)  # fmt: skip
    elif not arguments.quiet:
        _show_rewrite(report)


def _show_rewrite(report: RewriteReport) -> None:
    print(f"  {report.path} is rewritten; before it was {report.copy}")
    pairs = [
        (name, f"{_said(name, before)} → {_said(name, after)}")
        for name, before, after in report.changed
    ]
    show_pairs(pairs)
    if not pairs:
        print("  no setting changed")
    if any(name == "user" for name, _, _ in report.changed):
        text = "users stand there now with their hashes: a requirepass edited later is ignored"
        print(f"  {coloured('!', YELLOW)} {text}")


def _said(name: str, value: str | None) -> str:
    return "not named" if value is None else readable(name, value)


def reset(arguments: argparse.Namespace, reached: Reached) -> None:
    """Set the server's counters to 0."""
    if not arguments.dry_run:
        agree(
            arguments.yes,
            (
                "the counters of INFO stats, commandstats and latency begin at 0 again",
                "whoever watches them (dashboards, alerts) sees a gap",
            ),
        )
        reset_stat(reached)
    if arguments.json:
        show_json("config-reset-stat", **plan_json(reached.plan), dry_run=arguments.dry_run)
    elif not arguments.quiet:
        print("  would send CONFIG RESETSTAT" if arguments.dry_run else "  the counters are 0 now")


RUN: Mapping[str, Callable[[argparse.Namespace, Reached], Any]] = {
    "set": change,
    "rewrite": rewrite,
    "reset-stat": reset,
}
