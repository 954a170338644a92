"""The slow log: its entries, the shapes of its commands, and the secrets that it may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright_ops.facts.shapes import command_shape, key_pattern
from keywright_ops.facts.slowlog import Logged, group_by_shape, parse_slowlog

# pasted from Redis 7.0.15: SLOWLOG GET 3
REPLY = [
    [
        205,
        1795860441,
        6,
        ["CONFIG", "SET", "masterauth", "(redacted)"],
        "127.0.0.1:41096",
        "worker",
    ],
    [201, 1795860440, 26708, ["SET", "session:199:x", "v"], "127.0.0.1:41096", "worker"],
    [200, 1795860439, 2, ["set", "session:8f3c2b1a:x", "v"], "10.0.0.7:5000", ""],
]


def test_pasted() -> None:
    """An entry says when, how long, what and who."""
    found = parse_slowlog(REPLY)
    assert found[1] == Logged(
        201, 1795860440, 26708, ("SET", "session:199:x", "v"), "127.0.0.1:41096", "worker"
    )
    assert parse_slowlog([[1, 2, 3, ["PING"]]])[0].address == ""  # before Redis 4


def test_grouped() -> None:
    """Calls of one shape are one line: how many, the worst, the sum, the last, and who sent them."""
    shapes = group_by_shape(parse_slowlog(REPLY))
    assert [each.shape for each in shapes] == ["SET session:*:x", "CONFIG SET"]
    first = shapes[0]
    assert (first.calls, first.worst, first.total, first.last) == (2, 26708, 26710, 1795860440)
    assert first.who == ("worker", "10.0.0.7")


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("session:abc-123", "session:abc-*"),
        ("user:550e8400-e29b-41d4-a716-446655440000:cart", "user:*:cart"),
        ("session:3f2a9c81:data", "session:*:data"),
        ("token:Zk39dksPq02lsmXX9", "token:*"),
        ("order-2026-01-02", "order-*"),
        ("user123", "user*"),
        (
            "face:cafe:feed",
            "face:cafe:feed",
        ),  # words are no ids, though every letter is hexadecimal
        ("1:2", "*:*"),
        ("", ""),
    ],
)
def test_key_pattern(key: str, pattern: str) -> None:
    """Ids become *, words stay."""
    assert key_pattern(key) == pattern


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        ("get k:1", "GET k:*"),
        ("MGET a:1 b:2", "MGET a:* …"),
        ("INFO memory", "INFO"),
        ("client list", "CLIENT LIST"),
        ("memory usage k:7", "MEMORY USAGE k:*"),
        ("KEYS session:*", "KEYS session:*"),
        ("SCAN 0 MATCH x:* COUNT 5", "SCAN x:*"),
        ("SCAN 0", "SCAN"),
        (
            "EVALSHA 0123456789012345678901234567890123456789 1 k:1 v",
            "EVALSHA 012345678901234… k:*",
        ),
        ("EVAL return 0 secret", "EVAL return"),
        ("XREAD COUNT 1 STREAMS s:1 0", "XREAD s:*"),
        ("ZUNION 2 z:1 z:2", "ZUNION z:*"),
        ("BITOP AND d:1 a b", "BITOP d:*"),
        ("AUTH geheim", "AUTH"),
        ("HELLO 3 AUTH u geheim", "HELLO"),
        ("PING", "PING"),
    ],
)
def test_command_shape(words: str, shape: str) -> None:
    """A shape is the command with its key's pattern, and no value."""
    assert command_shape(words.split()) == shape


@pytest.mark.parametrize(
    "words",
    [
        "AUTH S3CRET",
        "auth bob S3CRET",
        "HELLO 3 AUTH bob S3CRET SETNAME me",
        "ACL SETUSER bob on >S3CRET ~*",
        "acl setuser bob #S3CRET",
        "CONFIG SET requirepass S3CRET",
        "config set maxmemory 1gb MASTERAUTH S3CRET",
        "MIGRATE h 1 k 0 5 AUTH S3CRET",
        "MIGRATE h 1 k 0 5 COPY AUTH2 bob S3CRET KEYS a",
        "SENTINEL SET mymaster auth-pass S3CRET",
    ],
)
def test_secrets_are_hidden(words: str) -> None:
    """A password is not shown; everything else is."""
    (found,) = parse_slowlog([[1, 2, 3, words.split(), "127.0.0.1:5", ""]])
    assert "S3CRET" not in f"{found.words} {found.shape}"
    assert len(found.words) == len(words.split())


def test_what_is_no_secret_stays() -> None:
    """Keys and values that merely look alike are untouched."""
    for words in ("SET auth x", "GET requirepass", "CONFIG GET requirepass"):
        (found,) = parse_slowlog([[1, 2, 3, words.split(), "127.0.0.1:5", ""]])
        assert found.words == tuple(words.split())


@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_command(words: list[str]) -> None:
    """Any words at all have a shape, and as many words are shown."""
    (found,) = parse_slowlog([[1, 2, 3, words, "127.0.0.1:5", ""]])
    assert len(found.words) == len(words)
    assert found.shape == command_shape(found.words)
