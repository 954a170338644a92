"""A lock on one server, with a token, an end, and a number that fences off whoever comes too late."""

from keywright.locks.lock import Lock
from keywright.locks.lock_async import AsyncLock

__all__ = ["AsyncLock", "Lock"]
