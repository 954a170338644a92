"""Reads CLIENT LIST: one line per connection, words of the form field=value."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from keywright_ops.model.facts import Client  # a list of all that is told needs none


class Connection(NamedTuple):
    """One connection as CLIENT LIST tells all of it; times in seconds, sizes in bytes.

    `flags` are the server's letters (see FLAGS). `query` is what its input buffer takes, `output` what
    waits to be read by it, `memory` all of it (0 where the server does not say). `command` is its last,
    as people write it; `library` the client library with its version, "" where it never said.
    """

    id: int
    name: str
    user: str
    address: str
    age: int
    idle: int
    flags: str
    database: int
    command: str
    subscriptions: int
    query: int
    output: int
    memory: int
    library: str
    resp: int

    @property
    def replica(self) -> bool:
        """Whether it is a server of the same replication: its replica or its primary."""
        return bool(set(self.flags) & set("SM")) and "O" not in self.flags

    @property
    def host(self) -> str:
        """The address without its port; a unix socket's path."""
        return self.address.rpartition(":")[0] or self.address


# The letters of `flags` that a person may want to know of.
FLAGS = {
    "O": "monitor", "S": "replica", "M": "primary", "P": "subscriber", "x": "in MULTI", "b": "blocked",
    "t": "tracking", "d": "WATCH broken", "c": "closing", "u": "unblocked", "A": "closing at once",
    "r": "reads only", "i": "waits for I/O", "e": "not evicted", "T": "touches no LRU",
}  # fmt: skip


def fields_of(line: str) -> dict[str, str]:
    """Return a line's fields; a word without = goes on with the value before it (a socket's path with a
    space)."""
    fields: dict[str, str] = {}
    last = ""
    for word in line.split(" "):
        name, equals, value = word.partition("=")
        if equals:
            fields[last := name] = value
        elif last:
            fields[last] += f" {word}"
    return fields


def parse_client_list(text: str) -> "tuple[Client, ...]":
    """Return the connections in the server's order; a line without an id is skipped."""
    from keywright_ops.model.facts import Client

    return tuple(
        Client(each.id, each.user, each.address, each.name, each.age)
        for each in parse_connections(text)
    )


def parse_connections(text: str) -> tuple[Connection, ...]:
    """Return the connections with all that is told of them, in the server's order."""
    found = []
    for line in text.split("\n"):
        fields = fields_of(line.rstrip("\r"))
        if fields.get("id", "").isdigit():
            found.append(_connection(fields))
    return tuple(found)


def _connection(fields: dict[str, str]) -> Connection:
    def count(name: str) -> int:
        value = fields.get(name, "")
        return int(value) if value.lstrip("-").isdigit() else 0

    version = fields.get("lib-ver", "")
    command = fields.get("cmd", "")
    return Connection(
        id=int(fields["id"]),
        name=fields.get("name", ""),
        user=fields.get("user", ""),
        address=fields.get("addr", ""),
        age=count("age"),
        idle=count("idle"),
        flags=fields.get("flags", ""),
        database=count("db"),
        command="" if command == "NULL" else command.replace("|", " ").upper(),
        subscriptions=count("sub") + count("psub") + count("ssub"),
        query=count("qbuf") + count("qbuf-free"),
        output=count("obl") + count("omem"),
        memory=count("tot-mem"),
        library=" ".join(each for each in (fields.get("lib-name", ""), version) if each),
        resp=count("resp"),
    )
