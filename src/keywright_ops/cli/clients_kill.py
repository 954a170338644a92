"""`keywright clients kill`: shows who and how many first, then asks."""

import argparse

from keywright.errors import InputError
from keywright_ops.actions.clients import clients
from keywright_ops.actions.clients_kill import Sentence, end_clients, sentence
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.clients import client_json, show_clients
from keywright_ops.cli.consent import consent
from keywright_ops.cli.looking import reach_one
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import YELLOW, coloured
from keywright_ops.facts.chosen_clients import Choice


def kill(arguments: argparse.Namespace, choice: Choice) -> int:
    """End the connections that are meant; never our own, and none of the replication unless asked."""
    if choice.empty:
        raise InputError(
            "clients kill: which connections?",
            "--id, --address, --user, --name or --idle-over say which",
        )
    if "," in (arguments.env or ""):
        raise InputError("clients kill takes one environment", "one -e after the other")
    with reach_one(arguments) as reached:
        judged = sentence(clients(reached, choice), arguments.replicas)
        silent = arguments.json or arguments.quiet
        if not silent:
            _announce(judged)
        ended = 0
        if judged.ended and not arguments.dry_run:
            n = len(judged.ended)
            what = f"end {n} connection{'' if n == 1 else 's'}?"
            consent(what, arguments.yes)
            ended = end_clients(reached, judged.ended)
        if arguments.json:
            _json(reached, judged, ended, arguments.dry_run)
        elif not silent and not arguments.dry_run and judged.ended:
            gone = len(judged.ended) - ended
            left = f"; {gone} had gone by themselves" if gone else ""
            print(f"  {ended} ended{left}")
    return EXIT_WELL


def _json(reached: Reached, judged: Sentence, ended: int, dry_run: bool) -> None:
    from keywright_ops.cli.as_json import plan_json, show_json

    show_json(
        "clients-kill",
        **plan_json(reached.plan),
        dry_run=dry_run,
        clients=[client_json(each) for each in judged.ended],
        spared=[client_json(each) for each in (*judged.own, *judged.replicas)],
        ended=ended,
    )


def _announce(judged: Sentence) -> None:
    """Who would be ended, and who is spared, with the reason."""
    if judged.ended:
        show_clients(tuple(judged.ended), 0)
        print()
    else:
        print("  nobody is connected whom this means")
    mark = coloured("!", YELLOW)
    if judged.own:
        print(f"  {mark} this question's own connection is spared")
    if judged.replicas:
        n = len(judged.replicas)
        print(f"  {mark} {n} of the replication spared: --replicas ends them too (a full sync)")
