"""Sessions of a web application: one command to load, no scan to end all of a user."""

from keywright.sessions.record import Session, SessionInfo
from keywright.sessions.store import SessionStore
from keywright.sessions.store_async import AsyncSessionStore

__all__ = ["AsyncSessionStore", "Session", "SessionInfo", "SessionStore"]
