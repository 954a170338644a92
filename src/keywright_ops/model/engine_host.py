"""Which machine a Docker Engine runs on, as DOCKER_HOST, a docker context or container.host names it."""

from typing import NamedTuple

HERE, SSH, TCP = "here", "ssh", "tcp"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class EngineHost(NamedTuple):
    """`way` is here (a socket of this machine), ssh or tcp; `source` says who named it.

    `user` "" and `port` 0 leave them to ssh and its configuration.
    """

    way: str
    user: str = ""
    host: str = ""
    port: int = 0
    source: str = ""

    @property
    def url(self) -> str:
        """The host as one writes it."""
        where = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"{self.way}://{self.destination.removesuffix(self.host)}{where}{port}"

    @property
    def destination(self) -> str:
        """What ssh is given: USER@HOST or HOST."""
        return f"{self.user}@{self.host}" if self.user else self.host


def parse_engine_host(text: str, source: str = "") -> EngineHost:
    """Read ssh://[USER@]HOST[:PORT], tcp://HOST:PORT or unix://PATH; "" is this machine.

    No word of it can be taken for an option of ssh. Raises ValueError, without the text.
    """
    scheme, separator, rest = text.partition("://")
    if not text or scheme in ("unix", "npipe", "fd"):
        return EngineHost(HERE, source=source)
    if not separator:
        scheme, rest = TCP, text  # as docker takes a bare HOST:PORT
    if scheme not in (SSH, TCP, "http", "https"):
        raise ValueError("it begins with neither ssh:// nor tcp:// nor unix://")
    user, _, where = rest.partition("/")[0].rpartition("@")
    host, port = _split(where)
    if not _word(user, "._+-") or not host or not _word(host, ".-_:"):
        raise ValueError("it is not ssh://USER@HOST:PORT (without a password)")
    if scheme == SSH:
        return EngineHost(SSH, user, host, port, source)
    if host == "localhost" or host == "::1" or host.startswith("127."):
        return EngineHost(HERE, source=source)
    return EngineHost(TCP, "", host, port, source)


def _split(where: str) -> tuple[str, int]:
    """Host and port; an IPv6 address stands in brackets."""
    if where.startswith("["):
        host, _, rest = where[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = where.partition(":")
    if not port:
        return host, 0
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise ValueError("it does not end in a port from 1 to 65535")
    return host, int(port)


def _word(text: str, more: str) -> bool:
    """Whether only such letters stand in it, and no minus first."""
    return not text.startswith("-") and all(each in _LETTERS + more for each in text)
