"""Values become octets and come back; what cannot is said with its place."""

import json
import zlib
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from keywright.errors import InputError
from keywright.serializers import (
    JSON,
    Codec,
    Unwritable,
    compressed,
    encrypted,
    msgspec_json,
    new_key,
)

KEY, OTHER = new_key(), new_key()
ALL = {
    "json": JSON,
    "msgspec": msgspec_json(),
    "compressed": compressed(over=10),
    "encrypted": encrypted(keys=[KEY]),
    "both": encrypted(compressed(over=10), keys=[KEY]),
}
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("codec", ALL.values(), ids=ALL)
@given(value=VALUES)
def test_what_goes_in_comes_out(codec: Codec, value: Any) -> None:
    """Any JSON value, by every serializer."""
    assert value == codec.loads(codec.dumps(value))


@given(value=VALUES)
def test_each_json_reads_the_other(value: Any) -> None:
    """The standard library's text and msgspec's are one form: either may be changed for the other."""
    assert (
        value == JSON.loads(msgspec_json().dumps(value)) == msgspec_json().loads(JSON.dumps(value))
    )
    assert value == JSON.loads(b" " + json.dumps(value, indent=1).encode() + b"\n")


@pytest.mark.parametrize("codec", ALL.values(), ids=ALL)
@given(octets=st.binary(max_size=60))
def test_rubbish_is_a_value_error(codec: Codec, octets: bytes) -> None:
    """Whatever stands there, reading it ends with a value or a ValueError."""
    try:
        codec.loads(octets)
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": [1, {"b": {1, 2}}]}, "value['a'][1]['b'] is a set"),
        ([object()], "value[0] is a object"),
        ({"a": b"x"}, "value['a'] is a bytes"),
        ({(1, 2): 3}, "a key of value is a tuple"),
    ],
)
def test_where_it_cannot_be_written(value: Any, where: str) -> None:
    """One sentence with the place in the value."""
    with pytest.raises(Unwritable) as refused:
        JSON.dumps(value)
    assert where in str(refused.value)


def test_a_cycle() -> None:
    """A value that holds itself is refused, not followed."""
    value: list[Any] = []
    value.append(value)
    for codec in (JSON, msgspec_json()):
        with pytest.raises(Unwritable):
            codec.dumps(value)


def test_what_is_short_is_left_readable() -> None:
    """Short values are not compressed, long ones are smaller, and values from before are read."""
    codec = compressed(over=100)
    assert codec.dumps({"a": 1}) == b'{"a":1}'
    long = {"a": "x" * 5000}
    assert len(codec.dumps(long)) < 100
    assert codec.loads(JSON.dumps(long)) == long
    bomb = b"z" + zlib.compress(b"0" * (65 << 20), 9)
    with pytest.raises(ValueError, match="too large"):
        codec.loads(bomb)


def test_keys() -> None:
    """The first key writes, all read; another reads nothing, and no error shows a key."""
    old = encrypted(keys=[KEY]).dumps({"card": "4711"})
    assert b"4711" not in old
    both = encrypted(keys=[OTHER, KEY])
    assert both.loads(old) == {"card": "4711"}
    with pytest.raises(ValueError, match="not written with any of the keys"):
        encrypted(keys=[OTHER]).loads(old)
    for wrong in ([], ["short-4711"]):
        with pytest.raises(InputError) as refused:
            encrypted(keys=wrong)
        assert "4711" not in str(refused.value)
