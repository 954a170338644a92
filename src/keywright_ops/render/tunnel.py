"""The command lines that open a tunnel: what Keywright runs, and what a person can type instead."""

from typing import NamedTuple

from keywright_ops.model.engine_host import EngineHost

# 15 s × 3: a line that broke is noticed within a minute; nobody but this machine uses the tunnel
OPTIONS = (
    *("-o", "ExitOnForwardFailure=yes", "-o", "ConnectTimeout=10", "-o", "GatewayPorts=no"),
    *("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3"),
    # through a shared connection it would outlive us
    *("-o", "ControlMaster=no", "-o", "ControlPath=none"),
)


class Way(NamedTuple):
    """From `local_port` on this machine's loopback to `address`:`port` as `host` sees it.

    `key` is the file of the private key, "" for ssh's own choice.
    """

    host: EngineHost
    local_port: int
    address: str
    port: int
    key: str = ""

    @property
    def forward(self) -> str:
        """The tunnel's two ends, as every ssh takes them."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.local_port}:{address}:{self.port}"


def openssh_argv(way: Way) -> tuple[str, ...]:
    """Return the line for OpenSSH (Linux, macOS, Windows 10 and later)."""
    return (*_login(way.host, way.key), "-N", "-L", way.forward, way.host.destination)


def tunnel_argv(way: Way) -> tuple[str, ...]:
    """Return what Keywright itself runs: the same, and it ends when it cannot do its work."""
    line = openssh_argv(way)
    return (line[0], *OPTIONS, *line[1:])


def remote_argv(host: EngineHost, key: str, command: str) -> tuple[str, ...]:
    """Return the line that runs a command (already quoted for a shell) on the host."""
    return ("ssh", *OPTIONS[2:4], *_login(host, key)[1:], "-T", host.destination, command)


def _login(host: EngineHost, key: str) -> tuple[str, ...]:
    named = ("-i", key) if key else ()
    port = ("-p", str(host.port)) if host.port else ()
    return ("ssh", *named, *port)


def putty_line(way: Way) -> str:
    """Return the line for PuTTY, whose keys are files of another format."""
    port = f"-P {way.host.port} " if way.host.port else ""
    return f"plink.exe -i key.ppk {port}-N -L {way.forward} {way.host.destination}"
