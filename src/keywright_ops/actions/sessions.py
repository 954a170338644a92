"""sessions: whose they are, how old, when they end; and ending them by the library's own rules."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from keywright.errors import ReplyError
from keywright.wire import Wire
from keywright_ops.actions.key import NoKey
from keywright_ops.actions.keys import PATIENCE, Progress, pace_of, sized, walk
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.escapes import literal, raw
from keywright_ops.ops.keyspace.scan import COUNT, MEMORY, PTTL, TYPE, Row, questions, rows
from keywright_ops.ops.keyspace.sessions import BARE, HEAD, SessionRow, id_of, parse_head
from keywright_ops.ops.keyspace.wanted import Wanted

if TYPE_CHECKING:  # who lists all needs no store
    from keywright.sessions import SessionStore

SENDS = ("SCAN", "DBSIZE", "TYPE", "PTTL", "MEMORY USAGE", "GETRANGE", "UNLINK", "EVALSHA", "EVAL")
COLUMNS = (TYPE, PTTL, MEMORY)


class Sessions(NamedTuple):
    """The sessions of a server (or of one user), and how many keys were looked at; `readable` is False
    where this user may not read whose they are."""

    rows: list[SessionRow]
    scanned: int
    readable: bool

    def by_user(self) -> list[tuple[str, int]]:
        """How many each user has, most first; nobody's under ""."""
        count: dict[str, int] = {}
        for row in self.rows:
            count[row.user or ""] = count.get(row.user or "", 0) + 1
        return sorted(count.items(), key=lambda each: (-each[1], each[0]))


def sessions(
    reached: Reached, user: str | None, pace: float | None = None, progress: Progress | None = None
) -> Sessions:
    """List them all by a scan; a user's by the library's index, by a scan when that names none.

    Raises ReplyError, Unreachable.
    """
    prefix = raw(reached.plan.application.prefix)
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        if user is not None:
            listed = _indexed(reached, wire, user, prefix)
            if listed:
                return Sessions(listed, len(listed), True)
        return _scanned(reached, wire, user, prefix, pace, progress)


def _indexed(reached: Reached, wire: Wire, user: str, prefix: bytes) -> list[SessionRow]:
    store = _store(reached, wire, bare=False)
    try:
        names = [prefix + BARE + raw(each.id) for each in store.list(user)]
    finally:
        store.close()
    return _rows(reached, wire, _asked(wire, names), prefix, None)[0]


def _asked(wire: Wire, names: Sequence[bytes]) -> list[Row]:
    if not names:
        return []
    answers = wire.exchange(questions(names, COLUMNS), len(names) * len(COLUMNS))
    return rows(names, COLUMNS, answers)


def _scanned(
    reached: Reached,
    wire: Wire,
    user: str | None,
    prefix: bytes,
    pace: float | None,
    progress: Progress | None,
) -> Sessions:
    total, found, readable, scanned = sized(reached, wire), list[SessionRow](), True, 0
    # one pass for both kinds of names
    wanted = Wanted(b"*" + literal(BARE) + b"*" if prefix else literal(BARE) + b"*")
    with reached.wire(raw=True, timeout=PATIENCE) as heads:
        for page in walk(reached, wire, wanted, COLUMNS, pace_of(reached, pace)):
            scanned = min(scanned + COUNT, total)
            more, can = _rows(reached, heads, page, prefix, user)
            found += more
            readable = readable and can
            if progress is not None:
                progress(scanned, total, len(found))
    return Sessions(found, total, readable)


def _rows(
    reached: Reached, wire: Wire, page: Iterable[Row], prefix: bytes, user: str | None
) -> tuple[list[SessionRow], bool]:
    """The sessions among the rows; False where their heads may not be read."""
    named = [(row, of) for row in page if (of := id_of(row[0], prefix)) is not None]
    replies = wire.batch([("GETRANGE", row[0], 0, HEAD - 1) for row, _ in named]) if named else []
    found, readable = [], True
    for (row, (name, bare)), reply in zip(named, replies, strict=True):
        refused = isinstance(reply, ReplyError)
        if refused and reply.code not in ("NOPERM", "WRONGTYPE"):
            raise reply
        if refused and reply.code == "NOPERM":
            readable = False
            if user is not None:
                raise reached.explain(reply, ("GETRANGE",))
        whose, created = parse_head(None if refused else reply)
        if user is None or whose == user:
            pttl = -1 if row[2] is None else row[2]
            found.append(SessionRow(row[0], name, bare, whose, created, pttl, row[3]))
    return found, readable


def find_session(reached: Reached, word: str, pace: float | None = None) -> SessionRow:
    """Find one by its id, its key or its mark (which needs a scan). Raises NoKey."""
    prefix = raw(reached.plan.application.prefix)
    given = raw(word)
    names = dict.fromkeys((prefix + BARE + given, BARE + given, given))
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        found, _ = _rows(reached, wire, _asked(wire, list(names)), prefix, None)
        if not found and len(word) == 8:
            everything = _scanned(reached, wire, None, prefix, pace, None)
            found = [row for row in everything.rows if row.mark == word]
    if not found:
        raise NoKey(
            f"there is no session {word[:8]}{'…' if len(word) > 8 else ''}",
            "it ended, or was logged out; `keywright sessions` lists them",
        )
    return found[0]


def end_sessions(reached: Reached, ending: Sequence[SessionRow], user: str | None) -> int:
    """End them as the library does: the user's index is kept in order. Returns how many ended."""
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        ours, bare = _store(reached, wire, bare=False), _store(reached, wire, bare=True)
        try:
            ended = 0
            listed = user is not None and any(not row.bare for row in ending)
            if listed and user is not None:
                ended += ours.destroy_all(user)
            for row in ending:
                ended += (bare if row.bare else ours).destroy(row.id)
            return ended
        finally:
            ours.close()
            bare.close()


def _store(reached: Reached, wire: Wire, *, bare: bool) -> "SessionStore":
    """The library's store, over the very endpoint that we reached."""
    from keywright.sessions import SessionStore

    app = reached.plan.application
    return SessionStore(wire.endpoint, ttl=app.cache_ttl, prefix="" if bare else app.prefix)
