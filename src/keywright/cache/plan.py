"""What the two faces of the cache share: lifetimes, names of calls, and the talker's settings."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from inspect import signature
from random import random
from secrets import token_hex
from typing import Any, Literal, NamedTuple

from keywright.cache.conversations import Conversations, Sources
from keywright.errors import InputError, SettingsError
from keywright.settings import Settings
from keywright.talkers.choice import Source, settings_of
from keywright.tracking import LocalCache

Ttl = Literal["short", "default", "long"] | float
LONGEST_NAME = 200  # characters of a call's name before its arguments are hashed

SOURCES = Sources(now=time.time, token=lambda: token_hex(8), chance=random)


class Lives(NamedTuple):
    """The lifetimes by name, in seconds: CACHE_TTL_SHORT, CACHE_TTL, CACHE_TTL_LONG."""

    short: float
    default: float
    long: float

    def seconds(self, ttl: Ttl) -> float:
        """A lifetime in seconds. Raises InputError when it is neither a name nor more than 0."""
        if isinstance(ttl, str):
            if ttl not in self._fields:
                raise InputError(
                    f"{ttl!r} is no lifetime", "write short, default, long, or seconds"
                )
            return float(getattr(self, ttl))
        if ttl <= 0:
            raise InputError("a lifetime is more than 0 seconds", "delete what should not live")
        return float(ttl)


def lives_and_prefix(source: Source, prefix: str | None, namespace: str) -> tuple[Lives, str]:
    """What the settings say of lifetimes and keys."""
    settings = settings_of(source) or Settings.from_env()
    lives = Lives(settings.cache_ttl_short, settings.cache_ttl, settings.cache_ttl_long)
    whole = settings.cache_prefix if prefix is None else prefix
    return lives, f"{whole}{namespace}:" if namespace else whole


def flows_for(
    prefix: str, serializer: Any, local: LocalCache | bool, talker: Any
) -> tuple[Conversations, LocalCache | None]:
    """The flows of a cache, and what holds its hot values in this process."""
    held: LocalCache | None = None
    if isinstance(local, LocalCache):
        held = local
    elif local:
        endpoint = getattr(talker, "endpoint", None)
        if endpoint is None:
            raise SettingsError(
                "local=True needs a connection of our own, not a client or the store in the process",
                "give settings or a URL instead",
            )
        held = LocalCache(endpoint, prefix)
    return Conversations(prefix, SOURCES, serializer, held), held


def name_of(function: Callable[..., Any], args: Sequence[Any], named: Mapping[str, Any]) -> str:
    """The key of a call: the function's name and its arguments as JSON, hashed when they are long.

    Raises InputError for an argument that has no JSON form: then `key=` says what to call it.
    """
    bound = signature(function).bind(*args, **named)
    bound.apply_defaults()
    name = f"{function.__module__}.{function.__qualname__}"
    try:
        said = json.dumps(list(bound.arguments.values()), sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError):
        raise InputError(
            f"an argument of {function.__qualname__} cannot be part of a key",
            "say how the call is named: @cached(key=lambda …: f'…')",
        ) from None
    if len(said) > LONGEST_NAME:
        said = sha256(said.encode()).hexdigest()[:32]
    return f"{name}:{said}"
