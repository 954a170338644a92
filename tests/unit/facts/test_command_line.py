"""The line that a person types; tests/engines/test_replies_shown.py holds the quotes to redis-cli."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.errors import InputError
from keywright_ops.facts.command_docs import Doc
from keywright_ops.facts.command_line import (
    keeps,
    parse_begun,
    parse_command_line,
    render_command_line,
    streams,
    waits,
)
from keywright_ops.facts.painting import paint

WORDS = st.lists(
    st.binary(max_size=12).map(lambda b: b.decode("utf-8", "surrogateescape")), min_size=1
)
LINES = st.text(alphabet="ab \"'\\x0f\té", max_size=24)


@given(WORDS)
def test_words_come_back(words: list[str]) -> None:
    """Whatever bytes the words hold, the line that is written for them is read as them."""
    first = "GET" if words[0].isdecimal() or words[0].startswith("#") else words[0]
    expected = (first, *words[1:])
    assert expected == parse_command_line(render_command_line(expected)).words


def test_the_grammar() -> None:
    """Quotes, escapes, a number of times, comments, blank lines."""
    assert ("SET", "k", "a\x00\\") == parse_command_line(r'SET k "a\x00\\"').words
    assert ("SET", "k", r"a\n b's") == parse_command_line(r"SET k 'a\n b\'s'").words
    assert (("PING",), 5) == parse_command_line("5 PING")
    assert (("5",), 1) == parse_command_line("5")
    assert () == parse_command_line("  # View all session keys").words
    assert () == parse_command_line("   ").words
    for line in ('GET "a', "GET 'a", 'GET "a"b'):
        with pytest.raises(InputError, match="not balanced"):
            parse_command_line(line)


def test_who_waits_and_who_streams() -> None:
    """A command that may wait is told by its words, not by how long it takes."""
    assert waits(["blpop", "q", "0"])
    assert waits(["XREAD", "block", "0", "STREAMS", "s", "$"])
    assert not waits(["XREAD", "STREAMS", "BLOCKED", "0"])
    assert not waits(["GET", "BLPOP"])
    assert streams(["subscribe", "c"])
    assert not streams(["PUBLISH", "c", "SUBSCRIBE"])


@pytest.mark.parametrize(
    "line",
    [
        "AUTH geheim", "auth admin geheim", 'AUTH "geheim', "HELLO 3 AUTH admin geheim SETNAME x",
        "ACL SETUSER tim on >geheim", "acl setuser tim '<geheim'", "CONFIG SET requirepass geheim",
        "config set maxmemory 1gb MasterAuth geheim", "MIGRATE h 1 k 0 9 AUTH geheim", "3 AUTH geheim",
        "MIGRATE h 1 '' 0 9 AUTH2 u geheim KEYS a b", "CONFIG SET requirepass 'geheim", " GET private",
        "SENTINEL SET mymaster auth-pass geheim", "\tGET x", "", "   ",
    ],
)  # fmt: skip
def test_what_no_history_keeps(line: str) -> None:
    """A line with a secret is not kept, however it is written; nor one that begins with a blank."""
    assert not keeps(line)


@pytest.mark.parametrize(
    "line",
    [
        "GET x",
        "ACL SETUSER tim on ~x:*",
        "CONFIG GET requirepass",
        "HELLO 3",
        "SET auth 1",
        'GET "x',
        "ACL LIST",
    ],
)
def test_what_a_history_keeps(line: str) -> None:
    """What only looks like it is kept."""
    assert keeps(line)


def test_what_is_begun() -> None:
    """The words before the cursor, the part at it, and where that part begins."""
    assert ((), "SE", 0) == parse_begun("SE")
    assert (("SET",), "", 4) == parse_begun("SET ")
    assert (("SET",), "a b", 4) == parse_begun('SET "a b')
    assert (("SET", "a b"), "EX", 10) == parse_begun('SET "a b" EX')
    assert (("GET",), "user:1", 6) == parse_begun("  GET user:1".replace("  GET", "GET  "))[:2] + (
        6,
    )


@given(LINES)
def test_a_half_typed_line_never_fails(line: str) -> None:
    """Whatever is typed so far, completion has something to go by, and the colours lose no character."""
    begun = parse_begun(line)
    assert 0 <= begun.start <= len(line)
    assert line == "".join(piece for _, piece in paint(line, {}))


def test_colours() -> None:
    """Commands, subcommands, tokens, strings and numbers are told apart."""
    docs = {
        "SET": Doc("SET", tokens=("EX",)),
        "CONFIG": Doc("CONFIG", parts=("SET",)),
        "CONFIG SET": Doc("CONFIG SET"),
    }
    kinds = [kind for kind, piece in paint('set k "v" ex -12.5', docs) if not piece.isspace()]
    assert ["command", "", "string", "token", "number"] == kinds
    assert ["command", "command", ""] == [k for k, p in paint("config set x", docs) if p.strip()]
    assert "unknown" == paint("ste k", docs)[0][0]
