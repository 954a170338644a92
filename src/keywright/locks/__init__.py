"""Locks across processes and hosts: one holder at a time, told when it is over.

A name is fetched from its module when it is first used: threads load no asyncio.
"""

from typing import Any

__all__ = ["AsyncLock", "Lock"]

_HOMES = {"AsyncLock": "keywright.locks.lock_async", "Lock": "keywright.locks.lock"}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'keywright.locks' has no attribute {name!r}")
    return getattr(__import__(home, fromlist=[name]), name)
