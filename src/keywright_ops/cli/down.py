"""`keywright down`: stop the server; its data stays, unless --volumes has it removed."""

import argparse
import os
import sys

from keywright_ops.actions.down import down, down_steps
from keywright_ops.actions.environment import open_environment
from keywright_ops.actions.remove import (
    COPIES,
    RemoveReport,
    copies_folder,
    open_with_data,
    removal_steps,
    remove_data,
)
from keywright_ops.actions.up import home_of
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.as_json import kept_json, plan_json, show_json, steps_json
from keywright_ops.cli.asking import ask
from keywright_ops.cli.diff import show_steps
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import environment_option, show_pairs, size
from keywright_ops.model.absence import Missing
from keywright_ops.model.step import Step

PAGE = "docs/operating/copies.md"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add down's own arguments."""
    changing(parser)
    parser.add_argument(
        "-v", "--volumes", action="store_true", help="remove the data too, after keeping a copy"
    )


def run(arguments: argparse.Namespace) -> int:
    """Stop the server, or print the steps."""
    if arguments.volumes:
        return _run_volumes(arguments)
    if arguments.dry_run:
        opened = open_environment(arguments.file, arguments.env, os.environ)
        show_steps("down", opened.plan, down_steps(opened), arguments)
        return EXIT_WELL
    report = down(ask(arguments))
    if arguments.json:
        show_json(
            "down", **plan_json(report.plan), steps=steps_json(report.steps), state=report.home
        )
    elif not arguments.quiet:
        if not report.steps:
            print(f"  no server of {report.plan.environment} runs: nothing to do")
        if report.plan.unit is not None:
            print(f"  the data stays on the host, in {report.plan.persistence.directory}")
        else:
            print(f"  data and passwords stay in {report.home}")
    return EXIT_WELL


def _run_volumes(arguments: argparse.Namespace) -> int:
    """Remove the data, or print the steps."""

    wanted = ask(arguments)
    if arguments.dry_run:
        opened = open_with_data(wanted)
        known = removal_steps(opened)
        show_steps("down", opened.plan, known.steps, arguments)
        if known.steps and not arguments.json:
            show_pairs((("data", known.lying.place), ("copies", copies_folder(opened))))
        return EXIT_WELL

    def confirm(steps: tuple[Step, ...]) -> bool:
        if sys.stdin.isatty() and not arguments.yes:
            print("A copy is kept first, and proven to load, in", file=sys.stderr)
            print(f"  {home_of(wanted)}/{COPIES}", file=sys.stderr)
            print(f"{PAGE} says how to bring it back.", file=sys.stderr)
        return wanted.confirm(steps)

    report = remove_data(wanted._replace(confirm=confirm))
    if arguments.json:
        kept = kept_json(report.kept)
        steps = steps_json(report.steps)
        show_json("down", **plan_json(report.plan), steps=steps, state=report.home, copy=kept)
    elif not arguments.quiet:
        _show(report)
    return EXIT_WELL


def _show(report: RemoveReport) -> None:
    """What was kept, where, and the commands that bring it back."""
    if not report.steps:
        print(f"  {report.plan.environment} has no server that runs and no data: nothing to do")
    if not isinstance(report.kept, Missing):
        manifest, folder = report.kept.manifest, report.kept.folder
        print(f"  kept a copy of {manifest.keys} keys, {size(manifest.size)}, in")
        print(f"    {folder}")
        print(f"  to bring it back while there is no other data ({PAGE}):")
        for command in _back(report, f"{folder}/data"):
            print(f"    {command}")
    print(f"  passwords and configuration stay in {report.home}")


def _back(report: RemoveReport, copy: str) -> tuple[str, ...]:
    """The commands that bring a copy back: into the folder, or through a container into the volume."""
    plan = report.plan
    where = environment_option(plan)
    if plan.container is None:
        return f"cp -a '{copy}' '{report.place}'", f"keywright up{where}"
    volume, image = plan.container.volume, plan.engine.image
    mounts = f"-v {volume}:/data -v '{copy}':/from:ro"
    return (
        f"docker volume create {volume}",
        f"docker run --rm {mounts} --entrypoint cp {image} -a /from/. /data/",
        f"keywright up{where}",
    )
