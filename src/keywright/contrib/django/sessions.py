"""The session engine: `SESSION_ENGINE = "keywright.contrib.django.sessions"`.

Settings: KEYWRIGHT_SOURCE (a URL or Settings; the environment when it is missing) and KEYWRIGHT_SESSIONS, a
dict of SessionStore's arguments; the ttl is SESSION_COOKIE_AGE unless it says another.

Rule: a load slides the time without writing; a save puts its changes together with what others saved. Who
is logged in (`_auth_user_id`) owns the session, so that all of a user's can be listed and ended.
"""

from functools import cache
from typing import Any, NamedTuple

from keywright.contrib.steps import Steps, T, awalk, walk
from keywright.contrib.visit import log, merged
from keywright.errors import InputError, SessionGone, SessionUnreadable
from keywright.sessions import AsyncSessionStore, Session, SessionInfo
from keywright.sessions import SessionStore as Sessions
from keywright.sessions.record import fingerprint

try:
    from django.conf import settings
    from django.contrib.sessions.backends.base import SessionBase, UpdateError
    from django.utils.module_loading import import_string
except ModuleNotFoundError:
    raise InputError("django is not installed", "pip install 'keywright[django]'") from None

USER = "_auth_user_id"  # django.contrib.auth.SESSION_KEY, which cannot be imported this early


class Stores(NamedTuple):
    """The two stores of a lifetime, over the same connections as all others."""

    threads: Sessions
    tasks: AsyncSessionStore


class SessionStore(SessionBase):
    """Django's session, kept by Keywright. Each method is one round trip unless it says more."""

    _session_key: Any

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._stored: Session | None = None
        self._client = ("", "")

    def seen_from(self, address: str, agent: str) -> None:
        """Say where the client is, for a session that begins now (our SessionMiddleware does)."""
        self._client = (address, agent)

    # --- threads ----------------------------------------------------------------------------------

    def load(self) -> dict[str, Any]:
        """The data, {} when the session is gone. One command (two with `set_expiry`)."""
        return self._walked(self._loading())

    def save(self, must_create: bool = False) -> None:
        """Store it. Raises UpdateError when it has ended: nothing brings it back."""
        self._walked(self._saving(self._get_session(no_load=must_create), must_create))

    def create(self) -> None:
        """Begin a session of its own id."""
        self._session_key = None
        self.save(must_create=True)
        self.modified = True

    def exists(self, session_key: str) -> bool:
        """Whether there is a session of this key."""
        return walk(_existing(session_key), stores().threads)

    def delete(self, session_key: str | None = None) -> None:
        """End the session of this key, its own when None."""
        self._walked(self._deleting(session_key))

    def cycle_key(self) -> None:
        """Give it a new key; the old one is dead."""
        self._walked(self._cycling(self._get_session()))

    @classmethod
    def clear_expired(cls) -> None:
        """Nothing: Redis ends what has expired."""

    # --- asyncio ----------------------------------------------------------------------------------

    async def aload(self) -> dict[str, Any]:
        """As load."""
        return await self._awalked(self._loading())

    async def asave(self, must_create: bool = False) -> None:
        """As save."""
        data = await self._aget_session(no_load=must_create)
        await self._awalked(self._saving(data, must_create))

    async def acreate(self) -> None:
        """As create."""
        self._session_key = None
        await self.asave(must_create=True)
        self.modified = True

    async def aexists(self, session_key: str) -> bool:
        """As exists."""
        return await awalk(_existing(session_key), stores().tasks)

    async def adelete(self, session_key: str | None = None) -> None:
        """As delete."""
        await self._awalked(self._deleting(session_key))

    async def acycle_key(self) -> None:
        """As cycle_key."""
        await self._awalked(self._cycling(await self._aget_session()))

    @classmethod
    async def aclear_expired(cls) -> None:
        """Nothing: Redis ends what has expired."""

    # --- steps ------------------------------------------------------------------------------------

    def _loading(self) -> Steps[dict[str, Any]]:
        key = self.session_key
        stored: Session | None = None
        try:
            stored = yield lambda store: store.load(key)
        except SessionUnreadable as error:
            log.error("session %s begins anew: %s", fingerprint(key), error)
        if stored is not None and stored.data.get("_session_expiry"):
            left = self.get_expiry_age(expiry=stored.data["_session_expiry"])
            found = stored
            if left < 1:
                yield lambda store: store.destroy(found)
                stored = None
            else:
                yield lambda store: _like(store, left).touch(found)
        self._stored = stored
        if stored is None:
            self._session_key = None
            return {}
        return stored.data

    def _saving(self, data: dict[str, Any], must_create: bool) -> Steps[None]:
        user = str(data.get(USER) or "")
        if must_create or self.session_key is None:
            address, agent = self._client
            self._stored = yield lambda store: store.create(
                data, user=user, address=address, agent=agent
            )
            self._session_key = self._stored.id
            return
        stored = yield from self._held()
        stored.data = data
        try:
            if user != stored.user:
                yield lambda store: store.rotate(stored, user=user)
                self._session_key = stored.id
            else:
                yield lambda store: store.save(stored, merge=merged)
        except SessionGone as error:
            raise UpdateError(str(error)) from None
        self._session_cache = stored.data

    def _cycling(self, data: dict[str, Any]) -> Steps[None]:
        if self.session_key is not None:
            stored = yield from self._held()
            stored.data = data
            try:
                yield lambda store: store.rotate(stored)
                self._session_key = stored.id
                return
            except SessionGone:
                log.warning("session %s has ended: a new one begins", fingerprint(stored.id))
        yield from self._saving(data, must_create=True)
        self._session_cache = data
        self.modified = True

    def _deleting(self, session_key: str | None) -> Steps[None]:
        key = session_key if session_key is not None else self.session_key
        if key is None:
            return
        stored = self._stored
        mine = stored is not None and stored.id == key
        yield lambda store: store.destroy(stored if mine else key)
        if mine:
            self._stored = None

    def _held(self) -> Steps[Session]:
        """The stored session of the key; loaded when it was not yet. Raises UpdateError."""
        key = self.session_key
        if self._stored is None or self._stored.id != key:
            self._stored = yield lambda store: store.load(key)
        if self._stored is None:
            raise UpdateError("the session is gone: it expired or was logged out")
        return self._stored

    # --- faces ------------------------------------------------------------------------------------

    def _walked(self, steps: Steps[T]) -> T:
        return walk(steps, self._stores().threads)

    async def _awalked(self, steps: Steps[T]) -> T:
        return await awalk(steps, self._stores().tasks)

    def _stores(self) -> Stores:
        expiry = getattr(self, "_session_cache", {}).get("_session_expiry")
        left = self.get_expiry_age(expiry=expiry) if expiry else 0
        return stores(max(1, left)) if expiry else stores()


