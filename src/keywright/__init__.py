"""Keywright for applications: settings, connections and health for Redis and Valkey.

This file imports nothing: a name is fetched from its module when it is first used, so that
`import keywright` costs no more than the interpreter (a house test holds it).
"""

__version__ = "0.1.0"

_HOMES = {
    "connect": "keywright.connecting",
    "connect_async": "keywright.connecting",
    "Address": "keywright.url",
    "AsyncCache": "keywright.cache",
    "AsyncHealth": "keywright.health",
    "AsyncLock": "keywright.locks",
    "AsyncSessionStore": "keywright.sessions",
    "Cache": "keywright.cache",
    "Health": "keywright.health",
    "KeywrightError": "keywright.errors",
    "Lock": "keywright.locks",
    "SettingsError": "keywright.errors",
    "Secret": "keywright.secret",
    "Session": "keywright.sessions",
    "SessionStore": "keywright.sessions",
    "Settings": "keywright.settings",
    "format_url": "keywright.url",
    "parse_url": "keywright.url",
}

__all__ = [
    "Address",
    "AsyncCache",
    "AsyncHealth",
    "AsyncLock",
    "AsyncSessionStore",
    "Cache",
    "Health",
    "KeywrightError",
    "Lock",
    "Secret",
    "Session",
    "SessionStore",
    "Settings",
    "SettingsError",
    "__version__",
    "connect",
    "connect_async",
    "format_url",
    "parse_url",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'keywright' has no attribute {name!r}")
    module = __import__(home, fromlist=[name])
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
