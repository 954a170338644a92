"""Which talker serves a store: what was given, the endpoint of the settings, or the process itself."""

import logging
import os
from typing import Any

from keywright.endpoint import Endpoint
from keywright.flows import AsyncTalker, Talker
from keywright.places import endpoint_of
from keywright.secret import Secret
from keywright.settings import Settings

Source = Settings | Endpoint | Secret | str | None

BESIDE = ("CACHE_", "LOCK_")
_log = logging.getLogger("keywright")
_told: set[str] = set()  # what was said once and is not said again


def talker_for(source: Source = None, *, client: Any = None, name: str = "") -> Talker:
    """Return what holds a store's flows for threads.

    `client` is a redis-py-like client; else `source` says where the server is: Settings, an
    Endpoint, a URL, or None for the environment. `name` is shown in CLIENT LIST.
    """
    if client is not None:
        from keywright.talkers.client import ClientTalker

        return ClientTalker(client)
    settings = settings_of(source)
    if settings is not None and not settings.enabled:
        from keywright.talkers.memory import MemoryTalker

        _say_that_caching_is_off()
        return MemoryTalker()
    from keywright.talkers.blocking import BlockingTalker

    if settings is None:
        assert isinstance(source, Endpoint)
        return BlockingTalker(source, name=_called(name))
    return BlockingTalker(
        endpoint_of(settings), connections=settings.pool_max_connections, name=_called(name)
    )


def async_talker_for(source: Source = None, *, client: Any = None, name: str = "") -> AsyncTalker:
    """Return what holds a store's flows in asyncio; the arguments are those of `talker_for`."""
    if client is not None:
        from keywright.talkers.client_async import AsyncClientTalker

        return AsyncClientTalker(client)
    settings = settings_of(source)
    if settings is not None and not settings.enabled:
        from keywright.talkers.memory import AsyncMemoryTalker

        _say_that_caching_is_off()
        return AsyncMemoryTalker()
    from keywright.talkers.multiplexed import MultiplexedTalker

    if settings is None:
        assert isinstance(source, Endpoint)
        return MultiplexedTalker(source, name=_called(name))
    return MultiplexedTalker(endpoint_of(settings), name=_called(name))


def settings_of(source: Source) -> Settings | None:
    """Return the settings that a source means; None for an Endpoint, which has none.

    Beside a URL only the environment's CACHE_ and LOCK_ variables count.

    Raises SettingsError for a URL or an environment that says something wrong.
    """
    if isinstance(source, Settings):
        return source
    if isinstance(source, Endpoint):
        return None
    if source is None:
        return Settings.from_env()
    url = source.reveal() if isinstance(source, Secret) else source
    beside = {name: text for name, text in os.environ.items() if name.startswith(BESIDE)}
    return Settings.from_env({**beside, "REDIS_URL": url})


def _called(name: str) -> str:
    return f"keywright:{name}" if name else "keywright"


def _say_that_caching_is_off() -> None:
    sentence = (
        "ENABLE_REDIS_CACHING is false: sessions, cache and locks live in this process alone, "
        "and end with it"
    )
    if sentence not in _told:
        _told.add(sentence)
        _log.warning(sentence)
