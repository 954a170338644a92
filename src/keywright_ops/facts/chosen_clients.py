"""Which connections are meant, and how many of each kind: filters, order and groups of CLIENT LIST."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from keywright_ops.facts.clients import Connection

GROUPS = ("name", "address", "user")
# what connections are sorted by, and whether the largest comes first
ORDERS = {
    "id": False, "name": False, "user": False, "address": False, "age": True, "idle": True,
    "database": False, "command": False, "memory": True, "output": True,
}  # fmt: skip


class Choice(NamedTuple):
    """Which connections: those to which all that is given applies. An `address` is a host or host:port;
    `idle` is seconds at least, None for any."""

    ids: frozenset[int] = frozenset()
    addresses: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    idle: int | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is given: all connections are meant."""
        return not (self.ids or self.addresses or self.users or self.names) and self.idle is None

    def means(self, one: Connection) -> bool:
        """Whether this connection is one of them."""
        return (
            (not self.ids or one.id in self.ids)
            and (not self.addresses or bool(self.addresses & {one.address, one.host}))
            and (not self.users or one.user in self.users)
            and (not self.names or one.name in self.names)
            and (self.idle is None or one.idle >= self.idle)
        )


class ClientGroup(NamedTuple):
    """All connections with one name, address (host) or user: how many, how many of them idle for a minute
    at least, the longest idle time (seconds), memory and waiting output (bytes), and who they are besides."""

    key: str
    connections: int
    idle: int
    longest_idle: int
    memory: int
    output: int
    users: tuple[str, ...]
    hosts: tuple[str, ...]


def sort_clients(clients: Iterable[Connection], by: str) -> tuple[Connection, ...]:
    """Return the connections by one of ORDERS; those that are alike by id."""
    found = sorted(clients, key=lambda each: each.id)
    return tuple(sorted(found, key=lambda each: getattr(each, by), reverse=ORDERS[by]))


def group_clients(clients: Sequence[Connection], by: str) -> tuple[ClientGroup, ...]:
    """Return the groups by one of GROUPS, the largest first."""
    groups: dict[str, list[Connection]] = {}
    for each in clients:
        groups.setdefault(each.host if by == "address" else getattr(each, by), []).append(each)
    found = [
        ClientGroup(
            key,
            len(members),
            sum(each.idle >= 60 for each in members),
            max(each.idle for each in members),
            sum(each.memory for each in members),
            sum(each.output for each in members),
            tuple(sorted({each.user for each in members})),
            tuple(sorted({each.host for each in members})),
        )
        for key, members in groups.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.connections, each.key)))
