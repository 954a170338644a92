"""What Linux tells of processes and their sockets in /proc: read, not judged."""

import os

from keywright_ops.model.facts import Process

LISTENS = "0A"  # TCP_LISTEN in /proc/net/tcp


def pids() -> list[int]:
    """Every process of this machine."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def process(pid: int) -> tuple[Process, int] | None:
    """One process of our own user and its parent's id; None for all others.

    A process that has ended but is not reaped (state Z) is gone.
    """
    try:
        if os.stat(f"/proc/{pid}").st_uid != os.getuid():
            return None
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            command = os.fsdecode(stream.read()).split("\0")[:-1]
        if len(command) < 2:
            return None
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as text:
            # the name in brackets may hold anything; after it: state, parent, …, start time (22nd)
            state, parent, *more = text.read().rpartition(")")[2].split()
        executable = os.readlink(f"/proc/{pid}/exe")
    except (OSError, ValueError):
        return None
    if state in "ZX":
        return None
    return Process(pid, more[17], executable, tuple(command), state == "T"), int(parent)


LOOKS = 3  # how often the kernel's lists are read before we believe that nobody listens


def listens_on(pid: int) -> tuple[tuple[str, int], ...]:
    """The addresses and TCP ports on which this very process listens, from the kernel's own lists.

    The kernel skips rows when sockets come and go while a list is read, so "none" is asked again.
    """
    for _ in range(LOOKS):
        found = _listens_on(pid)
        if found:
            return found
    return ()


def _listens_on(pid: int) -> tuple[tuple[str, int], ...]:
    import socket  # the wire has it loaded already

    try:
        handles = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return ()
    inodes = {each[len("socket:[") : -1] for each in handles if each.startswith("socket:[")}
    found = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for row in map(str.split, listeners(table).splitlines()[1:]):
            if row[9] in inodes:
                address, _, port = row[1].rpartition(":")
                found.append((socket.inet_ntop(family, _raw(address)), int(port, 16)))
    return tuple(found)


def listeners(table: str) -> str:
    """The beginning of /proc/net/TABLE ("tcp", "tcp6"): its heading and the sockets that listen.

    The kernel lists those first (tcp_seek_last_pos in net/ipv4/tcp_ipv4.c), and what is not read is
    not made: on a busy host the rest has thousands of rows. "" where there is no such table.
    """
    try:
        with open(f"/proc/net/{table}", encoding="ascii") as stream:
            rows = [stream.readline()]
            for row in stream:
                if f" {LISTENS} " not in row:
                    break
                rows.append(row)
    except OSError:
        return ""
    return "".join(rows)


def _raw(address: str) -> bytes:
    """The kernel prints an address as 32-bit words in the machine's own byte order."""
    import sys

    raw = bytes.fromhex(address)
    if sys.byteorder == "big":
        return raw
    return b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
