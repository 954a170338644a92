"""info: what the server says of itself (INFO), whole or one section."""

from collections.abc import Mapping

from keywright.errors import InputError
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.info import parse_info

SENDS = ("INFO",)


def info(reached: Reached, section: str) -> Mapping[str, str]:
    """Return INFO's fields, of one section or ("" ) all.

    Raises Unreachable when the server does not run, InputError for a section that it does not have.
    """
    told = reached.call("INFO", section) if section else reached.call("INFO")
    if section and not told.strip():
        raise InputError(
            f"the server has no INFO section {section!r}",
            "sections are server, clients, memory, persistence, stats, replication, cpu, keyspace …",
        )
    return parse_info(told)