def _existing(key: str) -> Steps[bool]:
    found = yield lambda store: store.load(key)
    return found is not None


def _like(store: Any, ttl: int) -> Any:
    """The store of another lifetime, of the same face."""
    other = stores(ttl)
    return other.tasks if isinstance(store, AsyncSessionStore) else other.threads


# --- all of a user --------------------------------------------------------------------------------


def sessions_of(user: Any) -> list[SessionInfo]:
    """The sessions of a user (the object or its primary key), oldest first. One round trip, no scan."""
    return stores().threads.list(_name(user))


def logout_everywhere(user: Any, *, keep: str | None = None) -> int:
    """End the user's sessions but the one with the key `keep`; returns how many. One round trip, no scan."""
    return stores().threads.destroy_all(_name(user), keep=keep or "")


async def asessions_of(user: Any) -> list[SessionInfo]:
    """As sessions_of."""
    return await stores().tasks.list(_name(user))


async def alogout_everywhere(user: Any, *, keep: str | None = None) -> int:
    """As logout_everywhere."""
    return await stores().tasks.destroy_all(_name(user), keep=keep or "")


def _name(user: Any) -> str:
    return str(getattr(user, "pk", user))


# --- stores ---------------------------------------------------------------------------------------


def stores(ttl: int | None = None) -> Stores:
    """The stores of this project; those of another lifetime (seconds) share their connections."""
    usual, talkers, given = _made()
    if ttl is None or ttl == given["ttl"]:
        return usual
    return _with(talkers, {**given, "ttl": ttl})


@cache
def _made() -> tuple[Stores, tuple[Any, Any], dict[str, Any]]:
    from keywright.contrib.django.talkers import shared
    from keywright.talkers.choice import settings_of

    source = getattr(settings, "KEYWRIGHT_SOURCE", None)
    given = dict(getattr(settings, "KEYWRIGHT_SESSIONS", {}))
    given.setdefault("ttl", settings.SESSION_COOKIE_AGE)
    given.setdefault("serializer", import_string(settings.SESSION_SERIALIZER)())
    if "prefix" not in given:
        found = settings_of(source) or settings_of(None)
        given["prefix"] = found.cache_prefix if found is not None else ""
    talkers = shared(source)
    return _with(talkers, given), talkers, given


def _with(talkers: tuple[Any, Any], given: dict[str, Any]) -> Stores:
    return Stores(
        Sessions(talker=talkers[0], **given), AsyncSessionStore(talker=talkers[1], **given)
    )
