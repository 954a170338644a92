"""clients: who is connected."""

from collections.abc import Sequence
from typing import NamedTuple

from keywright.errors import ReplyError
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.chosen_clients import Choice
from keywright_ops.facts.clients import Connection, parse_connections
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.numbers import whole

SENDS = ("CLIENT LIST", "CLIENT ID", "INFO")


class ClientsReport(NamedTuple):
    """The connections that are meant, of `all` there are and `most` there may be (0: not told).

    `own` is the id of the connection that asked; `blocked` wait in a command of their own.
    """

    clients: Sequence[Connection]
    all: int
    most: int
    blocked: int
    own: int


def clients(reached: Reached, choice: Choice) -> ClientsReport:
    """Ask who is connected; raises ReplyError for a user who may not."""
    wanted = ("CLIENT", "LIST")
    told, own, info = reached.ask([wanted, ("CLIENT", "ID"), ("INFO", "clients")])
    if isinstance(told, ReplyError):
        raise reached.explain(told, wanted)
    everyone = parse_connections(told)
    fields = {} if isinstance(info, ReplyError) else parse_info(info)
    return ClientsReport(
        tuple(each for each in everyone if choice.means(each)),
        len(everyone),
        whole(fields, "maxclients"),
        whole(fields, "blocked_clients"),
        0 if isinstance(own, ReplyError) else int(own),
    )
