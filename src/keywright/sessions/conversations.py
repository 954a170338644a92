"""Every operation on sessions as a flow, once, for the store of threads and the one of asyncio.

Knows no clock and makes nothing by chance: the faces hand both in (shape.Sources).
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keywright.errors import ReplyError, SessionChanged, SessionGone, SessionUnreadable
from keywright.flows import Ask, Batch, Flow, More, Reply, checked, one
from keywright.sessions.record import (
    CREATED,
    MARK,
    Data,
    Session,
    SessionInfo,
    made_head,
    parts,
)
from keywright.sessions.scripts import CREATE, END_ALL, LIST, ROTATE, SAVE
from keywright.sessions.shape import NO_VERSION, Shape, tag_of

if TYPE_CHECKING:  # a cache is handed in; this file knows no thread and no socket
    from keywright.tracking import LocalCache

Merge = Callable[[Data, Data, Data], Data]  # what was loaded, mine, theirs → what to save
_Stored = tuple[bytes, bytes | None]  # head and payload of a stored value
ROUNDS = 5  # times that a save which meets another's is merged and tried again
good_id = re.compile(r"[A-Za-z0-9_.:{}-]{1,200}").fullmatch


class Conversations(Shape):
    """The flows of one store; each docstring says its cost in round trips."""

    # --- one session ------------------------------------------------------------------------------

    def create(self, data: Data, user: str, address: str, agent: str) -> Flow[Session]:
        """One round trip."""
        now = self.sources.now()
        head = made_head(NO_VERSION, int(now), user, address, agent)
        session = Session(self.new_id_for(user), data, int(now), head, None)
        value = self.value_of(session)
        if user:
            added = yield from CREATE.run(
                (self.key + session.id, self.index_of(user)),
                (value, self.policy.ttl * 1000, session.id, *self.listing(now)),
            )
            if added == -1:
                raise SessionChanged("a session of this id exists already", "create another one")
            self.forget(*added)
        else:
            (stored,) = yield Batch((("SET", self.key + session.id, value, "EX", self.policy.ttl),))
            if isinstance(stored, ReplyError):
                raise stored
        return session

    def load(self, id: str, fresh: bool = False) -> Flow[Session | None] | Ask[Session | None]:
        """One round trip, one command: GETEX (GET when not sliding); none when it is held here."""
        if good_id(id) is None:
            return _nothing()
        if self.local is not None and not fresh:
            return self._load_near(id, self.local)
        key = self.key + id
        words = ("GETEX", key, "EX", self.seconds) if self.sliding else ("GET", key)
        return Ask(words, self._loaded, id)

    def _loaded(self, id: str, value: Reply) -> Session | None:
        """What to make of a stored value; one that lived too long is ended, by one more round trip."""
        if value is None:
            return None
        if value.__class__ is not bytes:
            raise _unusable(value)
        session = self.read(id, value)
        absolute = self.policy.absolute
        if absolute and session.created and self.sources.now() >= session.created + absolute:
            raise More(self._ended(session))
        return session

    def _ended(self, session: Session) -> Flow[None]:
        yield from self.destroy(session)

    def _load_near(self, id: str, local: "LocalCache") -> Flow[Session | None]:
        value = local.get(self.key + id)
        if value is None:
            value = yield from self._fetch_and_hold(id, local)
        try:
            return self._loaded(id, value)
        except More as more:
            yield from more.flow
            return None

    def _fetch_and_hold(self, id: str, local: "LocalCache") -> Flow[Reply]:
        """One round trip. The time of a session that is held begins anew now and then, not each time:

        GETEX EX is a write, which every process that holds the session would be told.
        """
        key = self.key + id
        if self.sliding and local.needs_refresh(key):
            (value,) = yield Batch((("GETEX", key, "EX", self.seconds),))
            if value.__class__ is bytes:
                local.refreshed(key)
        else:
            token = local.reserve(key)
            (value,) = yield Batch((("GET", key),))
            local.put(key, value if value.__class__ is bytes else None, token)
        return value

    def changed(self, session: Session) -> bool:
        """Whether saving would change what is stored, as far as this process knows. No round trip."""
        return session.body is None or self._dumps(session.data) != session.body

    def save(self, session: Session) -> Ask[None]:
        """One round trip, one command: SET XX. Raises SessionGone; the last who saves wins."""
        value, written = self._written(session, (session.head, session.body))
        words = ("SET", self.key + session.id, value, "XX", *self.kept)
        return Ask(words, self._saved, (session, written))

    def _saved(self, about: tuple[Session, _Stored], stored: Reply) -> None:
        session, written = about
        self.forget(session.id)
        if stored is None or isinstance(stored, ReplyError):
            raise stored or _gone()
        session.head, session.body = written

    def save_checked(self, session: Session, merge: Merge | None) -> Flow[None]:
        """One round trip; one more for each time that another's save had to be merged.

        Raises SessionGone, and SessionChanged when somebody else saved and there is no `merge`.
        """
        ttl = self.policy.ttl * 1000 if self.policy.sliding else 0
        for _ in range(ROUNDS):
            version, was = session.version, session.body
            value, written = self._written(session, (session.head, was))
            found = yield from SAVE.run((self.key + session.id,), (version, value, ttl))
            self.forget(session.id)
            if found == 1:
                session.head, session.body = written
                return
            if found == 0:
                raise _gone()
            if merge is None:
                break
            theirs = self.read(session.id, found)
            base = self._loads(was) if was is not None else {}
            session.data = merge(base, session.data, dict(theirs.data))
            session.head, session.body = theirs.head, theirs.body
        raise SessionChanged(
            "somebody else saved the session since it was loaded",
            "load it again, or save with merge=",
        )

    def touch(self, id: str) -> Ask[bool]:
        """One round trip, one command: EXPIRE. False when the session is gone."""
        return Ask(("EXPIRE", self.key + id, self.seconds), _touched)

    def rotate(self, session: Session, user: str | None) -> Flow[None]:
        """One round trip (two in Cluster, when the user changes). Raises SessionGone."""
        old_id, old_user = session.id, session.user
        was, now = (session.head, session.body), self.sources.now()
        if user is not None:
            session.head = made_head(
                NO_VERSION, session.created or int(now), user, session.address, session.agent
            )
        new_id = self.new_id_for(session.user, like=old_id if session.user == old_user else "")
        new_user = session.user
        value, written = self._written(session, was)
        listed = ("o" if old_user else "") + ("n" if new_user else "")
        old, new = self.key + old_id, self.key + new_id
        indexes = self.index_of(old_user or new_user), self.index_of(new_user or old_user)
        if self.policy.tagged and tag_of(old_id) != tag_of(new_id):
            done = yield from self._moved(old, new, new_user, new_id, value, now)
        else:
            done = yield from ROTATE.run(
                (old, new, *(indexes if listed else (old, new))),
                (value, self.policy.ttl * 1000, old_id, new_id, *self.listing(now), listed),
            )
        if done == 0:
            raise _gone()
        self.forget(old_id, *done)
        session.id = new_id
        session.head, session.body = written

    def _written(self, session: Session, was: _Stored) -> tuple[bytes, _Stored]:
        """What to store, and what the session is to carry once it is stored: not before, for a save
        that fails on the way leaves a session that is not saved."""
        value = self.value_of(session)
        written = session.head, session.body
        session.head, session.body = was
        return value, written

    def _moved(
        self, old: str, new: str, user: str, new_id: str, value: bytes, now: float
    ) -> Flow[Any]:
        """Rotate between two slots of a Cluster: the old one ends first, so it never stands beside."""
        (ended,) = yield Batch((("UNLINK", old),), repeatable=False)
        if isinstance(ended, ReplyError):
            raise ended
        if not ended:
            return 0
        if not user:
            yield from one("SET", new, value, "EX", self.policy.ttl)
            return ()
        keys = (new, self.index_of(user))
        values = (value, self.policy.ttl * 1000, new_id, *self.listing(now))
        return (yield from CREATE.run(keys, values))

    def destroy(self, session: Session | str) -> Flow[bool]:
        """One round trip. False when it was gone already."""
        if isinstance(session, str):
            replies = yield Batch((("UNLINK", self.key + session),))
        else:
            commands: tuple[tuple[str, ...], ...] = (("UNLINK", self.key + session.id),)
            if session.user:
                commands += (("ZREM", self.index_of(session.user), session.id),)
            replies = yield Batch(commands)
        self.forget(session if isinstance(session, str) else session.id)
        return bool(checked(replies)[0])

    # --- all of a user ----------------------------------------------------------------------------

    def list(self, user: str) -> Flow[list[SessionInfo]]:
        """One round trip."""
        found = yield from LIST.run((self.index_of(user),), (self.key, 1))
        now, rows = self.sources.now(), []
        for name, left, head in zip(found[::3], found[1::3], found[2::3], strict=True):
            seen = now - self.policy.ttl + left / 1000 if self.policy.sliding else None
            created = int(head[CREATED]) if head[:3] == MARK else 0
            rows.append(SessionInfo(name.decode(), created, seen, now + left / 1000, *parts(head)))
        return rows

    def count(self, user: str) -> Flow[int]:
        """One round trip."""
        found = yield from LIST.run((self.index_of(user),), (self.key, 0))
        return len(found) // 3

    def destroy_all(self, user: str, keep: str) -> Flow[int]:
        """One round trip; returns how many were ended."""
        ended = yield from END_ALL.run((self.index_of(user),), (self.key, keep))
        self.forget(*ended)
        return len(ended)


def _touched(_: object, found: Reply) -> bool:
    if isinstance(found, ReplyError):
        raise found
    return bool(found)


def _nothing() -> Flow[None]:
    """The flow of what needs no question."""
    yield from ()


def _gone() -> SessionGone:
    return SessionGone(
        "the session is gone: it expired or was logged out", "nothing was written; log in again"
    )


def _unusable(reply: object) -> Exception:
    if isinstance(reply, ReplyError) and reply.code == "WRONGTYPE":
        return SessionUnreadable("a session's key holds another type", "who else uses the prefix?")
    if isinstance(reply, ReplyError):
        return reply
    return SessionUnreadable("the server's reply is no text", "is a proxy in between?")
