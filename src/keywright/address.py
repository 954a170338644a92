"""Where a server is and as whom to log in: the nouns that a connection URL is read into."""

from typing import NamedTuple

from keywright.secret import Secret

SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
PORT = 6379
SENTINEL_PORT = 26379

# What may stand after `?`, besides db and the sentinels' own credentials. The names are redis-py's.
OPTIONS = (
    "ssl_cert_reqs",
    "ssl_ca_certs",
    "socket_timeout",
    "socket_connect_timeout",
    "max_connections",
)


class Node(NamedTuple):
    """One host (name, IPv4 or IPv6 without brackets) and its port."""

    host: str
    port: int


class Address(NamedTuple):
    """Where a server is and as whom to log in.

    `nodes` holds one node for redis and rediss, every sentinel for the sentinel schemes, none for
    unix. `path` is the unix socket, `master` the name that the sentinels know. `username` "" is the
    default user; `password` None is none (never an empty Secret). `options` are pairs of one of
    OPTIONS and its text.
    """

    scheme: str = "redis"
    nodes: tuple[Node, ...] = ()
    database: int = 0
    username: str = ""
    password: Secret | None = None
    path: str = ""
    master: str = ""
    sentinel_username: str = ""
    sentinel_password: Secret | None = None
    options: tuple[tuple[str, str], ...] = ()

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme.startswith("rediss")

    @property
    def sentinel(self) -> bool:
        """Whether `nodes` are sentinels, to be asked where the master is."""
        return self.scheme.endswith("+sentinel")
