"""The store inside the process answers what a server answers: both are asked the same things."""

import threading
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings
from tests.app.conftest import emptied
from tests.engines.servers import Server

from keywright.errors import ReplyError
from keywright.flows import Batch, Words, one
from keywright.talkers.blocking import BlockingTalker
from keywright.talkers.memory import MemoryTalker, Store

KEYS = st.sampled_from(["a", "b", "c"])
TEXTS = st.sampled_from(["", "1", "x", "-7", "long " * 20])
LIVES = st.sampled_from(["100", "5000", "0", "-1", "x"])
MEMBERS = st.sampled_from(["m", "n", "o"])

COMMANDS = st.one_of(
    st.tuples(st.just("GET"), KEYS),
    st.tuples(st.just("SET"), KEYS, TEXTS),
    st.tuples(st.just("SET"), KEYS, TEXTS, st.sampled_from(["NX", "XX", "KEEPTTL", "FOO"])),
    st.tuples(st.just("SET"), KEYS, TEXTS, st.just("EX"), LIVES),
    st.tuples(st.just("SET"), KEYS, TEXTS, st.just("XX"), st.just("GET")),
    st.tuples(st.just("GETEX"), KEYS, st.just("EX"), LIVES),
    st.tuples(st.just("GETEX"), KEYS, st.just("PERSIST")),
    st.tuples(st.sampled_from(["PERSIST", "GETDEL", "TTL", "INCR", "DECR", "ZCARD", "EXISTS"]), KEYS),
    st.tuples(st.sampled_from(["DEL", "UNLINK", "MGET", "EXISTS"]), KEYS, KEYS),
    st.tuples(st.just("EXPIRE"), KEYS, LIVES),
    st.tuples(st.just("INCRBY"), KEYS, LIVES),
    st.tuples(st.just("ZADD"), KEYS, st.sampled_from(["1", "2", "-3.5"]), MEMBERS),
    st.tuples(st.just("ZREM"), KEYS, MEMBERS, MEMBERS),
    st.tuples(
        st.just("ZRANGE"), KEYS,
        st.sampled_from(["0", "1", "-2"]), st.sampled_from(["-1", "0", "1", "-3"]),
    ),
    st.tuples(st.just("ZSCORE"), KEYS, MEMBERS),
    st.tuples(st.just("PING")),
)  # fmt: skip


def said(reply: Any) -> Any:
    """A reply as it is compared: an error by its first word."""
    return ("error", reply.code) if isinstance(reply, ReplyError) else reply


def test_the_same_replies(debian: Server) -> None:
    """Any sequence of the commands that flows send has the same replies as on a real server."""
    real = BlockingTalker(emptied(debian))

    @settings(max_examples=150, deadline=None)
    @given(st.lists(COMMANDS, min_size=1, max_size=25))
    def same(commands: list[Words]) -> None:
        real.run(one("FLUSHALL"))
        batch = Batch(tuple(commands))
        expected = [said(each) for each in real.exchange(batch)]
        assert expected == [said(each) for each in MemoryTalker().exchange(batch)]

    same()
    real.close()


def test_a_scan_finds_the_same(debian: Server) -> None:
    """A pattern of stars, question marks and taken-literally letters finds what a server finds."""
    real, held = BlockingTalker(emptied(debian)), MemoryTalker()
    for name in ("a", "ab", "a*", "b[1]", "b?", "\\", "a\nb"):
        for each in (real, held):
            each.run(one("SET", name, "1"))
    for pattern in ("*", "a*", "a?", "a\\*", "b\\[*", "b\\?", "\\\\", "a?b", "c*"):
        asked = one("SCAN", 0, "MATCH", pattern, "COUNT", 1000)
        expected = sorted(real.run(asked)[1])
        cursor, found = held.run(one("SCAN", 0, "MATCH", pattern, "COUNT", 1000))
        assert (b"0", expected) == (cursor, sorted(found)), pattern
    real.close()


def test_time_passes() -> None:
    """What has ended is not there, by the clock that was given."""
    now = [1000.0]
    held = MemoryTalker(Store(lambda: now[0]))
    held.run(one("SET", "a", "1", "EX", 10))
    now[0] += 9.9
    assert held.run(one("GET", "a")) == b"1"
    now[0] += 0.1
    assert held.run(one("GET", "a")) is None
    assert held.run(one("PTTL", "a")) == -2


def test_it_does_not_grow_for_ever() -> None:
    """Beyond the limit the keys that end first make room; one without an end stays longest."""
    held = MemoryTalker(Store(most=3))
    held.run(one("SET", "stays", "1"))
    for n in range(10):
        held.run(one("SET", f"k{n}", "1", "EX", 100 + n))
    assert held.run(one("EXISTS", "stays", "k8", "k9", "k7")) == 3


def test_what_it_does_not_know() -> None:
    """A command that no flow sends is refused in the server's words."""
    error = MemoryTalker().exchange(Batch((("KEYS", "*"),)))[0]
    assert isinstance(error, ReplyError) and "unknown command" in str(error)


def test_threads() -> None:
    """Threads that count together count right."""
    held = MemoryTalker()

    def count() -> None:
        for _ in range(500):
            held.run(one("INCR", "n"))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert held.run(one("GET", "n")) == b"4000"
