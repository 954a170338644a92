"""How replies look; tests/engines/test_replies_shown.py holds it to redis-cli on real servers."""

import json

from hypothesis import given
from hypothesis import strategies as st

from keywright_ops.facts.replies import Members, Number, Pairs, Problem, Status, Verbatim
from keywright_ops.facts.reply_text import (
    quoted,
    render_plainly,
    render_raw,
    render_typed,
    reply_json,
    told_plainly,
)
from keywright_ops.facts.words import split_words


def test_pasted() -> None:
    """Every kind as redis-cli 7.0.15 shows it on a terminal."""
    nested = [1, [2, [b"a", b'"'], []], None, Status(b"ok"), Problem(b"ERR bad")]
    # pasted: EVAL "return {1,{2,{'a','\"'},{}},false,…}" 0
    expected = (
        "1) (integer) 1\n"
        "2) 1) (integer) 2\n"
        '   2) 1) "a"\n'
        '      2) "\\""\n'
        "   3) (empty array)\n"
        "3) (nil)\n"
        "4) ok\n"
        "5) (error) ERR bad\n"
    )
    assert expected == render_typed(nested)


def test_the_third_protocol() -> None:
    """Maps, sets and numbers as redis-cli 7.0.15 -3 shows them."""
    assert '1# "a" => (integer) 1\n2# "b" => 1) (integer) 2\n' == render_typed(
        Pairs([b"a", 1, b"b", [2]])
    )
    assert '1~ "a"\n2~ (true)\n' == render_typed(Members([b"a", True]))
    assert "(double) 3.14\n" == render_typed(Number(b"3.14"))
    assert "(empty set)\n(empty hash)\n" == render_typed(Members()) + render_typed(Pairs())


@given(st.binary())
def test_what_is_quoted_is_read_back(text: bytes) -> None:
    """What stands in quotes is what a person types to get these bytes, and printable ASCII."""
    shown = quoted(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert [text.decode("utf-8", "surrogateescape")] == split_words(shown)


def test_nothing_steers_the_terminal() -> None:
    """What somebody else chose (a name in an error, in INFO) cannot move the cursor."""
    for shown in (
        render_typed(Problem(b"ERR \x1b[2J")),
        render_plainly(b"name=\x1b[2J\r\n"),
        render_typed(Verbatim(b"\x9b2J\x1b")),
    ):
        assert "\x1b" not in shown
        assert "\x9b" not in shown


def test_raw_loses_nothing() -> None:
    """Raw is the bytes; nil is nothing, elements stand on lines."""
    assert b"\x00\xff\n\n3\nx\ny" == render_raw([b"\x00\xff", None, 3, [b"x", b"y"]])


def test_json_can_say_every_reply() -> None:
    """Text is text, other bytes are base64, errors are told apart."""
    told = reply_json([b"\xc3\xa9", b"\xff", None, 1, Problem(b"ERR x"), Pairs([b"a", b"b"])])
    assert ["é", {"base64": "/w=="}, None, 1, {"error": "ERR x"}, {"a": "b"}] == told
    json.dumps(told)


def test_what_is_told_plainly() -> None:
    """Texts for people are shown as they are; others of the same family are not."""
    assert told_plainly(["info", "memory"])
    assert told_plainly(("CLIENT", "list"))
    assert not told_plainly(["CLIENT", "GETNAME"])
    assert not told_plainly(["CLUSTER", "SLOTS"])
