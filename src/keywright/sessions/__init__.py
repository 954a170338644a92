"""Sessions of a web application: one command to load, no scan to end all of a user.

A name is fetched from its module when it is first used: who reads one record loads no store.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keywright.sessions.record import Session, SessionInfo
    from keywright.sessions.store import SessionStore
    from keywright.sessions.store_async import AsyncSessionStore

__all__ = ["AsyncSessionStore", "Session", "SessionInfo", "SessionStore"]

_HOMES = {
    "AsyncSessionStore": "keywright.sessions.store_async",
    "Session": "keywright.sessions.record",
    "SessionInfo": "keywright.sessions.record",
    "SessionStore": "keywright.sessions.store",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'keywright.sessions' has no attribute {name!r}")
    return getattr(__import__(home, fromlist=[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
