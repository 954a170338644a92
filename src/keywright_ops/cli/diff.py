"""`keywright diff`: what `up` would change, changing nothing."""

import argparse

from keywright_ops.actions.up import plan_steps
from keywright_ops.cli.arguments import engine_option
from keywright_ops.cli.as_json import plan_json, planned_json, show_json
from keywright_ops.cli.asking import ask
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL
from keywright_ops.cli.show import DIM, RED, YELLOW, coloured
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Danger, Step

DANGERS = {
    Danger.SAFE: "",
    Danger.DISTURBS: "disturbs",
    Danger.CLIENTS_FOLLOW: "clients must follow",
    Danger.LOSES_DATA: "loses data",
}
COLOURS = {Danger.DISTURBS: YELLOW, Danger.CLIENTS_FOLLOW: YELLOW, Danger.LOSES_DATA: RED}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add diff's own arguments."""
    parser.add_argument("--strict", action="store_true", help="exit with 1 when something differs")
    engine_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the steps of the next `up`."""
    opened, steps = plan_steps(ask(arguments))
    show_steps("diff", opened.plan, steps, arguments)
    return EXIT_FAILED if steps and arguments.strict else EXIT_WELL


def show_steps(
    kind: str,
    plan: Plan,
    steps: tuple[Step, ...],
    arguments: argparse.Namespace,
    command: str = "up",
) -> None:
    """The steps that `command` would do, each with what it can cost."""
    if arguments.json:
        show_json(kind, **plan_json(plan), dry_run=True, steps=planned_json(steps, plan))
        return
    if not steps:
        well = "has no server that runs" if kind == "down" else "is as declared"
        print(f"  {plan.environment} {well}: nothing to do")
        return
    command = "up" if kind == "diff" else kind
    print(f"`keywright {command}` would, in {plan.environment}:")
    for step in steps:
        print(f"  · {step.title}{_danger(step)}")
        if getattr(arguments, "dry_run", False):
            _show_lines(step, plan)
    if kind != "down":
        print("  · then look again, and prove it")


def _show_lines(step: Step, plan: Plan) -> None:
    """What a person could type instead."""
    from keywright_ops.steps.command_lines import command_lines  # a dry run alone shows them

    for line in command_lines(step, plan):
        print(coloured(f"      {line}", DIM))


def _danger(step: Step) -> str:
    word = DANGERS[step.danger]
    return f"  {coloured(f'[{word}]', COLOURS[step.danger])}" if word else ""
