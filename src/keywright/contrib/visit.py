"""A request's session for any framework: what was touched, what is saved, which cookie goes out.

Knows no framework; what asks a store is written as steps (keywright.contrib.steps).
"""

import logging
from collections.abc import Callable

from keywright import errors
from keywright.contrib.cookie import Cookie
from keywright.contrib.steps import Steps
from keywright.errors import (
    KeywrightError,
    SessionChanged,
    SessionGone,
    SessionUnreadable,
    SettingsError,
)
from keywright.sessions.record import Data, OverData, Session, SessionInfo, fingerprint

# What a request is answered with 503 for: the server is away, full, loading or refuses us.
AWAY = (*errors.AWAY, SessionChanged)
RETRY_AFTER = 5  # seconds, what a 503 asks a client to wait
SENTENCE = "Sessions are not available right now; please try again in a few seconds.\n"

_NOTHING = object()
log = logging.getLogger("keywright")


def merged(loaded: Data, mine: Data, theirs: Data) -> Data:
    """Put two requests' changes together by top-level key; on the same key mine wins."""
    result = dict(theirs)
    for key in [*loaded, *(key for key in mine if key not in loaded)]:
        before, now = loaded.get(key, _NOTHING), mine.get(key, _NOTHING)
        if now == before and repr(now) == repr(before):  # repr: True is not 1
            continue
        if now is _NOTHING:
            result.pop(key, None)
        else:
            result[key] = now
    return result


