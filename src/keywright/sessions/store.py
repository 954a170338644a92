"""The store of sessions for threads: WSGI applications, scripts, workers."""

import time
from hashlib import sha256
from random import getrandbits
from secrets import token_urlsafe
from typing import Any

from keywright.errors import SettingsError
from keywright.flows import Talker
from keywright.serializers import JSON
from keywright.sessions.conversations import Conversations, Merge
from keywright.sessions.record import Data, Session, SessionInfo
from keywright.sessions.shape import Policy, Sources
from keywright.settings import Settings
from keywright.talkers.choice import Source, settings_of, talker_for
from keywright.tracking import LocalCache

DAY = 86400  # seconds
CHANCE = 24  # octets of chance in an id: 192 bits


class SessionStore:
    """Keeps sessions; every method is one round trip, and load, touch and a plain save one command.

    `source` is Settings, a URL or an Endpoint; None reads the environment. `client` takes a
    redis-py-like client instead (Cluster needs one, and `cluster=True`), `talker` one of ours.

    `ttl` (seconds; CACHE_TTL when None) is how long a session lives after its last visit, or after
    its last save when not `sliding`; `absolute` (seconds; 30 days; 0 for no end) is how long it
    lives in all. `limit` is the most sessions of a user: the oldest end when more begin (0: any
    number). `prefix` begins every key (CACHE_PREFIX when None).

    What is stored: JSON with a head of version, time and owner (`serializer`: see
    keywright.serializers for msgspec, compression and encryption).

    `local` True holds sessions that are read often in this process, as keywright.tracking says, and
    begins their time anew once in a twentieth of `ttl` only: an idle session may end that much earlier.

    Every method may raise Unreachable, ConnectionLost, TimedOut, Busy, ProtocolError and ReplyError;
    load, touch, save and destroy are sent again when the connection breaks, so they never raise
    OutcomeUnknown.
    """

    def __init__(
        self,
        source: Source = None,
        *,
        client: Any = None,
        talker: Talker | None = None,
        ttl: int | None = None,
        absolute: int = 30 * DAY,
        sliding: bool = True,
        limit: int = 0,
        prefix: str | None = None,
        cluster: bool = False,
        serializer: Any = JSON,
        local: LocalCache | bool = False,
    ) -> None:
        if talker is None:
            talker = talker_for(source, client=client, name="sessions")
        policy = policy_for(source, ttl, absolute, sliding, limit, prefix, cluster)
        self._talker = talker
        self._local = held_here(local, talker, policy)
        self._flows = Conversations(policy, SOURCES, serializer, self._local)

    def create(
        self, data: Data | None = None, *, user: str = "", address: str = "", agent: str = ""
    ) -> Session:
        """Begin a session and store it. One round trip.

        With a `user` it is listed and counted; with a limit, the user's oldest sessions end.
        `address` and `agent` of the client are kept to be shown (256 characters each).
        """
        return self._talker.run(self._flows.create(data or {}, user, address, agent))

    def load(self, id: str, *, fresh: bool = False) -> Session | None:
        """Return the session and begin its time anew; None when it is gone. One command.

        With `local` a session that is held in this process costs none; `fresh` asks the server.

        Raises SessionUnreadable when what is stored cannot be read.
        """
        return self._talker.run(self._flows.load(id, fresh))

    def save(self, session: Session, *, check: bool = False, merge: Merge | None = None) -> None:
        """Store the session's data. One command; it never revives a session that has ended.

        Plain, the last who saves wins. With `check` it raises SessionChanged when somebody else saved
        since it was loaded; with `merge(loaded, mine, theirs) -> data` the two are merged and saved
        (one more round trip each time). Raises SessionGone when it has ended; nothing is written.
        """
        if check or merge is not None:
            self._talker.run(self._flows.save_checked(session, merge))
        else:
            self._talker.run(self._flows.save(session))

    def changed(self, session: Session) -> bool:
        """Whether `save` would change what was stored when it was loaded. No round trip."""
        return self._flows.changed(session)

    def touch(self, session: Session | str) -> bool:
        """Begin its time anew without reading it; False when it is gone. One command."""
        return self._talker.run(self._flows.touch(id_of(session)))

    def rotate(self, session: Session, *, user: str | None = None) -> None:
        """Give the session a new id (at every login and change of rights), and save it. One round trip.

        The old id is dead from then on. `user` says whose it is now, "" nobody's, None as before.
        Raises SessionGone.
        """
        self._talker.run(self._flows.rotate(session, user))

    def destroy(self, session: Session | str) -> bool:
        """End the session; False when it was gone. One round trip.

        Given an id alone, the user's index forgets it when it is looked at next.
        """
        return self._talker.run(self._flows.destroy(session))

    def list(self, user: str) -> list[SessionInfo]:
        """Return the user's sessions, oldest first. One round trip, no scan."""
        return self._talker.run(self._flows.list(user))

    def count(self, user: str) -> int:
        """Return how many sessions the user has. One round trip, no scan."""
        return self._talker.run(self._flows.count(user))

    def destroy_all(self, user: str, *, keep: Session | str = "") -> int:
        """End every session of the user but `keep`; returns how many. One round trip, no scan."""
        return self._talker.run(self._flows.destroy_all(user, id_of(keep)))

    def close(self) -> None:
        """Close the connections that are idle; the next call opens new ones."""
        if self._local is not None:
            self._local.close()
        self._talker.close()


def id_of(session: Session | str) -> str:
    """The id of a session, given as one or as its id."""
    return session if isinstance(session, str) else session.id


def policy_for(
    source: Source,
    ttl: int | None,
    absolute: int,
    sliding: bool,
    limit: int,
    prefix: str | None,
    cluster: bool,
) -> Policy:
    """Fill in from the settings what is None. Raises SettingsError for times that make no sense."""
    if ttl is None or prefix is None:
        settings = settings_of(source) or Settings.from_env()
        ttl = settings.cache_ttl if ttl is None else ttl
        prefix = settings.cache_prefix if prefix is None else prefix
    if ttl < 1 or absolute < 0 or limit < 0:
        raise SettingsError(
            "a session's ttl is at least 1 second, absolute and limit are not negative",
            "absolute=0 means no end, limit=0 any number",
        )
    if cluster and ("{" in prefix or "}" in prefix):
        raise SettingsError("in Cluster a prefix has no { or }", "ids carry the hash tag")
    return Policy(prefix, ttl, absolute, sliding, limit, cluster)


def held_here(local: LocalCache | bool, talker: Any, policy: Policy) -> LocalCache | None:
    """The cache of a store with `local`. Raises SettingsError when its server is not ours to ask."""
    if not local:
        return None
    if isinstance(local, LocalCache):
        return local
    endpoint = getattr(talker, "endpoint", None)
    if endpoint is None:
        raise SettingsError(
            "local=True needs a connection of our own, not a client or the store in the process",
            "give settings or a URL instead",
        )
    every = max(1.0, policy.ttl / 20)
    return LocalCache(endpoint, policy.prefix + "session:", refresh_every=every)


def _new_version() -> bytes:
    return b"%012x" % getrandbits(48)


SOURCES = Sources(
    now=time.time,
    new_id=lambda: token_urlsafe(CHANCE),
    new_version=_new_version,
    user_tag=lambda user: sha256(user.encode()).hexdigest()[:8],
)
