"""Finds a replica of a server in its INFO replication. Pure."""

from collections.abc import Mapping
from typing import NamedTuple


class Replica(NamedTuple):
    """Where a replica answers, and how far it has read its primary's stream."""

    host: str
    port: int
    offset: int


def parse_replicas(info: Mapping[str, str]) -> list[Replica]:
    """Return the replicas that are online, the one that is furthest first."""
    found = []
    for name, value in info.items():
        if not (name.startswith("slave") and name[5:].isdigit()):
            continue
        fields = dict(part.partition("=")[::2] for part in value.split(","))
        port = fields.get("port", "")
        if fields.get("state") == "online" and port.isdigit() and fields.get("ip"):
            offset = fields.get("offset", "0")
            found.append(Replica(fields["ip"], int(port), int(offset) if offset.isdigit() else 0))
    return sorted(found, key=lambda each: -each.offset)
