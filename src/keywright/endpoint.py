"""One place where a server answers, and with which credentials to knock."""

from collections.abc import Callable
from typing import NamedTuple

from keywright.secret import Secret

MARGIN = 30.0  # seconds before the end of credentials at which new ones are asked for


class Tls(NamedTuple):
    """How to check the server, and how to be known to it.

    `ca_certs` is a file, "" for the system's authorities. `verify` False takes any certificate;
    `check_hostname` False takes one that was made for another name. `certificate` and `key` are the
    client's own (files; "" for none).
    """

    ca_certs: str = ""
    verify: bool = True
    check_hostname: bool = True
    certificate: str = ""
    key: str = ""


class Credentials(NamedTuple):
    """As whom to log in, and how many seconds that is good for (None: until somebody changes it)."""

    username: str
    password: Secret | None
    good_for: float | None = None

    @property
    def renew_in(self) -> float | None:
        """In how many seconds new ones are to be asked for: some time before these end."""
        return None if self.good_for is None else max(1.0, self.good_for - MARGIN)


class Sentinels(NamedTuple):
    """Who knows where the master is: the sentinels' places, the master's name, their own login."""

    nodes: tuple[tuple[str, int], ...]
    master: str
    username: str = ""
    password: Secret | None = None


class Endpoint(NamedTuple):
    """Address, TLS and credentials. `unix_path` wins over host and port; times are seconds.

    `relay` is the argv of a program whose standard input and output are the connection, such as
    `docker exec -i NAME …` or `ssh -W`; it wins over both, and host still names the peer for TLS
    and in messages.

    Without a password no AUTH is sent; with one and no username the default user is meant.
    `credentials` is asked at every connect, and again before what it gave ends; it wins over
    username and password. With `sentinels` they are asked at every connect where the master is;
    host and port are then what they said last.
    """

    host: str = "127.0.0.1"
    port: int = 6379
    unix_path: str = ""
    username: str = ""
    password: Secret | None = None
    tls: Tls | None = None
    connect_timeout: float = 2.0
    timeout: float = 5.0
    relay: tuple[str, ...] = ()
    database: int = 0
    credentials: Callable[[], Credentials] | None = None
    sentinels: Sentinels | None = None

    @property
    def address(self) -> str:
        """The address as a person writes it."""
        if self.unix_path and not self.relay:
            return self.unix_path
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
