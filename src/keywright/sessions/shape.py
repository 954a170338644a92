"""How a store's sessions are named and written: keys, ids, hash tags, heads and payloads.

Knows no clock and makes nothing by chance: the faces hand both in (`Sources`).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from keywright.errors import SessionUnreadable
from keywright.sessions.record import CREATED, MARK, Session, made_head, renewed, torn

if TYPE_CHECKING:  # a cache is handed in; this file knows no thread and no socket
    from keywright.tracking import LocalCache

NO_VERSION = b"0" * 12


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


class Shape:
    """The names and values of one store."""

    def __init__(
        self, policy: Policy, sources: Sources, serializer: Any, local: "LocalCache | None" = None
    ) -> None:
        self.policy, self.sources, self.local = policy, sources, local
        self._dumps, self._loads = serializer.dumps, serializer.loads
        self.sliding, self.seconds = policy.sliding, str(policy.ttl)
        self.kept = ("EX", self.seconds) if policy.sliding else ("KEEPTTL",)  # by a save
        self.key = policy.prefix + "session:"
        self.index = policy.prefix + "user-sessions:"

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

    def forget(self, *ids: str | bytes) -> None:
        """Hold these no longer in this process: what was acknowledged is never read in its old form."""
        if self.local is not None:
            for each in ids:
                name = each if isinstance(each, str) else each.decode("utf-8", "surrogateescape")
                self.local.drop(self.key + name)

    def value_of(self, session: Session) -> bytes:
        """What to store; the session then carries the version and payload of this value."""
        body = self._dumps(session.data)
        version = self.sources.new_version()
        if session.head:
            head = renewed(session.head, version)
        else:  # it was another program's
            session.created = int(self.sources.now())
            head = made_head(version, session.created, "", "", "")
        session.head, session.body = head, body
        return b"%b\n%b" % (head, body)

    def listing(self, now: float) -> tuple[int, int, str, int]:
        """now (microseconds), limit, the keys' prefix, how long the index lives (ms; 0 for ever)."""
        policy = self.policy
        lives = (policy.absolute + policy.ttl) * 1000 if policy.absolute else 0
        return int(now * 1_000_000), policy.limit, self.key, lives

    def new_id_for(self, user: str, like: str = "") -> str:
        """A new id; in Cluster with the tag of `like` or of the user, so that they lie together."""
        chance = self.sources.new_id()
        if not self.policy.tagged:
            return chance
        tag = tag_of(like) or (self.sources.user_tag(user) if user else chance[:8])
        return "{" + tag + "}" + chance

    def index_of(self, user: str) -> str:
        """The key of a user's index."""
        tag = "{" + self.sources.user_tag(user) + "}" if self.policy.tagged else ""
        return self.index + tag + user


def tag_of(id: str) -> str:
    """The hash tag of an id, "" for none."""
    return id[1 : id.index("}")] if id.startswith("{") and "}" in id else ""
