"""Whether a port of this machine can be had, and who holds it if not."""

import os

from keywright_ops.facts.process import parse_listeners
from keywright_ops.model.absence import Missing
from keywright_ops.targets import proc

TAKEN = "it is taken"
KNOCKS = 1.0  # seconds of silence after which a port counts as dropped by a firewall


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


def knock(host: str, port: int) -> str | Missing:
    """What becomes of a TCP connection to another machine: "open", "refused" or "no answer"."""
    import socket

    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        return Missing(f"the address of {host} is not known here")
    if found[4][0] == "::1" or str(found[4][0]).startswith("127."):
        return Missing(f"{host} is this machine's own loopback")
    with socket.socket(found[0], socket.SOCK_STREAM) as probe:
        probe.settimeout(KNOCKS)
        try:
            probe.connect(found[4])
        except TimeoutError:
            return "no answer"
        except OSError as error:
            return "refused" if isinstance(error, ConnectionError) else "no answer"
    return "open"


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
    for table in proc.TABLES:
        for row in parse_listeners(proc.listeners(table)):
            if row.port == port:
                return user_name(row.user), row.inode
    return "", ""


def user_name(uid: int) -> str:
    """Return the name of a user, or the number where it has none."""
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
