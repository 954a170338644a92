"""What redis-py is given: from settings and a caller's keyword arguments to its own keyword arguments.

A `Target` says where to connect and how, still without any connection. Keyword arguments are named as
redis-py names them and win over the settings.
"""

import socket
from typing import Any, NamedTuple

from keywright.endpoint import Endpoint, Sentinels, Tls
from keywright.errors import CachingDisabled, SettingsError
from keywright.places import endpoint_of
from keywright.secret import Secret
from keywright.settings import Settings
from keywright.talkers.choice import settings_of

HEALTH_CHECK = (
    25  # seconds of idleness after which a connection is asked first; load balancers cut at 60
)
TRIES = 3  # tries after the first, with jitter; a time-out is never followed by another
FIRST_WAIT, LONGEST_WAIT = 0.05, 1.0  # seconds between them

_OWN = (
    "cluster",
    "sentinels",
    "service_name",
    "min_other_sentinels",
    "sentinel_kwargs",
    "check_connection",
)


class Target(NamedTuple):
    """`keywords` are redis-py's for a connection. `kind` is tcp, tls, unix, sentinel or cluster."""

    kind: str
    endpoint: Endpoint
    keywords: dict[str, Any]
    connections: int
    sentinels: dict[str, Any]


def target_of(source: Settings | str | Secret | None, overrides: dict[str, Any]) -> Target:
    """Lay the caller's arguments over the settings. Raises SettingsError and CachingDisabled."""
    settings = settings_of(source)
    assert settings is not None  # an Endpoint is no source here
    if not settings.enabled:
        raise CachingDisabled(
            "ENABLE_REDIS_CACHING is false, so there is no server to connect to",
            "the stores then keep their data in the process: give them the settings instead of a "
            "client, or set ENABLE_REDIS_CACHING=true",
        )
    own = {name: overrides[name] for name in _OWN if name in overrides}
    given = {name: value for name, value in overrides.items() if name not in _OWN}
    keywords = _plain(settings) | {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in given.items()
    }
    connections = int(keywords.pop("max_connections"))
    if given.get("unix_socket_path"):
        keywords |= {"ssl": False}
    elif "host" in given or own.get("sentinels"):
        keywords.pop("unix_socket_path", None)
    if keywords.get("credential_provider") is not None:
        keywords["credential_provider"] = _provider(keywords["credential_provider"])
        keywords.pop("username", None)
        keywords.pop("password", None)
    sentinels = _sentinels(settings, own, given, keywords)
    endpoint = _endpoint(settings, keywords, sentinels)
    kind = _kind(own, sentinels, keywords)
    return Target(kind, endpoint, _connection(kind, keywords), connections, sentinels)


def _plain(settings: Settings) -> dict[str, Any]:
    """The settings in redis-py's words."""
    place = endpoint_of(settings)
    words: dict[str, Any] = {
        "host": settings.host or "localhost",
        "port": settings.port or 6379,
        "db": settings.database,
        "username": settings.username or None,
        "password": settings.password.reveal() if settings.password else None,
        "socket_timeout": settings.socket_timeout,
        "socket_connect_timeout": settings.socket_connect_timeout,
        "max_connections": settings.pool_max_connections,
        "health_check_interval": HEALTH_CHECK,
        "client_name": f"keywright:{settings.cache_prefix.strip(':') or 'app'}",
        "decode_responses": False,
        "ssl": settings.ssl,
    }
    if place.unix_path:
        words["unix_socket_path"] = place.unix_path
    if settings.ssl_ca_certs:
        words["ssl_ca_certs"] = settings.ssl_ca_certs
    words["ssl_cert_reqs"] = settings.ssl_cert_reqs
    words["ssl_check_hostname"] = settings.ssl_cert_reqs == "required"
    return words


def _provider(given: Any) -> Any:
    """redis-py's provider, made of one of our sources when that is what was given."""
    if hasattr(given, "get_credentials"):
        return given
    from keywright.credentials import rotating

    return rotating(given)


