"""Several environments at once: asked at the same time, shown in the order in which they were named."""

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from keywright.errors import KeywrightError
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.as_json import plan_json, show_json
from keywright_ops.cli.looking import complain, reach_one
from keywright_ops.cli.main import EXIT_WELL, exit_code
from keywright_ops.cli.show import BOLD, coloured

Report = TypeVar("Report")
MOST_AT_ONCE = 8


def several(
    arguments: argparse.Namespace,
    names: Sequence[str | None],
    report: str,
    look: Callable[[Reached], Report],
    show: Callable[[Reached, Report], None],
    fields: Callable[[Report], dict[str, Any]],
) -> int:
    """Look into every environment, show each, and return the worst exit code; one that cannot be
    reached keeps none of the others from being shown."""

    def looked(name: str | None) -> tuple[Reached, Report] | KeywrightError:
        try:
            with reach_one(arguments, name) as reached:
                return reached, look(reached)
        except KeywrightError as error:
            return error

    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        found = list(pool.map(looked, names))
    worst, objects = EXIT_WELL, []
    for number, (name, each) in enumerate(zip(names, found, strict=True)):
        if arguments.json:
            objects.append(_object(name, each, fields))
            worst = max(worst, exit_code(each) if isinstance(each, KeywrightError) else worst)
            continue
        if not arguments.quiet:
            print(("\n" if number else "") + coloured(f"── {name} ──", BOLD), flush=True)
        if isinstance(each, KeywrightError):
            worst = max(worst, complain(name, each))
        elif not arguments.quiet:
            show(*each)
    if arguments.json:
        show_json(report, environments=objects)
    return worst


def _object(
    name: str | None,
    found: "tuple[Reached, Report] | KeywrightError",
    fields: Callable[[Report], dict[str, Any]],
) -> dict[str, Any]:
    if isinstance(found, KeywrightError):
        return {"environment": name, "error": str(found), "hint": found.hint}
    return plan_json(found[0].plan) | fields(found[1])
