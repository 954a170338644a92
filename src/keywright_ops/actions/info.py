"""info: what the server says of itself (INFO), whole or one section."""

from collections.abc import Mapping

from keywright.errors import InputError, ReplyError
from keywright_ops.actions.environment import open_environment
from keywright_ops.facts.info import parse_info
from keywright_ops.model.login import ADMIN


def info(
    file: str | None, environment: str | None, environ: Mapping[str, str], section: str
) -> dict[str, str]:
    """Return INFO's fields, of one section or ("" ) all.

    Raises Unreachable when the server does not run, InputError for a section that it does not have.
    """
    opened = open_environment(file, environment, environ)
    reply = opened.target.redis.ask(ADMIN, [("INFO", section) if section else ("INFO",)])[0]
    if isinstance(reply, ReplyError):
        raise reply
    found = parse_info(reply)
    if section and not found:
        raise InputError(
            f"the server has no INFO section {section!r}",
            "sections are server, clients, memory, persistence, stats, replication, cpu, keyspace …",
        )
    return found
