"""Every operation on sessions as a flow, once, for the store of threads and the one of asyncio.

Knows no clock and makes nothing by chance: the faces hand both in (`Sources`).
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from keywright.errors import ReplyError, SessionChanged, SessionGone, SessionUnreadable
from keywright.flows import Batch, Flow
from keywright.sessions.record import (
    CREATED,
    MARK,
    Data,
    Session,
    SessionInfo,
    made_head,
    parts,
    renewed,
    torn,
)
from keywright.sessions.scripts import CREATE, END_ALL, LIST, ROTATE, SAVE

Merge = Callable[[Data, Data, Data], Data]  # what was loaded, mine, theirs → what to save
ROUNDS = 5  # times that a save which meets another's is merged and tried again
NO_VERSION = b"0" * 12
good_id = re.compile(r"[A-Za-z0-9_.:{}-]{1,200}").fullmatch


class Policy(NamedTuple):
    """How sessions live: `ttl` seconds without a visit (from the last save when not `sliding`),
    `absolute` seconds in all (0: no end), at most `limit` of a user (0: any number).

    `prefix` begins every key; `tagged` puts a hash tag into ids, for Redis Cluster.
    """

    prefix: str
    ttl: int
    absolute: int
    sliding: bool = True
    limit: int = 0
    tagged: bool = False


class Sources(NamedTuple):
    """Where the clock's time (Unix seconds), ids and versions come from."""

    now: Callable[[], float]
    new_id: Callable[[], str]
    new_version: Callable[[], bytes]
    user_tag: Callable[[str], str]


