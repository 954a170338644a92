"""What Linux tells of processes and their sockets in /proc: read, not judged."""

import os

from keywright_ops.facts.process import LISTEN, parse_listeners, parse_proc_stat_start
from keywright_ops.model.host import Process

TABLES = ("tcp", "tcp6")  # what /proc/net calls its lists of TCP sockets


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
            stat = text.read()
        executable = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None
    start = parse_proc_stat_start(stat)
    if start is None:
        return None
    state, parent = stat.rpartition(")")[2].split()[:2]
    return Process(pid, start, executable, tuple(command), state == "T"), int(parent)


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
    try:
        handles = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return ()
    rows = [row for table in TABLES for row in parse_listeners(listeners(table))]
    return tuple((row.address, row.port) for row in rows if f"socket:[{row.inode}]" in handles)


def listeners(table: str) -> str:
    """The beginning of /proc/net/TABLE ("tcp", "tcp6"): its heading and the sockets that listen.

    The kernel lists those first (tcp_seek_last_pos in net/ipv4/tcp_ipv4.c), and what is not read is
    not made: on a busy host the rest has thousands of rows. "" where there is no such table.
    """
    try:
        with open(f"/proc/net/{table}", encoding="ascii") as stream:
            rows = [stream.readline()]
            for row in stream:
                if f" {LISTEN} " not in row:
                    break
                rows.append(row)
    except OSError:
        return ""
    return "".join(rows)
