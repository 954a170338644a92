"""key show: everything about one key, and a page of what it holds."""

from collections.abc import Callable
from typing import NamedTuple

from keywright.errors import KeywrightError, ReplyError
from keywright.wire import Wire
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.escapes import shown
from keywright_ops.model.login import ADMIN
from keywright_ops.ops.keyspace.values import (
    ITEMS,
    PIECE,
    READS,
    About,
    Part,
    about_key,
    joined,
    read_all,
    read_part,
)

SENDS = (
    "TYPE", "PTTL", "MEMORY USAGE", "OBJECT ENCODING", "OBJECT IDLETIME", "OBJECT FREQ", "STRLEN",
    "LLEN", "SCARD", "ZCARD", "HLEN", "XLEN", "GETRANGE", "LRANGE", "SSCAN", "ZRANGE", "HSCAN", "XRANGE",
    "CLIENT NO-TOUCH",
)  # fmt: skip
PATIENCE = 30.0  # seconds for one answer


class Shown(NamedTuple):
    """One key: `part` of its value, None with the reason in `why` where it may not be read.

    `refused` are the questions that this user may not ask.
    """

    name: bytes
    about: About
    part: Part | None
    why: str
    refused: tuple[str, ...]


class NoKey(KeywrightError):
    """There is no key of that name (any more)."""


def no_key(name: bytes, reached: Reached) -> NoKey:
    """What to say of a key that is not there."""
    where = f"in database {reached.database} of {reached.plan.environment}"
    return NoKey(
        f"there is no key {shown(name)} {where}", "it may have ended; `keywright keys` lists"
    )


def open_raw(reached: Reached) -> Wire:
    """A connection for bytes, whose looking does not make keys look used (where the server can that)."""
    wire = reached.wire(raw=True, timeout=PATIENCE)
    if reached.login == ADMIN and reached.opened is not None:
        wire.batch(
            [("CLIENT", "NO-TOUCH", "on")]
        )  # since 7.2; elsewhere it says no, and that is all
    return wire


def show_key(
    reached: Reached,
    name: bytes,
    *,
    start: str = "",
    most: int = 0,
    whole: bool = False,
    emit: Callable[[Part], None] | None = None,
) -> Shown:
    """Ask about a key, and read its value from `start` on: `most` bytes or members (0: a usual page), or
    the `whole` of it; `emit` is handed the pages as they come, and they are not kept.

    Raises NoKey, ReplyError for a refusal, Unreachable.
    """
    with open_raw(reached) as wire:
        about, refusals = about_key(wire, name)
        if "TYPE" in refusals:
            raise reached.explain(refusals["TYPE"], ("TYPE",))
        if about.type == "none":
            raise no_key(name, reached)
        part, why = _value(reached, wire, name, about, start, most, whole, emit)
    return Shown(name, about, part, why, tuple(refusals))


def _value(
    reached: Reached,
    wire: Wire,
    name: bytes,
    about: About,
    start: str,
    most: int,
    whole: bool,
    emit: Callable[[Part], None] | None,
) -> tuple[Part | None, str]:
    parts: list[Part] = []
    try:
        if whole:
            read_all(wire, name, about.type, emit or parts.append, start)
        else:
            usual = PIECE if about.type == "string" else ITEMS
            parts.append(read_part(wire, name, about.type, start, most or usual))
    except ReplyError as refusal:
        if refusal.code != "NOPERM":
            if about.type not in READS:
                return None, str(refusal)
            raise
        return None, (
            f"user {reached.login} may see names, types, TTLs and sizes, but no values"
            f" ({READS.get(about.type, 'GET')} is not allowed)"
        )
    return joined(parts), ""