class Conversations:
    """The flows of one store; each docstring says its cost in round trips."""

    def __init__(self, policy: Policy, sources: Sources, serializer: Any) -> None:
        self.policy, self._sources = policy, sources
        self._dumps, self._loads = serializer.dumps, serializer.loads
        self._key = policy.prefix + "session:"
        self._index = policy.prefix + "user-sessions:"

    # --- one session ------------------------------------------------------------------------------

    def create(self, data: Data, user: str, address: str, agent: str) -> Flow[Session]:
        """One round trip."""
        now = self._sources.now()
        head = made_head(NO_VERSION, int(now), user, address, agent)
        session = Session(self._new_id(user), data, int(now), head, None)
        value = self._value(session)
        if user:
            added = yield from CREATE.run(
                (self._key + session.id, self._index_of(user)),
                (value, self.policy.ttl * 1000, session.id, *self._listing(now)),
            )
            if added == -1:
                raise SessionChanged("a session of this id exists already", "create another one")
        else:
            (stored,) = yield Batch(
                (("SET", self._key + session.id, value, "EX", self.policy.ttl),)
            )
            if isinstance(stored, ReplyError):
                raise stored
        return session

    def load(self, id: str) -> Flow[Session | None]:
        """One round trip, one command: GETEX (GET when not sliding)."""
        if good_id(id) is None:
            return None
        if self.policy.sliding:
            (value,) = yield Batch((("GETEX", self._key + id, "EX", self.policy.ttl),))
        else:
            (value,) = yield Batch((("GET", self._key + id),))
        if value is None:
            return None
        if value.__class__ is not bytes:
            raise _unusable(value)
        session = self.read(id, value)
        absolute = self.policy.absolute
        if absolute and session.created and self._sources.now() >= session.created + absolute:
            yield from self.destroy(session)
            return None
        return session

    def read(self, id: str, value: bytes) -> Session:
        """Make a session of a stored value. Raises SessionUnreadable."""
        created, head, body = 0, b"", value
        if value[:3] == MARK:
            end = value.find(b"\n")
            if end < 26:
                raise torn()
            head, body = value[:end], value[end + 1 :]
            try:
                created = int(head[CREATED])
            except ValueError:
                raise torn() from None
        try:
            data = self._loads(body)
        except ValueError as error:
            raise SessionUnreadable(
                f"a stored session cannot be read: {error.__class__.__name__}",
                "was it written with another serializer, or with another key?",
            ) from None
        if data.__class__ is not dict:
            raise SessionUnreadable("a stored session is not a JSON object", "who wrote it?")
        return Session(id, data, created, head, body)

    def changed(self, session: Session) -> bool:
        """Whether saving would change what is stored, as far as this process knows. No round trip."""
        return session.body is None or self._dumps(session.data) != session.body

    def save(self, session: Session) -> Flow[None]:
        """One round trip, one command: SET XX. Raises SessionGone; the last who saves wins."""
        was, key = (session.head, session.body), self._key + session.id
        value = self._value(session)
        life = ("EX", self.policy.ttl) if self.policy.sliding else ("KEEPTTL",)
        words = ("SET", key, value, "XX", *life)
        (stored,) = yield Batch((words,))
        if stored is None or isinstance(stored, ReplyError):
            session.head, session.body = was
            raise stored or _gone()

    def save_checked(self, session: Session, merge: Merge | None) -> Flow[None]:
        """One round trip; one more for each time that another's save had to be merged.

        Raises SessionGone, and SessionChanged when somebody else saved and there is no `merge`.
        """
        ttl = self.policy.ttl * 1000 if self.policy.sliding else 0
        for _ in range(ROUNDS):
            head, was = session.head, session.body
            version, value = session.version, self._value(session)
            found = yield from SAVE.run((self._key + session.id,), (version, value, ttl))
            if found == 1:
                return
            session.head, session.body = head, was
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

    def touch(self, id: str) -> Flow[bool]:
        """One round trip, one command: EXPIRE. False when the session is gone."""
        (found,) = yield Batch((("EXPIRE", self._key + id, self.policy.ttl),))
        if isinstance(found, ReplyError):
            raise found
        return bool(found)

    def rotate(self, session: Session, user: str | None) -> Flow[None]:
        """One round trip (two in Cluster, when the user changes). Raises SessionGone."""
        old_id, old_user = session.id, session.user
        was, now = (session.head, session.body), self._sources.now()
        if user is not None:
            session.head = made_head(
                NO_VERSION, session.created or int(now), user, session.address, session.agent
            )
        new_id = self._new_id(session.user, like=old_id if session.user == old_user else "")
        value, listed = (
            self._value(session),
            ("o" if old_user else "") + ("n" if session.user else ""),
        )
        old, new = self._key + old_id, self._key + new_id
        indexes = self._index_of(old_user or session.user), self._index_of(session.user or old_user)
        if self.policy.tagged and _tag(old_id) != _tag(new_id):
            done = yield from self._moved(old, new, session.user, new_id, value, now)
        else:
            done = yield from ROTATE.run(
                (old, new, *(indexes if listed else (old, new))),
                (value, self.policy.ttl * 1000, old_id, new_id, *self._listing(now), listed),
            )
        if done == 0:
            session.head, session.body = was
            raise _gone()
        session.id = new_id

    def _moved(
        self, old: str, new: str, user: str, new_id: str, value: bytes, now: float
    ) -> Flow[int]:
        """Rotate between two slots of a Cluster: the old one ends first, so it never stands beside."""
        (ended,) = yield Batch((("UNLINK", old),), repeatable=False)
        if isinstance(ended, ReplyError):
            raise ended
        if ended:
            keys = (new, self._index_of(user))
            yield from CREATE.run(
                keys, (value, self.policy.ttl * 1000, new_id, *self._listing(now))
            )
        return int(ended)

    def destroy(self, session: Session | str) -> Flow[bool]:
        """One round trip. False when it was gone already."""
        if isinstance(session, str):
            replies = yield Batch((("UNLINK", self._key + session),))
        else:
            commands: tuple[tuple[str, ...], ...] = (("UNLINK", self._key + session.id),)
            if session.user:
                commands += (("ZREM", self._index_of(session.user), session.id),)
            replies = yield Batch(commands)
        for reply in replies:
            if isinstance(reply, ReplyError):
                raise reply
        return bool(replies[0])

    # --- all of a user ----------------------------------------------------------------------------

    def list(self, user: str) -> Flow[list[SessionInfo]]:
        """One round trip."""
        found = yield from LIST.run((self._index_of(user),), (self._key, 1))
        now, rows = self._sources.now(), []
        for name, left, head in zip(found[::3], found[1::3], found[2::3], strict=True):
            seen = now - self.policy.ttl + left / 1000 if self.policy.sliding else None
            created = int(head[CREATED]) if head[:3] == MARK else 0
            rows.append(SessionInfo(name.decode(), created, seen, now + left / 1000, *parts(head)))
        return rows

    def count(self, user: str) -> Flow[int]:
        """One round trip."""
        found = yield from LIST.run((self._index_of(user),), (self._key, 0))
        return len(found) // 3

    def destroy_all(self, user: str, keep: str) -> Flow[int]:
        """One round trip; returns how many were ended."""
        ended = yield from END_ALL.run((self._index_of(user),), (self._key, keep))
        return int(ended)

    # --- values -----------------------------------------------------------------------------------

    def _value(self, session: Session) -> bytes:
        """What to store; the session then carries the version and payload of this value."""
        body = self._dumps(session.data)
        version = self._sources.new_version()
        if session.head:
            head = renewed(session.head, version)
        else:  # it was another program's
            session.created = int(self._sources.now())
            head = made_head(version, session.created, "", "", "")
        session.head, session.body = head, body
        value: bytes = head + b"\n" + body
        return value

    def _listing(self, now: float) -> tuple[int, int, str, int]:
        """now (microseconds), limit, the keys' prefix, how long the index lives (ms; 0 for ever)."""
        policy = self.policy
        lives = (policy.absolute + policy.ttl) * 1000 if policy.absolute else 0
        return int(now * 1_000_000), policy.limit, self._key, lives

    def _new_id(self, user: str, like: str = "") -> str:
        chance = self._sources.new_id()
        if not self.policy.tagged:
            return chance
        tag = _tag(like) or (self._sources.user_tag(user) if user else chance[:8])
        return "{" + tag + "}" + chance

    def _index_of(self, user: str) -> str:
        tag = "{" + self._sources.user_tag(user) + "}" if self.policy.tagged else ""
        return self._index + tag + user


def _tag(id: str) -> str:
    return id[1 : id.index("}")] if id.startswith("{") and "}" in id else ""


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
