"""What is wanted of keys, and what values are: rows and bytes in, rows and text out."""

import gzip
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keywright.sessions.record import made_head
from keywright_ops.ops.keyspace.decode import decode, editable, edited, peel, put_on, renewed_head
from keywright_ops.ops.keyspace.scan import IDLE, MEMORY, PTTL, TYPE, Row
from keywright_ops.ops.keyspace.sessions import id_of, parse_head
from keywright_ops.ops.keyspace.wanted import Shortlist, Wanted

ROWS: list[Row] = [
    (b"a", b"string", -1, 100, 5), (b"b", b"hash", 30_000, 900, 1), (b"c", b"list", 7_200_000, 50, 9),
]  # fmt: skip


def names(rows: list[Row]) -> list[bytes]:
    """The names of rows."""
    return [row[0] for row in rows]


def test_conditions_keep_what_they_say():
    """none, <, > and a size each keep their own; a key without an end is in no interval."""
    assert names(Wanted(bound="none").keep(ROWS)) == [b"a"]
    assert names(Wanted(bound="<", edge=3_600_000).keep(ROWS)) == [b"b"]
    assert names(Wanted(bound=">", edge=3_600_000).keep(ROWS)) == [b"c"]
    assert names(Wanted(min_size=100).keep(ROWS)) == [b"a", b"b"]
    assert names(Wanted().keep(ROWS)) == [b"a", b"b", b"c"]


def test_only_what_is_needed_is_asked():
    """A list of names costs the server nothing but SCAN."""
    assert Wanted().columns(shown=False) == ()
    assert Wanted(bound="none").columns(shown=False) == (PTTL,)
    assert Wanted(sort="size").columns(shown=False) == (MEMORY,)
    assert Wanted(sort="idle").columns(shown=True) == (TYPE, PTTL, MEMORY, IDLE)


@given(st.lists(st.tuples(st.binary(max_size=3), st.integers(-1, 99), st.integers(0, 99))),
       st.sampled_from(["name", "size", "ttl", "idle"]), st.integers(1, 5))  # fmt: skip
def test_a_shortlist_is_the_beginning_of_the_whole_order(found, sort: str, limit: int):
    """However few it holds, it ends with the same rows as sorting all of them."""
    rows: list[Row] = [(name, b"string", pttl, size, size) for name, pttl, size in found]
    short, whole = Shortlist(sort, limit), Shortlist(sort, 0)
    short._most = limit  # it lets go at once
    for row in rows:
        short.add([row])
    whole.add(rows)
    assert short.rows() == whole.rows()[:limit]


def test_the_orders():
    """Largest, soonest to end, longest idle first; no end is last."""

    def order(sort: str) -> list[bytes]:
        short = Shortlist(sort, 0)
        short.add(ROWS)
        return names(short.rows())

    assert order("size") == [b"b", b"a", b"c"]
    assert order("ttl") == [b"b", b"c", b"a"]
    assert order("idle") == [b"c", b"a", b"b"]


HEAD = made_head(b"0123456789ab", 1_700_000_000, "ada", "10.0.0.7", "Firefox")


def test_a_session_of_the_library_is_read_with_its_head():
    """Who it belongs to and when it began stand beside the decoded payload."""
    told = decode(HEAD + b'\n{"cart":[1]}')
    assert told.form == "json"
    assert json.loads(told.text) == {"cart": [1]}
    about = dict(told.about)
    assert about["user"] == "ada"
    assert about["created"] == "1700000000"
    assert parse_head(HEAD + b"\n{}") == ("ada", 1_700_000_000)


def test_a_cached_value_shows_its_tags():
    """`c1 <stale> <tags>` is Keywright's own cache record."""
    told = decode(b'c1 1700000000000 {"users":"x1"}\n[1,2]')
    assert dict(told.about) == {"record": "cached value", "stale": "1700000000000",
                                "tags": '{"users":"x1"}'}  # fmt: skip
    assert json.loads(told.text) == [1, 2]


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (b'{"a": 1}', "json"), (b"plain", "text"), (b"42", "text"), ("café\n".encode(), "text"),
        (b'{"a": ', "text"), (b"\x00\xff", "binary"), (b"\x80\x04K\x01.", "pickle"), (b"", "text"),
        (b"gAAAAA" + b"x" * 100, "encrypted"), (b"\x82\xa1a\x01\xa1b\x92\x01\x02", "msgpack"),
        (b"z" + zlib.compress(b'["x"]'), "json"), (gzip.compress(b"hello"), "text"),
    ],
)  # fmt: skip
def test_forms(value: bytes, form: str):
    """Each kind of value is told from the others, and a cut one is text."""
    assert decode(value).form == form


@given(st.binary(max_size=60) | st.text(max_size=30).map(str.encode))
def test_no_value_reaches_the_terminal_as_control(value: bytes):
    """What is printed is printable, but for line breaks and tabs."""
    assert all(char.isprintable() or char in "\n\t" for char in decode(value).text)


@given(st.binary(max_size=60))
def test_peeling_loses_nothing(body: bytes):
    """What is taken off is put on again, byte for byte where nothing was compressed."""
    for value in (body, HEAD + b"\n" + body):
        peeled = peel(value)
        if not peeled.packed:
            assert put_on(peeled, peeled.body) == value
    packed = b"z" + zlib.compress(body, 1)
    assert peel(put_on(peel(packed), b"other")).body == b"other"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=40)
@given(
    st.dictionaries(st.text(max_size=3), JSON, max_size=4),
    st.sampled_from([(",", ":"), (", ", ": ")]),
)
def test_editing_without_a_change_gives_the_same_bytes(value, separators):
    """JSON is laid out for a person and written back exactly as it was stored."""
    body = json.dumps(value, separators=separators).encode()
    text = editable(body)
    assert text is not None
    assert edited(text.text, text) == body


def test_what_json_cannot_keep_is_edited_as_it_stands():
    """Doubled names, odd numbers and odd spaces are not laid out, so they are not lost."""
    for body in (b'{"a":1,"a":2}', b'{"a":1e400}', b'{ "a":1}', b"plain"):
        text = editable(body)
        assert text is not None
        assert text.style == -1
        assert edited(text.text, text) == body
        assert edited(text.text + "\n", text) == body  # an editor ends the last line
    assert editable(b"\xff") is None


def test_an_edited_session_has_another_version():
    """So the application's checked save sees that somebody else wrote."""
    head = renewed_head(peel(HEAD + b"\n{}"), b"ba9876543210")
    assert head == HEAD.replace(b"0123456789ab", b"ba9876543210")


def test_which_keys_are_sessions():
    """The library's under the prefix, and the guide's bare ones."""
    assert id_of(b"esab:session:x", b"esab:") == ("x", False)
    assert id_of(b"session:abc-123", b"esab:") == ("abc-123", True)
    assert id_of(b"esab:user-sessions:ada", b"esab:") is None
    assert id_of(b"other:session:x", b"esab:") is None
    assert parse_head(b'{"user_id": 42}') == ("42", 0)
    assert parse_head(b"rubbish") == (None, 0)
