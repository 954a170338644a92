"""What every changing command needs of a person: progress while it works, and an answer where it asks."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from keywright_ops.actions.up import Ask
from keywright_ops.cli.outcomes import show_outcome
from keywright_ops.cli.show import DIM, GREEN, RED, YELLOW, coloured, columns
from keywright_ops.model.proof import FAILED, Outcome
from keywright_ops.model.step import Danger, Step

if TYPE_CHECKING:
    from keywright_ops.steps.foreseen import Needs

MARKS = {"done": ("✓", GREEN), "failed": ("✗", RED), "undone": ("↺", YELLOW)}


def ask(arguments: argparse.Namespace) -> Ask:
    """Return what the person asked for, with the ways to talk back."""
    silent = arguments.json or arguments.quiet
    return Ask(
        file=arguments.file,
        environment=arguments.env,
        environ=os.environ,
        watch=_silent if silent else _progress(),
        proved=_unseen if arguments.json else _failure if arguments.quiet else show_outcome,
        confirm=_confirm(getattr(arguments, "yes", False)),
        adopt=getattr(arguments, "adopt", False),
        engine=getattr(arguments, "engine", None) or "",
        needs=None if silent else _needs,
    )


def _needs(needs: "Needs") -> None:
    from keywright_ops.cli.needs import show_needs  # a Linux host alone needs anything

    show_needs(needs)


def _silent(event: str, step: Step) -> None:
    """Nothing is said while a machine reads."""


def _unseen(outcome: Outcome) -> None:
    """Nothing is shown while a machine reads."""


def _failure(outcome: Outcome) -> None:
    """--quiet prints what went wrong, and nothing else."""
    if outcome.verdict == FAILED:
        show_outcome(outcome)


def _progress() -> Callable[[str, Step], None]:
    """Each step is one line: on a terminal what is being done stands there until it is done."""
    live = sys.stdout.isatty()

    def watch(event: str, step: Step) -> None:
        if event == "doing" and live:
            title = step.title[: columns() - 5]  # a line that wraps could not be written over
            print(f"  {coloured('…', DIM)} {title}", end="\r", flush=True)
        elif event in MARKS:
            mark, colour = MARKS[event]
            told = " (taken back)" if event == "undone" else ""
            print(f"  {coloured(mark, colour)} {step.title}{told}", flush=True)

    return watch


def _confirm(yes: bool) -> Callable[[tuple[Step, ...]], bool]:
    """Ask on a terminal; without one the answer is no, unless --yes gave it."""

    def confirm(steps: tuple[Step, ...]) -> bool:
        if yes:
            return True
        if not sys.stdin.isatty():
            return False
        from keywright_ops.cli.consent import says_yes

        loses = any(step.danger is Danger.LOSES_DATA for step in steps)
        print("This loses data:" if loses else "Clients must follow this:", file=sys.stderr)
        for step in steps:
            print(f"  {step.title}", file=sys.stderr)
        return says_yes()

    return confirm
