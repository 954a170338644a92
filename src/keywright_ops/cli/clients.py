"""`keywright clients [kill]`: who is connected, and the end of connections."""

import argparse
from typing import TypeVar

from keywright.errors import InputError
from keywright_ops.actions.clients import ClientsReport, clients
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.figures import compact, shortened, show_columns, span, visible
from keywright_ops.cli.looking import looking, over
from keywright_ops.cli.show import size
from keywright_ops.facts.chosen_clients import GROUPS, ORDERS, Choice, group_clients, sort_clients
from keywright_ops.facts.clients import FLAGS, Connection
from keywright_ops.facts.spans import parse_span

Row = TypeVar("Row")
WORTH_A_WORD = "OSMb"  # flags that a list says beside the command


def time_span(text: str) -> int:
    """Return seconds for argparse, with its reason where it is none."""
    try:
        return parse_span(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add clients' own arguments."""
    parser.add_argument(
        "verb", nargs="?", choices=("list", "kill"), default="list", help="look, or end them"
    )
    add = parser.add_argument
    add("--id", metavar="ID", type=int, action="append", default=[], help="this connection")
    add(
        "--address", metavar="HOST", action="append", default=[], help="from there: HOST, HOST:PORT"
    )
    add("--user", metavar="USER", action="append", default=[], help="logged in as this ACL user")
    add("--name", metavar="NAME", action="append", default=[], help="that call themselves so")
    add("--idle-over", metavar="T", type=time_span, help="idle for 90s, 10m, 1h … at least")
    add("--group", choices=GROUPS, help="list: one line for each name, address or user")
    orders = "list: the order: id (default), name, idle, age, memory, output …"
    add("--sort", choices=tuple(ORDERS), metavar="WHAT", default="id", help=orders)
    add("--limit", metavar="N", type=int, default=0, help="list: at most so many lines")
    add("--replicas", action="store_true", help="kill: also connections of the replication")
    changing(parser)
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """List them, or go on to end them."""
    choice = Choice(
        frozenset(arguments.id),
        frozenset(arguments.address),
        frozenset(arguments.user),
        frozenset(arguments.name),
        arguments.idle_over,
    )
    if arguments.verb == "kill":
        from keywright_ops.cli.clients_kill import kill  # only who ends them needs it

        return kill(arguments, choice)
    if arguments.replicas or arguments.dry_run or arguments.yes:
        raise InputError("--replicas, --dry-run and --yes belong to `clients kill`")
    return over(
        arguments,
        "clients",
        lambda reached: clients(reached, choice),
        lambda _, report: _show(arguments, report),
        lambda report: _fields(arguments, report),
    )


def _fields(arguments: argparse.Namespace, report: ClientsReport) -> dict[str, object]:
    chosen = sort_clients(report.clients, arguments.sort)
    fields: dict[str, object] = {
        "all": report.all,
        "maxclients": report.most,
        "blocked": report.blocked,
        "own": report.own,
        "clients": [client_json(each) for each in _limited(arguments, chosen)],
    }
    if arguments.group:
        groups = group_clients(report.clients, arguments.group)
        fields["groups"] = [each._asdict() for each in _limited(arguments, groups)]
    return fields


def client_json(one: Connection) -> dict[str, object]:
    """One connection for a machine, its flags in words too."""
    return one._asdict() | {"states": [FLAGS[flag] for flag in one.flags if flag in FLAGS]}


def _limited(arguments: argparse.Namespace, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    return rows[: arguments.limit] if arguments.limit > 0 else rows


def _show(arguments: argparse.Namespace, report: ClientsReport) -> None:
    if arguments.group:
        _show_groups(arguments, report)
    else:
        found = sort_clients(report.clients, arguments.sort)
        show_clients(_limited(arguments, found), report.own)
    print(f"\n  {_summary(report)}")


def _summary(report: ClientsReport) -> str:
    """How many, of how many there may be, and what they cost."""
    shown = len(report.clients)
    of = f" of {report.all}" if shown != report.all else ""
    words = [f"{shown}{of} connection{'' if shown == 1 and not of else 's'}"]
    words += [f"at most {report.most}"] if report.most else []
    words.append(f"buffers {size(sum(each.memory for each in report.clients))}")
    words += [f"{report.blocked} blocked"] if report.blocked else []
    return ", ".join(words)


def show_clients(found: "tuple[Connection, ...]", own: int) -> None:
    """One line each; the connection that asks is marked."""
    rows = [
        (
            f"{each.id}{'*' if each.id == own else ''}",
            visible(each.name),
            visible(each.user),
            visible(each.address),
            span(each.age),
            span(each.idle),
            str(each.database),
            _command(each),
            compact(each.memory) if each.memory else "",
        )
        for each in found
    ]
    heads = ("id", "name", "user", "address", "age", "idle", "db", "command", "memory")
    show_columns(heads, rows, left=(0, 1, 2, 3, 7), shrink=(1, 2, 7), last=(3,))
    if any(each.id == own for each in found):
        print("  * this question's own connection")


def _command(one: Connection) -> str:
    states = [FLAGS[flag] for flag in one.flags if flag in WORTH_A_WORD]
    words = ", ".join(each for each in states if each.upper() != one.command)
    return f"{one.command} {words}" if words else one.command


def _show_groups(arguments: argparse.Namespace, report: ClientsReport) -> None:
    groups = _limited(arguments, group_clients(report.clients, arguments.group))
    rows = [
        (
            visible(each.key) or "(none)",
            str(each.connections),
            str(each.idle),
            span(each.longest_idle),
            size(each.memory),
            size(each.output),
            shortened(visible(" ".join(_others(arguments.group, each.users, each.hosts))), 30),
        )
        for each in groups
    ]
    also = "users" if arguments.group == "address" else "from"
    heads = (arguments.group, "n", "idle", "longest", "memory", "waiting", also)
    show_columns(heads, rows, left=(0, 6), shrink=(0, 6))


def _others(by: str, users: tuple[str, ...], hosts: tuple[str, ...]) -> tuple[str, ...]:
    return users if by == "address" else hosts
