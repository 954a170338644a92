"""The connections of a Django process: Django makes a cache for each thread, and all share these."""

from threading import Lock

from keywright.flows import AsyncTalker, Talker
from keywright.talkers.choice import Source, async_talker_for, talker_for

_lock = Lock()
_made: dict[Source, tuple[Talker, AsyncTalker]] = {}


def shared(source: Source) -> tuple[Talker, AsyncTalker]:
    """The talkers of a source for threads and for asyncio; made once in a process."""
    with _lock:
        if source not in _made:
            threads = talker_for(source, name="django")
            _made[source] = threads, _beside(threads) or async_talker_for(source, name="django")
        return _made[source]


def forget() -> None:
    """Make new ones from now on, as when the environment has changed (in tests)."""
    with _lock:
        _made.clear()


def _beside(threads: Talker) -> AsyncTalker | None:
    """Inside the process both keep the same store."""
    from keywright.talkers.memory import AsyncMemoryTalker, MemoryTalker

    return AsyncMemoryTalker(threads.store) if isinstance(threads, MemoryTalker) else None
