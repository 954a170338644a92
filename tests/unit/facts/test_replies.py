"""RESP in pieces: whatever the cuts, the same replies come out, each with its kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.errors import ProtocolError
from keywright_ops.facts.replies import (
    NOTHING,
    Members,
    Number,
    Pairs,
    Problem,
    Push,
    Replies,
    Status,
    Verbatim,
    parse_replies,
)

LINE = st.binary(max_size=20).filter(lambda text: b"\r" not in text and b"\n" not in text)
LEAVES = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.binary(max_size=40)
    | LINE.map(Status)
    | LINE.map(Problem)
)
REPLIES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4), max_leaves=12)


def packed(reply: object) -> bytes:
    """A reply of RESP2 as a server writes it."""
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, list):
        return b"*%d\r\n" % len(reply) + b"".join(map(packed, reply))
    if isinstance(reply, (Status, Problem)):
        return (b"+" if isinstance(reply, Status) else b"-") + bytes(reply) + b"\r\n"
    assert isinstance(reply, bytes)
    return b"$%d\r\n" % len(reply) + reply + b"\r\n"


def kinds(reply: object) -> object:
    """The kinds of a reply's parts: Status and bytes are equal when their text is."""
    return [kinds(each) for each in reply] if isinstance(reply, list) else type(reply)


@given(st.lists(REPLIES, max_size=3), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_every_cut_gives_the_same(expected: list[object], cuts: list[int]) -> None:
    """Replies that arrive in pieces of any sizes come out whole, in order, of their kinds."""
    data, pieces, turn = b"".join(map(packed, expected)), [], 0
    while data:
        size = cuts[turn % len(cuts)]
        pieces.append(data[:size])
        data, turn = data[size:], turn + 1
    actual = parse_replies(pieces)
    assert expected == actual
    assert kinds(expected) == kinds(actual)


def test_half_a_reply_is_nothing_yet() -> None:
    """Until the last byte is there, nothing is told; what follows waits for its turn."""
    replies = Replies()
    for byte in b"*2\r\n:1\r\n$2\r\nab\r":
        assert replies.next() is NOTHING
        replies.feed(bytes((byte,)))
    assert replies.next() is NOTHING
    replies.feed(b"\n+OK\r\n+half")
    assert [1, b"ab"] == replies.next()
    assert b"OK" == replies.next()
    assert b"+half" == replies.rest()


def test_the_third_protocol() -> None:
    """Who types HELLO 3 still sees every kind; an attribute is passed over."""
    # pasted from Redis 7.0.15 (DEBUG PROTOCOL) after HELLO 3
    data = (
        b"%1\r\n+a\r\n:0\r\n~2\r\n:0\r\n:1\r\n,3.141\r\n#t\r\n#f\r\n_\r\n=8\r\ntxt:This\r\n"
        b"(1234567999999999999999999999999999999\r\n>2\r\n+x\r\n:1\r\n|1\r\n+k\r\n*0\r\n+OK\r\n"
        b"!5\r\nERR x\r\n"
    )
    actual = parse_replies([data])
    expected = [
        Pairs([b"a", 0]), Members([0, 1]), b"3.141", True, False, None, b"This",
        b"1234567999999999999999999999999999999", Push([b"x", 1]), b"OK", b"ERR x",
    ]  # fmt: skip
    assert expected == actual
    kinds = [
        Pairs,
        Members,
        Number,
        bool,
        bool,
        type(None),
        Verbatim,
        Number,
        Push,
        Status,
        Problem,
    ]
    assert kinds == [type(each) for each in actual]


@pytest.mark.parametrize("data", [b"HTTP/1.1 400\r\n", b"*x\r\n", b"$\r\n", b":1.5\r\n"])
def test_what_is_no_redis(data: bytes) -> None:
    """What speaks another protocol is said so, at once."""
    with pytest.raises(ProtocolError):
        parse_replies([data])
