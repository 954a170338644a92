"""MONITOR's lines as real servers write them."""

import pytest

from keywright_ops.facts.glob import glob_of, parse_glob
from keywright_ops.facts.monitored import (
    MOST_KINDS,
    Tally,
    Wanted,
    key_shape,
    keys_of,
    masked_line,
    parse_monitor_line,
)

# pasted from Redis 7.0.15 and Valkey 9.1
LINES = [
    rb'1795861828.529018 [0 127.0.0.1:37792] "AUTH" "(redacted)" "(redacted)"',
    rb'1795861828.529037 [3 127.0.0.1:37792] "client" "SETNAME" "worker"',
    rb'1795861828.529997 [0 127.0.0.1:37792] "GET" "esabcfg:session:\x00\xff \"q\" \\"',
    rb'1795861828.530101 [0 lua] "GET" "q:55"',
    rb'+1795861828.530102 [0 unix:/tmp/r.sock] "PING"',
    rb'1795861828.530103 [0 [::1]:50111] "MSET" "a" "1" "b" "2"',
]


def seen(line: bytes):
    """A line that tells a command."""
    found = parse_monitor_line(line)
    assert found is not None
    return found


def test_pasted(pure) -> None:
    """Time, database, address, command, and every byte of the arguments."""
    told = [pure(parse_monitor_line, line) for line in LINES]
    expected = [
        (0, "127.0.0.1:37792", "AUTH"), (3, "127.0.0.1:37792", "CLIENT"), (0, "127.0.0.1:37792", "GET"),
        (0, "lua", "GET"), (0, "unix:/tmp/r.sock", "PING"), (0, "[::1]:50111", "MSET"),
    ]  # fmt: skip
    assert expected == [(each.database, each.address, each.command) for each in told]
    assert 1795861828.529018 == told[0].time
    assert ["GET", 'esabcfg:session:\x00\udcff "q" \\'] == told[2].words
    assert ["MSET", "a", "1", "b", "2"] == told[5].words


@pytest.mark.parametrize("line", [b"OK", b"+OK", b"", b"-ERR x", b'rubbish [0 x] "GET"'])
def test_what_tells_no_command(line: bytes) -> None:
    """Other lines are passed over."""
    assert parse_monitor_line(line) is None


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("GET a", "a"), ("DEL a b", "a b"), ("MSET a 1 b 2", "a b"), ("EVAL s 1 k x", "k"), ("PING", ""),
        ("XREAD COUNT 1 STREAMS s t 0 0", "s t"), ("OBJECT ENCODING k", "k"), ("RENAME a b", "a b"),
        ("CLIENT SETNAME x", ""), ("HSET h f v", "h"), ("SCAN 0", ""), ("XREAD", ""),
    ],
)  # fmt: skip
def test_keys(line: str, keys: str) -> None:
    """The keys that a command names."""
    assert keys.split() == list(keys_of(line.split()))


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("esabcfg:session:4f2a9c", "esabcfg:session:*"), ("user:42:name", "user:*:name"), ("plain", "plain"),
        ("cache:home", "cache:home"), ("s:deadbeef-dead", "s:*"), ("bin:\udcff", "bin:*"), ("", ""),
    ],
)  # fmt: skip
def test_shapes(key: str, shape: str) -> None:
    """What tells one key from the next is taken out, the rest stays."""
    assert shape == key_shape(key)


def test_wanted() -> None:
    """Each filter alone lets pass what it names; all together must."""
    get, mset = seen(LINES[2]), seen(LINES[5])
    for wanted, name, expected in (
        (Wanted(), "", (True, True)),
        (Wanted(commands=frozenset({"GET"})), "", (True, False)),
        (Wanted(excluded=frozenset({"GET"})), "", (False, True)),
        (Wanted(keys=parse_glob("esabcfg:session:*")), "", (True, False)),
        (Wanted(keys=parse_glob("b")), "", (False, True)),
        (Wanted(client="127.0.0.1"), "", (True, False)),
        (Wanted(client="[::1]:50111"), "", (False, True)),
        (Wanted(client="app"), "app", (True, True)),
        (Wanted(database=0), "", (True, True)),
        (Wanted(database=1), "", (False, False)),
    ):
        assert expected == (wanted.takes(get, name), wanted.takes(mset, name)), wanted


def test_counts_stay_bounded() -> None:
    """A million different keys are counted, and not remembered one by one."""
    tally = Tally()
    for number in range(MOST_KINDS + 500):
        letters = "".join(chr(97 + int(digit)) for digit in str(number))
        tally.add(seen(b'1.5 [0 1.2.3.4:5] "GET" "%s"' % letters.encode()), "")
    told = tally.summary(2.0)
    assert MOST_KINDS + 500 == told.total
    assert ("(others)", 500) == told.shapes[0]
    assert (("GET", MOST_KINDS + 500),) == told.commands
    assert (("1.2.3.4", MOST_KINDS + 500),) == told.clients


def test_a_line_shown_as_it_is_holds_no_secret() -> None:
    """`redis MONITOR` shows the server's own lines, less the secrets in them."""
    line = rb'1.5 [0 1.2.3.4:5] "CONFIG" "SET" "requirepass" "geheim" "maxmemory" "\xff"'
    shown = masked_line(line)
    assert b"geheim" not in shown
    assert shown.startswith(b'1.5 [0 1.2.3.4:5] "CONFIG" "SET" "requirepass" ')
    assert shown.endswith(rb'"maxmemory" "\xff"')
    assert LINES[2] == masked_line(LINES[2])


# tests/engines/test_replies_shown.py asks real servers the same
NAMES = ("a", "b", "ab", "a*", "a[b]", "^", "-", "x\ny", "")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", NAMES), ("a?", ("ab", "a*")), ("a\\*", ("a*",)), ("[ab]", ("a", "b")),
        ("[^a]", ("b", "^", "-")),
        ("[a-b]", ("a", "b")), ("[b-a]", ("a", "b")), ("a\\[b\\]", ("a[b]",)), ("x?y", ("x\ny",)),
        ("[\\^]", ("^",)),
    ],
)  # fmt: skip
def test_glob(pattern: str, names: tuple[str, ...]) -> None:
    """The server's patterns, exactly."""
    expression = parse_glob(pattern)
    assert names == tuple(name for name in NAMES if expression.fullmatch(name.encode()))


def test_a_name_as_a_pattern() -> None:
    """The pattern made of a name matches that name alone."""
    for name in ("a*b", "[x]", "\\", "plain?"):
        assert parse_glob(glob_of(name)).fullmatch(name.encode())
        assert not parse_glob(glob_of(name)).fullmatch(b"a--b")
