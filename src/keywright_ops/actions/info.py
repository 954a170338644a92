"""info: what the server says of itself (INFO), whole or some sections."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from keywright.errors import InputError, ReplyError
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.info import Keyspace, parse_info, parse_keyspace, parse_sections

SENDS = ("INFO",)


class InfoReport(NamedTuple):
    """INFO's fields, and the same as lines by section; `keyspace` where it was asked for, else None."""

    fields: Mapping[str, str]
    sections: Mapping[str, Sequence[str]]
    keyspace: Sequence[Keyspace] | None


def info(reached: Reached, sections: Sequence[str]) -> InfoReport:
    """Return INFO's fields, of some sections or (none named) all.

    Raises Unreachable when the server does not run, InputError for a section that it does not have.
    """
    # one INFO for each: only from 7.0 one takes several
    commands: list[tuple[str, ...]] = [("INFO", section) for section in sections] or [("INFO",)]
    text = ""
    for words, told in zip(commands, reached.ask(commands), strict=True):
        if isinstance(told, ReplyError):
            raise reached.explain(told, words)
        if len(words) > 1 and not told.strip():
            raise InputError(
                f"the server has no INFO section {words[1]!r}",
                "sections are server, clients, memory, persistence, stats, replication, cpu, "
                "commandstats, latencystats, errorstats, cluster, keyspace, all, everything",
            )
        text += told + "\n"
    found, fields = parse_sections(text), parse_info(text)
    return InfoReport(fields, found, parse_keyspace(fields) if "Keyspace" in found else None)
