"""keys: which keys there are, by SCAN, with what is wanted to be known of them."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from keywright.errors import InputError, ReplyError
from keywright.wire import Wire
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.escapes import exact
from keywright_ops.ops.keyspace.scan import COUNT, ColumnRefused, Row, questions, rows, scan_pages
from keywright_ops.ops.keyspace.wanted import Shortlist, Wanted

SENDS = ("SCAN", "DBSIZE", "TYPE", "PTTL", "MEMORY USAGE", "OBJECT IDLETIME")
PATIENCE = 30.0  # seconds for one answer: a page behind somebody's long script

Progress = Callable[[int, int, int], None]  # scanned, of how many, found
Emit = Callable[[list[Row]], None]

# A production server has other work: a scan takes this share of its time unless told otherwise.
GENTLE, EAGER = 0.25, 1.0
PRODUCTION = ("docker-prod", "systemd", "azure", "aws")


class Keys(NamedTuple):
    """What was found: `rows` of those that were asked for, `found` of `scanned` among `total` keys.

    `whole` says that all were looked at; `gone` that a key that was named is not there.
    """

    rows: list[Row]
    columns: tuple[str, ...]
    scanned: int
    total: int
    found: int
    whole: bool
    gone: bool = False


def pace_of(reached: Reached, pace: float | None) -> float:
    """The share of the server's time that a scan takes."""
    if pace is not None:
        return pace
    return GENTLE if reached.plan.kind in PRODUCTION else EAGER


def keys(
    reached: Reached,
    wanted: Wanted,
    *,
    shown: bool = True,
    pace: float | None = None,
    progress: Progress | None = None,
    emit: Emit | None = None,
) -> Keys:
    """Find keys. With `emit` rows are handed on as they come and not kept; with `shown` type, TTL and size
    are asked of each. Raises ReplyError, which names what is not allowed, and Unreachable."""
    columns = wanted.columns(shown=shown)
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        total = sized(reached, wire)
        name = exact(wanted.glob)
        if name is not None:
            return _direct(reached, wire, name, wanted, total, emit)
        short, scanned, found = Shortlist(wanted.sort, wanted.limit), 0, 0
        for page in walk(reached, wire, wanted, columns, pace_of(reached, pace)):
            scanned = min(scanned + COUNT, total)
            kept = wanted.keep(page)
            if emit is not None and wanted.limit and found + len(kept) > wanted.limit:
                kept = kept[: wanted.limit - found]
            found += len(kept)
            if emit is None:
                short.add(kept)
            elif kept:
                emit(kept)
            if progress is not None:
                progress(scanned, total, found)
            if short.full or (emit is not None and wanted.limit and found >= wanted.limit):
                return Keys(short.rows(), columns, max(scanned, found), total, found, whole=False)
    return Keys(short.rows(), columns, total, total, found, whole=True)


def sized(reached: Reached, wire: Wire) -> int:
    """How many keys the database has."""
    reply = wire.batch([("DBSIZE",)])[0]
    if isinstance(reply, ReplyError):
        raise reached.explain(reply, ("DBSIZE",))
    return int(reply)


def walk(
    reached: Reached, wire: Wire, wanted: Wanted, columns: tuple[str, ...], pace: float
) -> Iterator[list[Row]]:
    """The pages of a scan; a refusal names the command that is not allowed."""
    try:
        glob = b"" if wanted.glob == b"*" else wanted.glob
        yield from scan_pages(wire, columns, match=glob, kind=wanted.kind, pace=pace)
    except ColumnRefused as refusal:
        if "LFU" in str(refusal):
            raise InputError(
                "the server counts how often keys are used (LFU), not since when they are idle",
                "`keywright key show NAME` tells the frequency; --sort size or ttl",
            ) from None
        raise reached.explain(refusal, refusal.words) from None
    except ReplyError as refusal:
        raise reached.explain(refusal, ("SCAN",)) from None


def _direct(
    reached: Reached, wire: Wire, name: bytes, wanted: Wanted, total: int, emit: Emit | None
) -> Keys:
    """Look up the only name that the pattern can mean."""
    columns = wanted._replace(sort="").columns(shown=True)
    packed = questions([name], columns)
    try:
        found = rows([name], columns, wire.exchange(packed, len(columns)))
    except ColumnRefused as refusal:
        raise reached.explain(refusal, refusal.words) from None
    kept = [row for row in wanted.keep(found) if not wanted.kind or row[1] == wanted.kind.encode()]
    if emit is not None and kept:
        emit(kept)
    listed = kept if emit is None else []
    return Keys(listed, columns, 1, total, len(kept), whole=True, gone=not found)