class Visit(OverData):
    """A request's session: a mapping, loaded at its first use, stored only when something is in it.

    What was changed, nested values too, is saved before the response goes out, put together with what
    other requests saved meanwhile. `clear()` ends the session: what is put in afterwards begins another.
    Reading or changing it raises Unreachable and its kin while Redis is away.
    """

    def __init__(
        self, id: str, changed: Callable[[Session], bool], address: str, agent: str
    ) -> None:
        self.sent_id = id  # what the cookie said, "" without one
        self.accessed = False
        self.stored: Session | None = None
        self.failure: KeywrightError | None = None  # why it could not be loaded
        self._changed, self._client = changed, (address, agent)
        self._fresh: Data = {}  # what a session that is not stored holds
        self._dropped: Session | None = None  # cleared, to be ended
        self._ended = False
        self._gone = False  # somebody else ended it while this request was under way
        self._lost = False  # the request goes on without a session: nothing is saved

    # --- the mapping ------------------------------------------------------------------------------

    @property
    def data(self) -> Data:
        """The dict itself."""
        session = self.at_hand()
        return self._fresh if session is None else session.data

    def at_hand(self) -> Session | None:
        """The stored session, None when there is none (yet)."""
        self.accessed = True
        if self.failure is not None:
            raise self.failure
        return self.stored

    @property
    def user(self) -> str:
        """The user that `login` named, "" for nobody."""
        session = self.at_hand()
        return session.user if session is not None else ""

    @property
    def new(self) -> bool:
        """Whether nothing is stored of it yet."""
        return self.at_hand() is None

    @property
    def mark(self) -> str:
        """Eight digits that tell this session from the user's others, "" when it is new."""
        session = self.at_hand()
        return fingerprint(session.id) if session is not None else ""

    def mark_accessed(self) -> None:
        """Say that the response depends on the session."""
        self.accessed = True

    def __contains__(self, key: object) -> bool:
        return key in self.data

    def unsaved(self) -> bool:
        """Whether the end of the request would write something. No round trip."""
        if self._lost or self._gone:
            return False
        if self.stored is None:
            return bool(self._fresh) or self._dropped is not None
        return self._dropped is not None or self._changed(self.stored)

    def clear(self) -> None:
        """End the session when the response goes out."""
        self.data.clear()
        self._dropped, self.stored, self._fresh = self.stored or self._dropped, None, {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {fingerprint(self.stored.id) if self.stored else 'new'}>"

    # --- steps ------------------------------------------------------------------------------------

    def loading(self, required: bool = True) -> Steps[None]:
        """One command when there is a cookie; what fails is told at the first use, or never."""
        if not self.sent_id:
            return
        try:
            self.stored = yield lambda store: store.load(self.sent_id)
        except SessionUnreadable as error:
            log.error("session %s begins anew: %s", fingerprint(self.sent_id), error)
        except AWAY as error:
            if required:
                self.failure = error
            else:
                log.error("a request goes on without its session: %s", error)
                self._lost = True

    def logging_in(self, user: str) -> Steps[None]:
        """One round trip; one more when it was another user's, whose data does not come along."""
        data = self.data
        if not user:
            raise SettingsError("a login needs a user", "logout() is the other way round")
        if self._dropped is not None:
            yield from self._drop()
        if self.stored is not None and self.stored.user not in ("", user):
            self.clear()
            yield from self._drop()
            data = {}
        if self.stored is not None:
            try:
                yield lambda store: store.rotate(self.stored, user=user)
                return
            except SessionGone:
                data, self.stored = dict(data), None
        yield from self._begin(data, user)

    def rotating(self) -> Steps[None]:
        """One round trip; a session that is not stored yet has no id to change."""
        session = self.at_hand()
        if session is not None:
            try:
                yield lambda store: store.rotate(session)
            except SessionGone:
                log.warning("session %s has ended: it gets no new id", fingerprint(session.id))
                self.stored, self._fresh = None, {}

    def logging_out(self) -> Steps[None]:
        """One round trip."""
        self.clear()
        if self._dropped is not None:
            yield from self._drop()

    def ending_all(self, keep: bool) -> Steps[int]:
        """Two round trips at most: all of the user, and this one."""
        user, mine, ended = self.user, self.at_hand(), 0
        if user:
            spared = mine if keep and mine is not None else ""
            ended = yield lambda store: store.destroy_all(user, keep=spared)
        if not keep:
            yield from self.logging_out()
        return int(ended)

    def listing(self) -> Steps[list[SessionInfo]]:
        """One round trip; none for nobody."""
        user = self.user
        if not user:
            return []
        found: list[SessionInfo] = yield lambda store: store.list(user)
        return found

    def committing(self) -> Steps[None]:
        """Nothing when nothing changed; else one round trip. Raises what AWAY names."""
        if not self.accessed or self.failure is not None:
            return
        if self._lost:
            if self._fresh:
                log.error("what this request put into its session is lost: Redis was away")
            return
        if self._dropped is not None:
            yield from self._drop()
        if self.stored is None:
            if self._fresh:
                yield from self._begin(self._fresh, "")
        elif not self._gone and self._changed(self.stored):
            if not self.stored.data and not self.stored.user:
                self.clear()
                yield from self._drop()
                return
            try:
                yield lambda store: store.save(self.stored, merge=merged)
            except SessionGone:
                # It was logged out, or got another id, while this request was under way.
                log.warning("session %s has ended: nothing is saved", fingerprint(self.stored.id))
                self._gone = True

    def _begin(self, data: Data, user: str) -> Steps[None]:
        address, agent = self._client
        self.stored = yield lambda store: store.create(
            data, user=user, address=address, agent=agent
        )
        self._fresh, self._lost = {}, False

    def _drop(self) -> Steps[None]:
        dropped = self._dropped
        yield lambda store: store.destroy(dropped)
        self._dropped, self._ended = None, True

    # --- the cookie -------------------------------------------------------------------------------

    def cookie(self, cookie: Cookie) -> str:
        """The value of Set-Cookie for the response, "" for none; ask after `committing`."""
        if not self.accessed or self.failure is not None:
            return ""
        if self.stored is None:
            return cookie.removal() if self._ended and self.sent_id else ""
        if self.stored.id != self.sent_id or cookie.max_age is not None:
            return cookie.header(self.stored.id)
        return ""
