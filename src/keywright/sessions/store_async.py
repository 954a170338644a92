"""The store of sessions for asyncio: all tasks share one connection."""

from collections.abc import Coroutine
from typing import Any

from keywright.flows import AsyncTalker
from keywright.serializers import JSON
from keywright.sessions.conversations import Conversations, Merge
from keywright.sessions.record import Data, Session, SessionInfo
from keywright.sessions.store import DAY, SOURCES, held_here, id_of, policy_for
from keywright.talkers.choice import Source, async_talker_for
from keywright.tracking import LocalCache


class AsyncSessionStore:
    """Keeps sessions, as SessionStore does and with the same arguments; its methods are awaited.

    A store serves every event loop that uses it, each over connections of its own.
    """

    def __init__(
        self,
        source: Source = None,
        *,
        client: Any = None,
        talker: AsyncTalker | None = None,
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
            talker = async_talker_for(source, client=client, name="sessions")
        policy = policy_for(source, ttl, absolute, sliding, limit, prefix, cluster)
        self._talker = talker
        self._local = held_here(local, talker, policy)
        self._flows = Conversations(policy, SOURCES, serializer, self._local)

    def create(
        self, data: Data | None = None, *, user: str = "", address: str = "", agent: str = ""
    ) -> "Coroutine[Any, Any, Session]":
        """Begin a session and store it. One round trip.

        With a `user` it is listed and counted; with a limit, the user's oldest sessions end.
        `address` and `agent` of the client are kept to be shown (256 characters each).
        """
        return self._talker.run(self._flows.create(data or {}, user, address, agent))

    def load(self, id: str, *, fresh: bool = False) -> "Coroutine[Any, Any, Session | None]":
        """Return the session and begin its time anew; None when it is gone. One command.

        With `local` a session that is held in this process costs none; `fresh` asks the server.

        Raises SessionUnreadable when what is stored cannot be read.
        """
        return self._talker.run(self._flows.load(id, fresh))

    def save(
        self, session: Session, *, check: bool = False, merge: Merge | None = None
    ) -> "Coroutine[Any, Any, None]":
        """Store the session's data. One command; it never revives a session that has ended.

        Plain, the last who saves wins. With `check` it raises SessionChanged when somebody else saved
        since it was loaded; with `merge(loaded, mine, theirs) -> data` the two are merged and saved
        (one more round trip each time). Raises SessionGone when it has ended; nothing is written.
        """
        if check or merge is not None:
            return self._talker.run(self._flows.save_checked(session, merge))
        return self._talker.run(self._flows.save(session))

    def changed(self, session: Session) -> bool:
        """Whether `save` would change what was stored when it was loaded. No round trip."""
        return self._flows.changed(session)

    def touch(self, session: Session | str) -> "Coroutine[Any, Any, bool]":
        """Begin its time anew without reading it; False when it is gone. One command."""
        return self._talker.run(self._flows.touch(id_of(session)))

    def rotate(self, session: Session, *, user: str | None = None) -> "Coroutine[Any, Any, None]":
        """Give the session a new id (at every login and change of rights), and save it. One round trip.

        The old id is dead from then on. `user` says whose it is now, "" nobody's, None as before.
        Raises SessionGone.
        """
        return self._talker.run(self._flows.rotate(session, user))

    def destroy(self, session: Session | str) -> "Coroutine[Any, Any, bool]":
        """End the session; False when it was gone. One round trip.

        Given an id alone, the user's index forgets it when it is looked at next.
        """
        return self._talker.run(self._flows.destroy(session))

    def list(self, user: str) -> "Coroutine[Any, Any, list[SessionInfo]]":
        """Return the user's sessions, oldest first. One round trip, no scan."""
        return self._talker.run(self._flows.list(user))

    def count(self, user: str) -> "Coroutine[Any, Any, int]":
        """Return how many sessions the user has. One round trip, no scan."""
        return self._talker.run(self._flows.count(user))

    def destroy_all(self, user: str, *, keep: Session | str = "") -> "Coroutine[Any, Any, int]":
        """End every session of the user but `keep`; returns how many. One round trip, no scan."""
        return self._talker.run(self._flows.destroy_all(user, id_of(keep)))

    async def aclose(self) -> None:
        """Close the connections of this event loop; the next call opens new ones."""
        if self._local is not None:
            self._local.close()
        await self._talker.aclose()
