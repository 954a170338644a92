"""The one table of every variable that an application's environment may set.

`keywright.settings` reads by it, the .env of an environment is written by it, and the page
docs/application/settings.md prints it. Defaults are the configuration guide's values.
"""

from typing import NamedTuple


class Field(NamedTuple):
    """One variable. `kind` is switch, text, whole, seconds, choice, path, url or password.

    `default` is what an unset or empty variable means, as the text that one would write.
    `unit` is "" for what has none. `low` and `high` bound whole numbers and seconds. `attribute`
    names the field of `Settings`. `secret` values are never shown.
    """

    name: str
    attribute: str
    kind: str
    default: str
    unit: str
    meaning: str
    secret: bool = False
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 2**31 - 1


FIELDS: tuple[Field, ...] = (
    Field(
        "ENABLE_REDIS_CACHING", "enabled", "switch", "true", "",
        "use Redis; false keeps cache, locks and sessions inside the process",
    ),
    Field(
        "REDIS_URL", "url", "url", "", "",
        "where and as whom to connect, in one line; wins over the parts below", secret=True,
    ),
    Field("REDIS_HOST", "host", "text", "localhost", "", "the server's name or address"),
    Field("REDIS_PORT", "port", "whole", "6379", "", "its TCP port", low=1, high=65535),
    Field("REDIS_DB", "database", "whole", "0", "", "the number of its database"),
    Field("REDIS_USERNAME", "username", "text", "", "", "the ACL user; empty is the default user"),
    Field("REDIS_PASSWORD", "password", "password", "", "", "that user's password", secret=True),
    Field("REDIS_SSL", "ssl", "switch", "false", "", "connect with TLS"),
    Field(
        "REDIS_SSL_CERT_REQS", "ssl_cert_reqs", "choice", "required", "",
        "whether the server's certificate is checked; none is not safe",
        choices=("required", "optional", "none"),
    ),
    Field(
        "REDIS_SSL_CA_CERTS", "ssl_ca_certs", "path", "", "",
        "file with the authority that signed it; empty is the system's list",
    ),
    Field(
        "REDIS_POOL_MAX_CONNECTIONS", "pool_max_connections", "whole", "100", "connections",
        "the most that one process opens", low=1,
    ),
    Field(
        "REDIS_SOCKET_TIMEOUT", "socket_timeout", "seconds", "5", "seconds",
        "how long an answer may take", low=0.001, high=86400,
    ),
    Field(
        "REDIS_SOCKET_CONNECT_TIMEOUT", "socket_connect_timeout", "seconds", "5", "seconds",
        "how long connecting may take", low=0.001, high=86400,
    ),
    Field(
        "CACHE_PREFIX", "cache_prefix", "text", "esabcfg:", "",
        "what every key of the application begins with",
    ),
    Field(
        "CACHE_TTL", "cache_ttl", "whole", "3600", "seconds",
        "how long a session or a cached value lives", low=1,
    ),
    Field(
        "CACHE_TTL_SHORT", "cache_ttl_short", "whole", "300", "seconds",
        "how long a short-lived value lives", low=1,
    ),
    Field(
        "CACHE_TTL_LONG", "cache_ttl_long", "whole", "86400", "seconds",
        "how long a long-lived value lives", low=1,
    ),
    Field(
        "LOCK_PREFIX", "lock_prefix", "text", "<CACHE_PREFIX>lock:", "",
        "what every lock's key begins with",
    ),
    Field(
        "LOCK_TTL", "lock_ttl", "whole", "30", "seconds",
        "how long a lock is held without a renewal", low=1,
    ),
    Field(
        "REDIS_HEALTHCHECK_ON_START", "healthcheck_on_start", "switch", "true", "",
        "ask the server once when the application starts",
    ),
    Field(
        "REDIS_HEALTHCHECK_KEY", "healthcheck_key", "text", "<CACHE_PREFIX>health", "",
        "the key that the health check writes and reads",
    ),
)  # fmt: skip

BY_NAME = {field.name: field for field in FIELDS}


def settings_table() -> str:
    """Print FIELDS as the Markdown table of docs/application/settings.md."""
    lines = ["| variable | kind | default | unit | meaning |", "|---|---|---|---|---|"]
    for field in FIELDS:
        kind = " / ".join(field.choices) if field.choices else field.kind
        default = f"`{field.default}`" if field.default else "–"
        meaning = field.meaning + (" (secret)" if field.secret else "")
        lines.append(f"| `{field.name}` | {kind} | {default} | {field.unit or '–'} | {meaning} |")
    return "\n".join(lines) + "\n"
