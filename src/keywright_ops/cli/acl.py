"""`keywright acl list|show|dryrun|log|whoami`: users and rights in words, and who was refused."""

import argparse
from collections.abc import Sequence
from typing import Any

from keywright.errors import InputError
from keywright_ops.actions.acl import (
    LogReport,
    UserReport,
    UserRow,
    Verdict,
    acl_dryrun,
    acl_list,
    acl_log,
    acl_log_reset,
    acl_show,
    acl_whoami,
)
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.looking import looking, over, reach_one
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL
from keywright_ops.cli.show import (
    GREEN,
    RED,
    WIDTH,
    YELLOW,
    coloured,
    duration,
    show_pairs,
    wrapped,
)
from keywright_ops.facts.acl_log import Group

# word → (fewest, most) further words, and how they are called
VERBS = {
    "list": (0, 0, ""),
    "show": (1, 1, "USER"),
    "dryrun": (2, None, "USER COMMAND…"),
    "log": (0, 0, ""),
    "whoami": (0, 0, ""),
}
MOST_OBJECTS = 3


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add acl's own arguments."""
    parser.add_argument("verb", choices=tuple(VERBS), help="what to look at")
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="show: USER; dryrun: USER COMMAND…"
    )
    parser.add_argument("--reset", action="store_true", help="log: forget it, after asking")
    parser.add_argument("--all", action="store_true", help="log: Keywright's own questions too")
    changing(parser)
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look, or forget the log."""
    words, verb = arguments.words, arguments.verb
    least, most, called = VERBS[verb]
    if len(words) < least or (most is not None and len(words) > most):
        needs = f"needs {called}" if called else "takes no words"
        raise InputError(f"acl {verb} {needs}", f"keywright acl {verb} {called}".rstrip())
    if verb == "list":
        return over(arguments, "acl-list", acl_list, _show_list, _list_fields)
    if verb == "show":
        return over(
            arguments, "acl-show", lambda r: acl_show(r, words[0]), _show_user, _user_fields
        )
    if verb == "whoami":
        return over(arguments, "acl-whoami", acl_whoami, _show_name, lambda name: {"user": name})
    if verb == "dryrun":
        return _dryrun(arguments, words[0], words[1:])
    if arguments.reset:
        return _reset(arguments)
    show = lambda _, report: _show_log(report, arguments.all)  # noqa: E731 - one word more
    return over(arguments, "acl-log", acl_log, show, _log_fields)


def _show_name(_: Reached, name: str) -> None:
    print(name)


def _show_list(_: Reached, rows: Sequence[UserRow]) -> None:
    names = max((len(each.name) for each in rows), default=0)
    for each in rows:
        state = "on" if each.enabled else coloured("off", YELLOW)
        first = f"{each.name:<{names}}  {state:<3}  {_passwords(each)}{_connected(each)}"
        print(f"  {first}")
        indent = " " * (names + 9)
        text = f"{each.rights}; keys: {each.keys}; channels: {each.channels}"
        print("\n".join(wrapped(text, indent, WIDTH)))


def _passwords(each: UserRow) -> str:
    if each.nopass:
        return coloured("no password needed", RED)
    count = f"{each.passwords} password{'' if each.passwords == 1 else 's'}"
    age = f", {each.age} days old" if each.age is not None else ""
    return count + age


def _connected(each: UserRow) -> str:
    if not each.connections:
        return ""
    return f", {each.connections} connection{'' if each.connections == 1 else 's'}"


def _show_user(_: Reached, report: UserReport) -> None:
    row = report.row
    known = f" ({row.purpose})" if row.purpose else ""
    print(
        f"{row.name}{known}: {'on' if row.enabled else 'off'}, {_passwords(row)}{_connected(row)}"
    )
    pairs = [("rights", row.rights), ("keys", row.keys), ("channels", row.channels)]
    if report.marks:
        pairs.append(("passwords", " ".join(f"#{mark}…" for mark in report.marks)))
    show_pairs(pairs)
    print("rules")
    print("\n".join(wrapped(" ".join(report.rules), "  ")))
    for title, names in (
        ("may, of what the guide uses", report.allowed),
        ("may not", report.refused),
    ):
        print(title)
        print("\n".join(wrapped(", ".join(names) or "nothing", "  ")))
    if any(each.startswith("(") for each in report.rules):
        print("a selector (…) adds rights that are not counted here: `keywright acl dryrun` asks")


def _dryrun(arguments: argparse.Namespace, name: str, words: Sequence[str]) -> int:
    """Exit 0 when it may, 1 when it may not."""
    with reach_one(arguments) as reached:
        verdict = acl_dryrun(reached, name, words)
        if arguments.json:
            from keywright_ops.cli.as_json import plan_json, show_json

            fields = {"user": name, "command": words[0], **verdict._asdict()}
            show_json("acl-dryrun", **plan_json(reached.plan), **fields)
        elif not arguments.quiet:
            _show_verdict(name, words, verdict)
    return EXIT_WELL if verdict.may else EXIT_FAILED


def _show_verdict(name: str, words: Sequence[str], verdict: Verdict) -> None:
    mark = coloured("✓", GREEN) if verdict.may else coloured("✗", RED)
    said = "may" if verdict.may else "may not"
    print(f"  {mark} {name} {said} {words[0].upper()}{': ' + verdict.why if verdict.why else ''}")
    if verdict.judged:
        print("    judged by the command's right alone: this server has no ACL DRYRUN (Redis 7.0)")


def _reset(arguments: argparse.Namespace) -> int:
    from keywright_ops.cli.consent import agree

    with reach_one(arguments) as reached:
        found = acl_log(reached)
        count = sum(each.times for each in found.groups)
        if arguments.dry_run:
            told = f"would forget {count} refusals"
        else:
            agree(arguments.yes, (f"this forgets who was refused ({count} refusals)",))
            acl_log_reset(reached)
            told = f"forgot {count} refusals"
        if arguments.json:
            from keywright_ops.cli.as_json import plan_json, show_json

            show_json("acl-log-reset", **plan_json(reached.plan), refusals=count,
                      dry_run=arguments.dry_run)  # fmt: skip
        elif not arguments.quiet:
            print(f"  {told}")
    return EXIT_WELL


def _show_log(report: LogReport, everything: bool) -> None:
    shown = [each for each in report.groups if everything or not each.ours]
    if not shown:
        print("  nobody was refused (what comes without any login is refused without a trace)")
    for each in shown:
        who = f"{_plain(each.user)} from {each.address or 'a unix socket'}"
        name = f" ({_plain(each.name)})" if each.name else ""
        print(f"  {each.times:>5} × {who}{name}: {_refusal(each)}")
        ago = f"{duration(int(each.newest))} ago"
        if each.times > 1 and each.oldest - each.newest > 1:
            ago = f"last {ago}, first {duration(int(each.oldest))} ago"
        print(f"          {ago}{_whose(each)}")
    if report.own and not everything:
        print(f"  and {report.own} of Keywright's own questions (--all)")


def _whose(each: Group) -> str:
    if each.ours:
        return "; Keywright's own question"
    if each.user == "health" or "health" in each.name.lower():
        return "; a health check"
    return ""


def _refusal(each: Group) -> str:
    if each.reason == "auth":
        return "a wrong password"
    objects = [_plain(each) for each in each.objects[:MOST_OBJECTS]]
    more = (
        f" and {len(each.objects) - MOST_OBJECTS} more" if len(each.objects) > MOST_OBJECTS else ""
    )
    what = {"command": "the command", "key": "the key", "channel": "the channel"}.get(
        each.reason, each.reason
    )
    text = ", ".join(
        name.upper().replace("|", " ") if each.reason == "command" else name for name in objects
    )
    return f"no right to {what} {text}{more}"


def _plain(text: str) -> str:
    """A text of a stranger's, on one line."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)[:60]


def _list_fields(rows: Sequence[UserRow]) -> dict[str, Any]:
    return {"users": [each._asdict() for each in rows]}


def _user_fields(report: UserReport) -> dict[str, Any]:
    return {
        "user": report.row._asdict(),
        "rules": list(report.rules),
        "marks": list(report.marks),
        "allowed": list(report.allowed),
        "refused": list(report.refused),
    }


def _log_fields(report: LogReport) -> dict[str, Any]:
    rows = [
        each._asdict()
        | {"objects": [_plain(one) for one in each.objects], "user": _plain(each.user)}
        for each in report.groups
    ]
    return {"groups": rows, "own": report.own}
