"""Processes and sockets: the forms of macOS (by construction), and the corners of Linux'."""

import os
import socket
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keywright_ops.facts.process import (
    parse_netstat,
    parse_proc_net_tcp,
    parse_proc_stat_start,
    parse_ps,
)

NETSTAT = """\
Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
tcp4       0      0  127.0.0.1.6379         *.*                    LISTEN
tcp6       0      0  ::1.6379               *.*                    LISTEN
tcp4       0      0  127.0.0.1.6379         127.0.0.1.51234        ESTABLISHED
tcp46      0      0  *.6380                 *.*                    LISTEN
tcp4       0      0  *.22                   *.*                    LISTEN
tcp6       0      0  fe80::1%lo0.16379      *.*                    LISTEN
"""


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (6379, ("127.0.0.1", "::1")),
        (6380, ("0.0.0.0", "::")),
        (22, ("0.0.0.0",)),
        (16379, ("fe80::1%lo0",)),
        (379, ()),
    ],
)
def test_netstat(pure, port, expected):
    """netstat's `*` is every address of the line's family; connections do not count."""
    assert expected == pure(parse_netstat, NETSTAT, port)


def test_ps_keeps_paths_with_blanks(pure):
    """ps joins arguments by blanks; an absolute path with blanks in it stays one word."""
    home = "/Users/x/Library/Application Support/keywright/local"
    text = f"Mon Nov 23 03:27:01 2026     /opt/my server/valkey-server {home}/redis.conf\n"
    process = pure(parse_ps, text, 77)
    expected = (
        77,
        "Mon Nov 23 03:27:01 2026",
        "/opt/my server/valkey-server",
        ("/opt/my server/valkey-server", f"{home}/redis.conf"),
    )
    assert expected == (process.pid, process.start, process.executable, process.command)
    assert pure(parse_ps, "\n", 77) is None


def test_ps_of_this_machine(pure):
    """The ps of this machine tells this test's own process in the form that we read."""
    sleeper = subprocess.Popen([sys.executable, "-c", "input()", "/a b/c"], stdin=subprocess.PIPE)
    try:
        argv = ["ps", "-ww", "-o", "lstart=,command=", "-p", str(sleeper.pid)]
        done = subprocess.run(
            argv, capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}
        )
    finally:
        sleeper.communicate(b"\n")
    process = pure(parse_ps, done.stdout, sleeper.pid)
    assert (f"{sys.executable} -c input()", "/a b/c") == process.command
    assert len(process.start.split()) == 5


def test_an_ended_process_has_no_start(pure):
    """A zombie, a dead process and half a line are nobody."""
    row = "1 (a) {} " + " ".join(str(number) for number in range(4, 40))
    assert pure(parse_proc_stat_start, row.format("S")) == "22"
    read = [pure(parse_proc_stat_start, text) for text in (row.format("Z"), row.format("X"), "1 (")]
    assert read == [None, None, None]


ADDRESS = st.lists(
    st.sampled_from([0, 0, 1, 0xFFFF]) | st.integers(0, 0xFFFF), min_size=8, max_size=8
)


@given(ADDRESS.map(lambda groups: b"".join(group.to_bytes(2, "big") for group in groups)))
@example(bytes(10) + b"\xff\xff\x7f\0\0\1")
@example(bytes(16))
def test_ipv6_is_written_as_inet_ntop_does(raw):
    """Any IPv6 address is written as the C library writes it, and so is any IPv4 address."""
    for family, address in ((socket.AF_INET6, raw), (socket.AF_INET, raw[:4])):
        words = (address[at : at + 4][::-1] for at in range(0, len(address), 4))
        text = "sl\n 0: " + b"".join(words).hex() + ":18EB 0:0 0A rest\n"
        expected = socket.inet_ntop(family, address)
        if "." in expected and family == socket.AF_INET6 and not expected.startswith("::ffff:"):
            return  # the form ::1.2.3.4 is obsolete, and no server listens there
        assert (expected,) == parse_proc_net_tcp(text, 0x18EB)
