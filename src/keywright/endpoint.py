"""One place where a server answers, and with which credentials to knock."""

from typing import NamedTuple

from keywright.secret import Secret


class Tls(NamedTuple):
    """How to check the server: `ca_certs` is a file, "" for the system's; names are checked."""

    ca_certs: str = ""
    verify: bool = True


class Endpoint(NamedTuple):
    """Address, TLS and credentials. `unix_path` wins over host and port; times are seconds.

    `relay` is the argv of a program whose standard input and output are the connection, such as
    `docker exec -i NAME …` or `ssh -W`; it wins over both, and host still names the peer for TLS
    and in messages.

    Without a password no AUTH is sent; with one and no username the default user is meant.
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

    @property
    def address(self) -> str:
        """The address as a person writes it."""
        if self.unix_path and not self.relay:
            return self.unix_path
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
