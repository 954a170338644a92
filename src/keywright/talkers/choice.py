"""Which talker a store is given: by its settings, its endpoint, or the client that somebody has already."""

import logging
from typing import Any

from keywright.endpoint import Endpoint
from keywright.flows import AsyncTalker, Talker
from keywright.parameters import settings_of
from keywright.places import endpoint_of
from keywright.secret import Secret
from keywright.settings import Settings

Source = Settings | Endpoint | Secret | str | None

_SAID: set[str] = set()  # what was said once and is not said again


def talker_for(
    source: Source = None, client: Any = None, connections: int | None = None, name: str = ""
) -> Talker:
    """Return the talker that holds a store's flows and blocks.

    `client` is a redis-py-like client to speak through; without one the library's own connections
    are used, at most `connections` (REDIS_POOL_MAX_CONNECTIONS unless given) to `source`: Settings,
    a URL, an Endpoint, or None for the environment. With ENABLE_REDIS_CACHING=false the data stays
    in the process, which is logged once. Raises SettingsError for wrong settings; no round trip.
    """
    if client is not None:
        from keywright.talkers.client import ClientTalker

        return ClientTalker(client)
    place = _place(source)
    if place is None:
        from keywright.talkers.memory import MemoryTalker

        memory: Talker = MemoryTalker()
        return memory
    from keywright.talkers.blocking import BlockingTalker

    endpoint, most = place
    return BlockingTalker(endpoint, connections=connections or most, name=name)


def async_talker_for(
    source: Source = None, client: Any = None, connections: int | None = None, name: str = ""
) -> AsyncTalker:
    """Return the talker for an event loop; arguments are `talker_for`'s.

    It multiplexes: `connections` (2 unless given) are shared by every task.
    """
    if client is not None:
        from keywright.talkers.client import AsyncClientTalker

        return AsyncClientTalker(client)
    place = _place(source)
    if place is None:
        from keywright.talkers.memory import AsyncMemoryTalker

        memory: AsyncTalker = AsyncMemoryTalker()
        return memory
    from keywright.talkers.multiplexed import MultiplexedTalker

    words = {"connections": connections} if connections else {}
    shared: AsyncTalker = MultiplexedTalker(place[0], name=name, **words)
    return shared


def _place(source: Source) -> tuple[Endpoint, int] | None:
    """Where to connect and with how many at most; None when caching is off."""
    if isinstance(source, Endpoint):
        return source, 100
    settings = settings_of(source)
    if settings.enabled:
        return endpoint_of(settings), settings.pool_max_connections
    say_once(
        "ENABLE_REDIS_CACHING is false: sessions, cache and locks are kept inside this process, "
        "are not shared with others, and end with it"
    )
    return None


def say_once(sentence: str) -> None:
    """Log a warning, the first time only in this process."""
    if sentence not in _SAID:
        _SAID.add(sentence)
        logging.getLogger("keywright").warning(sentence)