def _sentinels(
    settings: Settings, own: dict[str, Any], given: dict[str, Any], keywords: dict[str, Any]
) -> dict[str, Any]:
    """Whom to ask for the master, {} without Sentinel. The sentinels' TLS and time-outs are the
    server's unless `sentinel_kwargs` says something else; their login is their own."""
    address = settings.address
    nodes = [tuple(node) for node in own.get("sentinels") or ()]
    if not nodes and address.sentinel and not ({"host", "unix_socket_path"} & given.keys()):
        nodes = [(node.host, node.port) for node in address.nodes]
    if not nodes:
        return {}
    name = own.get("service_name") or address.master
    if not name:
        raise SettingsError(
            "sentinels were given without the name of the master that they watch",
            "give service_name, the name in `sentinel monitor`",
        )
    asked = {
        name: value for name, value in keywords.items()
        if name.startswith(("socket_", "ssl")) or name == "client_name"
    } | {
        "username": address.sentinel_username or None,
        "password": address.sentinel_password.reveal() if address.sentinel_password else None,
    }  # fmt: skip
    asked |= own.get("sentinel_kwargs") or {}
    if not asked.get("ssl"):
        asked = {key: value for key, value in asked.items() if not key.startswith("ssl")}
    return {
        "sentinels": nodes,
        "service_name": name,
        "min_other_sentinels": own.get("min_other_sentinels", len(nodes) // 2),
        "sentinel_kwargs": asked,
        "check_connection": own.get("check_connection", True),
    }


def _kind(own: dict[str, Any], sentinels: dict[str, Any], keywords: dict[str, Any]) -> str:
    if own.get("cluster"):
        if sentinels or keywords.get("unix_socket_path"):
            raise SettingsError(
                "cluster=True does not go with sentinels or a unix socket",
                "name one node of the cluster by host and port",
            )
        if keywords.get("db"):
            raise SettingsError(
                f"a cluster has database 0 only, and {keywords['db']} was asked for",
                "set REDIS_DB=0",
            )
        return "cluster"
    if sentinels:
        return "sentinel"
    if keywords.get("unix_socket_path"):
        return "unix"
    return "tls" if keywords.get("ssl") else "tcp"


def _endpoint(settings: Settings, keywords: dict[str, Any], sentinels: dict[str, Any]) -> Endpoint:
    """The same place in our own words, for the sentences of errors."""
    place = endpoint_of(settings)
    asked = sentinels.get("sentinels") or [(keywords["host"], keywords["port"])]
    password = keywords.get("password")
    return place._replace(
        host=str(asked[0][0]),
        port=int(asked[0][1]),
        unix_path="" if sentinels else keywords.get("unix_socket_path") or "",
        username=keywords.get("username") or "",
        password=Secret(str(password)) if password else None,
        tls=place.tls or Tls() if keywords.get("ssl") else None,
        connect_timeout=float(keywords["socket_connect_timeout"] or 0),
        timeout=float(keywords["socket_timeout"] or 0),
        database=int(keywords["db"] or 0),
        sentinels=_known(sentinels) if sentinels else None,
    )


def _known(sentinels: dict[str, Any]) -> Sentinels:
    secret = sentinels["sentinel_kwargs"].get("password")
    return Sentinels(
        tuple((str(host), int(port)) for host, port in sentinels["sentinels"]),
        sentinels["service_name"],
        password=Secret(str(secret)) if secret else None,
    )


def _connection(kind: str, keywords: dict[str, Any]) -> dict[str, Any]:
    """Leave out what this kind of connection does not take, and add what TCP needs."""
    words = dict(keywords)
    if kind == "unix":
        words["path"] = words.pop("unix_socket_path")
        for name in tuple(words):
            if name in ("host", "port", "socket_keepalive", "socket_keepalive_options"):
                words.pop(name)
    else:
        words.pop("unix_socket_path", None)
        words.setdefault("socket_keepalive", True)
        words.setdefault("socket_keepalive_options", _keepalive())
    if not words.get("ssl"):
        words = {name: value for name, value in words.items() if not name.startswith("ssl_")}
    if kind == "cluster":
        words.pop("db", None)
    if kind in ("tcp", "tls", "unix"):
        words.pop("ssl", None)
    return words


def _keepalive() -> dict[int, int]:
    """Ask after 30 s of silence, each 5 s, give up after 3 (a dead peer is known after 45 s)."""
    names = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
    return {getattr(socket, name): value for name, value in names if hasattr(socket, name)}
