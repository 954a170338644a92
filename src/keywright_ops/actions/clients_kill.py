"""clients kill: the end of connections, which is guarded: never our own, and no replica unless asked."""

from collections.abc import Sequence
from typing import NamedTuple

from keywright.errors import ReplyError
from keywright_ops.actions.clients import ClientsReport
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.clients import Connection

SENDS = ("CLIENT LIST", "CLIENT ID", "INFO", "CLIENT KILL")
AT_ONCE = 100  # connections that are ended in one round trip


class Sentence(NamedTuple):
    """Who would be ended, and who of those meant is spared: ourselves, and servers of the replication."""

    ended: Sequence[Connection]
    own: Sequence[Connection]
    replicas: Sequence[Connection]


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
