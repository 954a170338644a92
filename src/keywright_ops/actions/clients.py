"""clients: who is connected; and the end of connections, which is guarded."""

from collections.abc import Sequence
from typing import NamedTuple

from keywright.errors import ReplyError
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.chosen_clients import Choice
from keywright_ops.facts.clients import Connection, parse_connections
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.numbers import whole

SENDS = ("CLIENT LIST", "CLIENT ID", "INFO", "CLIENT KILL")
AT_ONCE = 100  # connections that are ended in one round trip


class ClientsReport(NamedTuple):
    """The connections that are meant, of `all` there are and `most` there may be (0: not told).

    `own` is the id of the connection that asked; `blocked` wait in a command of their own.
    """

    clients: Sequence[Connection]
    all: int
    most: int
    blocked: int
    own: int


class Sentence(NamedTuple):
    """Who would be ended, and who of those meant is spared: ourselves, and servers of the replication."""

    ended: Sequence[Connection]
    own: Sequence[Connection]
    replicas: Sequence[Connection]


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


def sentence(report: ClientsReport, replicas: bool) -> Sentence:
    """Judge who of those meant would be ended; `replicas` lets those of the replication be ended too."""
    ended, own, spared = [], [], []
    for each in report.clients:
        if each.id == report.own:
            own.append(each)
        elif each.replica and not replicas:
            spared.append(each)
        else:
            ended.append(each)
    return Sentence(ended, own, spared)


def end_clients(reached: Reached, ended: Sequence[Connection]) -> int:
    """End these very connections (ids are never used again) and return how many were still there."""
    gone = 0
    for first in range(0, len(ended), AT_ONCE):
        commands = [("CLIENT", "KILL", "ID", each.id) for each in ended[first : first + AT_ONCE]]
        for words, reply in zip(commands, reached.ask(commands), strict=True):
            if isinstance(reply, ReplyError):
                raise reached.explain(reply, words)
            gone += int(reply)
    return gone
