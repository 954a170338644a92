"""`keywright password rotate` and `keywright password status`; a password itself is never shown."""

import argparse
import os
import sys

from keywright.errors import InputError
from keywright.secret import Secret
from keywright_ops.actions.password import RotateReport, Wish, rotate, rotate_steps
from keywright_ops.actions.secrets import about_passwords
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.as_json import (
    outcome_json,
    plan_json,
    show_json,
    steps_json,
    timing_json,
    warnings_json,
)
from keywright_ops.cli.asking import ask
from keywright_ops.cli.diff import show_steps
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import (
    BOLD,
    YELLOW,
    coloured,
    environment_option,
    show_pairs,
    show_warnings,
    wrapped,
)

LONGEST = 4096  # bytes of a typed password; no server or .env needs more


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add password's own arguments."""
    parser.add_argument("verb", choices=("rotate", "status"), help="change them, or tell their age")
    parser.add_argument("users", nargs="*", metavar="USER", help="whose (default: default)")
    parser.add_argument("--all", action="store_true", help="rotate those of all users")
    parser.add_argument("--hold", action="store_true", help="stop where both passwords are valid")
    parser.add_argument("--finish", action="store_true", help="end the old password that was held")
    parser.add_argument("--undo", action="store_true", help="go back to the old password")
    parser.add_argument(
        "--to-vault", action="store_true", help="take over a password that a variable gives"
    )
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the new password, one line"
    )
    parser.add_argument(
        "--in-place", action="store_true", help="leave a found server as it is otherwise"
    )
    changing(parser)


def run(arguments: argparse.Namespace) -> int:
    """Rotate, print the steps, or tell."""
    if arguments.verb == "status":
        return _status(arguments)
    if sum((arguments.hold, arguments.finish, arguments.undo)) > 1:
        raise InputError("only one of --hold, --finish and --undo can be meant")
    wish = Wish(
        tuple(arguments.users),
        arguments.all,
        arguments.hold,
        arguments.finish,
        arguments.undo,
        arguments.to_vault,
        _typed() if arguments.password_stdin else None,
        arguments.in_place,
    )
    if arguments.dry_run:
        opened, steps = rotate_steps(ask(arguments), wish)
        show_steps("password-rotate", opened.plan, steps, arguments, "password rotate")
        return EXIT_WELL
    report = rotate(ask(arguments), wish)
    if arguments.json:
        _json(report)
    elif not arguments.quiet:
        _show(report, wish)
    return EXIT_WELL


def _typed() -> Secret:
    """The first line of standard input, without its end. Raises InputError for what is no password."""
    if sys.stdin.isatty():
        import getpass  # only for people who type

        line = getpass.getpass("New password: ").encode("utf-8", "surrogateescape")
    else:
        line = sys.stdin.buffer.read(LONGEST + 2)
    text, _, rest = line.partition(b"\n")
    text = text.removesuffix(b"\r")
    if not text or rest.strip() or len(text) > LONGEST or b"\0" in text or b"\r" in text:
        raise InputError(
            f"the new password must be one line of 1 to {LONGEST} bytes on standard input",
            "printf '%s' \"$NEW\" | keywright password rotate --password-stdin",
        )
    try:
        return Secret(text.decode())
    except UnicodeDecodeError:
        raise InputError("the new password on standard input is not UTF-8") from None


def _json(report: RotateReport) -> None:
    show_json(
        "password-rotate",
        **plan_json(report.plan),
        users=list(report.names),
        held=list(report.held),
        steps=steps_json(report.steps),
        proofs=[outcome_json(each) for each in report.outcomes],
        warnings=warnings_json(report.plan),
        timing=timing_json(report.timing),
    )


def _show(report: RotateReport, wish: Wish) -> None:
    """What is valid now, and what is left to do."""
    plan = report.plan
    show_warnings(about_passwords(plan))
    where = environment_option(plan)
    names, held = ", ".join(report.names), ", ".join(report.held)
    if wish.undo:
        line, named = f"the old password of {names} is valid, alone", "the old"
    elif held:
        line, named = f"both passwords of {held} are valid", "the new"
    else:
        line, named = f"the new password of {names} is valid, alone", "the new"
    print(f"\n{coloured(line, BOLD)}")
    pairs = [(plan.application.dotenv, f"names {named} one")] if _named(report) else []
    show_pairs(pairs)
    if held:
        command = f"keywright password rotate{where}"
        print("\nnext")
        show_pairs(
            [(f"{command} --finish", "ends the old one"), (f"{command} --undo", "goes back")]
        )


def _named(report: RotateReport) -> bool:
    """Whether the application's .env names one of these passwords."""
    return report.plan.application.secret in report.names


def _status(arguments: argparse.Namespace) -> int:
    """Exit 0, whatever the age; warnings go to standard error."""
    from keywright_ops.actions.password_status import password_status
    from keywright_ops.vault.file import OLD_DAYS

    report = password_status(arguments.file, arguments.env, os.environ)
    if arguments.json:
        rows = [each._asdict() | {"old": each.old} for each in report.passwords]
        show_json("password-status", **plan_json(report.plan), passwords=rows,
                  warnings=warnings_json(report.plan))  # fmt: skip
        return EXIT_WELL
    if arguments.quiet:
        return EXIT_WELL
    width = max((len(each.user) for each in report.passwords), default=0)
    for each in report.passwords:
        age = f"{each.age} days, since {each.since}" if each.since else "age not known"
        phase = f"  rotation: {each.phase}{', held' if each.held else ''}" if each.phase else ""
        print(f"  {each.user:<{width}}  {KEEPERS[each.source]:<12} {age}{phase}")
    old = [each.user for each in report.passwords if each.old]
    if old:
        text = f"older than {OLD_DAYS} days: {', '.join(old)}; keywright password rotate {' '.join(old)}"
        print(f"  {coloured('!', YELLOW)} {wrapped(text, '    ')[0].lstrip()}", file=sys.stderr)
    show_warnings(about_passwords(report.plan))
    return EXIT_WELL


KEEPERS = {
    "vault": "in the vault",
    "variable": "a variable",
    "guide": "the guide's",
    "nobody": "not made yet",
}
