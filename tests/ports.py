"""Ports for servers that tests start: no two tests, and no two workers, are given the same one."""

import os
import random
import socket

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
# Below the kernel's range for outgoing connections; each worker has a share, handed out in turn.
_SHARE = list(range(21000 + WORKER, 30000, WORKERS))
random.shuffle(_SHARE)


def free_port() -> int:
    """A port on which nobody listens now, neither on IPv4 nor on IPv6; never the last one again."""
    for _ in range(len(_SHARE)):
        port = _SHARE.pop(0)
        _SHARE.append(port)
        if bindable("127.0.0.1", port) and bindable("::1", port):
            return port
    raise AssertionError("no port is free")


def bindable(host: str, port: int) -> bool:
    """Whether the port can be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
