"""Reads what the kernel says of processes and listening sockets: /proc on Linux, ps and netstat
on macOS.

The macOS parsers hold by construction: they were written from the manuals and have met Linux's ps,
whose output has the same form, but no Mac.
"""

import sys
from typing import NamedTuple

from keywright_ops.model.host import Process

LISTEN = "0A"  # TCP_LISTEN in the kernel's include/net/tcp_states.h
_STARTED = 22  # the field `starttime` of proc(5), counted from 1, in clock ticks since boot
_LSTART_WORDS = 5  # Mon Nov 23 03:27:01 2026


def parse_proc_stat_start(text: str) -> str | None:
    """Return the start time in /proc/<pid>/stat, as text; None for a process that has ended.

    The program's name stands in brackets and may hold blanks and brackets: the last one counts.
    """
    fields = text.rpartition(")")[2].split()  # from field 3, the state, on
    if len(fields) <= _STARTED - 3 or fields[0] in ("Z", "X", "x"):
        return None
    return fields[_STARTED - 3]


def parse_ps(text: str, pid: int) -> Process | None:
    """Return the process that `ps -ww -o lstart=,command= -p <pid>` tells of; None if none.

    ps joins the arguments by blanks, so an argument is taken to begin at ` /`: the servers that
    Keywright starts have absolute paths only, and a path with blanks stays whole.
    """
    line = next((each for each in text.split("\n") if each.strip()), "")
    words = line.split(None, _LSTART_WORDS)
    if len(words) <= _LSTART_WORDS:
        return None
    first, *others = words[_LSTART_WORDS].rstrip().split(" /")
    command = (first, *("/" + each for each in others))
    return Process(pid, " ".join(words[:_LSTART_WORDS]), first, command)


class Listener(NamedTuple):
    """One listening TCP socket: its address as `inet_ntop` writes it (0.0.0.0 and :: stand for all),
    its owner's user id, and the inode by which a process holds it."""

    address: str
    port: int
    user: int
    inode: str


def parse_listeners(text: str) -> tuple[Listener, ...]:
    """Return the listening sockets of /proc/net/tcp or /proc/net/tcp6, in the kernel's order.

    The kernel prints each 32-bit word of an address in the machine's own byte order.
    """
    found: list[Listener] = []
    for line in text.split("\n")[1:]:
        fields = line.split()
        if len(fields) < 4 or fields[3] != LISTEN:
            continue
        address, _, port = fields[1].rpartition(":")
        user, inode = (int(fields[7]), fields[9]) if len(fields) > 9 else (-1, "")
        found.append(Listener(_address(_in_order(address)), int(port, 16), user, inode))
    return tuple(found)


def _in_order(digits: str) -> bytes:
    raw = bytes.fromhex(digits)
    if sys.byteorder == "big":
        return raw
    return b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))


def parse_proc_net_tcp(text: str, port: int) -> tuple[str, ...]:
    """Return the addresses on which this TCP port listens, from /proc/net/tcp or /proc/net/tcp6."""
    return tuple(dict.fromkeys(each.address for each in parse_listeners(text) if each.port == port))


def parse_netstat(text: str, port: int) -> tuple[str, ...]:
    """Return the addresses on which this TCP port listens, from macOS' `netstat -an -p tcp`.

    The port stands behind the last dot; `*` is every address of the line's family (tcp46: both).
    """
    found: list[str] = []
    for line in text.split("\n"):
        fields = line.split()
        if len(fields) < 6 or not fields[0].startswith("tcp") or fields[5] != "LISTEN":
            continue
        address, _, number = fields[3].rpartition(".")
        if number != str(port):
            continue
        if address != "*":
            found.append(address)
            continue
        found += ["0.0.0.0"] * ("4" in fields[0]) + ["::"] * ("6" in fields[0])
    return tuple(dict.fromkeys(found))


def _address(raw: bytes) -> str:
    """Write an address as `inet_ntop` does, without loading the socket module."""
    if len(raw) == 4:
        return ".".join(map(str, raw))
    if raw[:12] == b"\0" * 10 + b"\xff\xff":
        return "::ffff:" + ".".join(map(str, raw[12:]))
    groups = [f"{raw[at] << 8 | raw[at + 1]:x}" for at in range(0, 16, 2)]
    start, length = _longest_zeros(groups)
    if length < 2:  # RFC 5952: a single group of zeros is written out
        return ":".join(groups)
    return ":".join(groups[:start]) + "::" + ":".join(groups[start + length :])


def _longest_zeros(groups: list[str]) -> tuple[int, int]:
    """Return where the longest run of zero groups begins, and its length; the first of equals."""
    best = (0, 0)
    start = 0
    for at, group in enumerate(groups):
        if group != "0":
            start = at + 1
        elif at + 1 - start > best[1]:
            best = (start, at + 1 - start)
    return best
