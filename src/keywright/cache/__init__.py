"""A cache of values that can be computed again: lifetimes, tags, and one computation where many ask."""

from keywright.cache.cache import Cache
from keywright.cache.cache_async import AsyncCache
from keywright.cache.conversations import MISSING

__all__ = ["MISSING", "AsyncCache", "Cache"]
