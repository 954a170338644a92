"""Laws of the parsers: what is written is read back, and nothing but its own kind is taken."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright_ops.model.plan import SavePoint
from keywright_ops.profile import docker_words, field, values, words
from keywright_ops.profile.fields import FIELDS, TOP_FIELDS

SIZES = st.one_of(
    st.integers(0, values.LARGEST),
    st.builds(lambda n, p: n * 2**p, st.integers(0, 4000), st.integers(0, 40)),
)
# What TOML can give, short of what a field asks for.
ANYTHING = st.recursive(
    st.one_of(
        st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.dates(), st.datetimes()
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(SIZES)
def test_a_size_is_read_back_by_the_rule_it_was_written_by(size: int) -> None:
    """parse(format(x)) == x for all three rules of size."""
    assert size == values.parse_redis_size(values.format_redis_size(size))
    assert size == values.parse_docker_size(values.format_docker_size(size))
    assert size == values.parse_docker_log_size(values.format_docker_log_size(size))


@pytest.mark.parametrize(
    ("parse", "text", "size"),
    [
        (values.parse_redis_size, "512mb", 512 * 2**20),
        (values.parse_redis_size, "512m", 512 * 10**6),
        (values.parse_redis_size, "1gb", 2**30),
        (values.parse_redis_size, "1g", 10**9),
        (values.parse_redis_size, "1kb", 1024),
        (values.parse_redis_size, "1 K", 1000),
        (values.parse_redis_size, "1073741824", 2**30),
        (values.parse_redis_size, 1073741824, 2**30),
        (values.parse_redis_size, "1.5gb", 3 * 2**29),
        (values.parse_docker_size, "1.5G", 3 * 2**29),
        (values.parse_docker_size, "512m", 2**29),
        (values.parse_docker_size, "512mb", 2**29),
        (values.parse_docker_log_size, "50m", 50 * 10**6),
    ],
)
def test_a_unit_means_what_its_reader_means(parse, text, size) -> None:  # type: ignore[no-untyped-def]
    """redis.conf counts m in 1000s and mb in 1024s, docker both in 1024s, its logs in 1000s."""
    assert size == parse(text)


@pytest.mark.parametrize(
    "wrong",
    [
        "", "gb", "-1", "-1gb", "1.gb", ".5gb", "1e9", "12 parsecs", "nan", "inf", "1,5gb", "0x10",
        "1.5.5gb", "١gb", "1\n", True, False, 1.5, -1, 2**63, 10**400, math.inf, math.nan, [], {},
        "9" * 21, "0.3kb", "9999999999gb",
    ],
)  # fmt: skip
def test_what_is_no_size_is_refused_with_a_hint(wrong: object) -> None:
    """Negative, boolean, not finite, too large, half a byte: NotThat, and a hint."""
    if wrong == "1\n":
        assert values.parse_redis_size(wrong) == 1
        return
    with pytest.raises(values.NotThat) as caught:
        values.parse_redis_size(wrong)
    assert caught.value.hint


@given(st.integers(0, values.LONGEST))
def test_a_duration_is_read_back(microseconds: int) -> None:
    """parse(format(x)) == x for durations."""
    assert microseconds == values.parse_duration(values.format_duration(microseconds))


@pytest.mark.parametrize(
    ("text", "bare", "microseconds"),
    [
        ("10ms", "s", 10_000),
        ("1h", "s", 3_600_000_000),
        (5, "s", 5_000_000),
        (0.5, "s", 500_000),
        (10000, "us", 10_000),
        ("5", "s", 5_000_000),
        ("1d", "s", 86_400_000_000),
    ],
)
def test_durations_in_microseconds(text: object, bare: str, microseconds: int) -> None:
    """A bare number has the unit of its field."""
    assert microseconds == values.parse_duration(text, bare)


@pytest.mark.parametrize(
    "wrong",
    [
        "12 parsecs",
        "1 fortnight",
        "",
        "-5s",
        -1,
        True,
        math.nan,
        math.inf,
        1e308,
        "999999d",
        [],
        "0.5us",
    ],
)
def test_what_is_no_duration_is_refused(wrong: object) -> None:
    """No other unit, no negative, no NaN, nothing beyond ten years."""
    with pytest.raises(values.NotThat):
        values.parse_duration(wrong)


@given(st.integers(1, 9999))
def test_a_percentage_is_read_back(hundredths: int) -> None:
    """parse(format(x)) == x for percentages."""
    share = values.Share(hundredths)
    assert share == values.parse_share(values.format_share(share))


@pytest.mark.parametrize("wrong", ["0%", "100%", "-5%", "%", "60 %%", "sixty%", "60%%", "1e1%"])
def test_a_share_lies_between_nothing_and_everything(wrong: str) -> None:
    """0 and 100 percent are no share of a container."""
    with pytest.raises(values.NotThat):
        values.parse_memory(wrong)


@given(
    st.lists(st.builds(SavePoint, st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1)), max_size=5)
)
def test_save_points_are_read_back(points: list[SavePoint]) -> None:
    """parse(format(x)) == x for save points."""
    assert tuple(points) == values.parse_save(values.format_save(tuple(points)))


@pytest.mark.parametrize(
    "wrong",
    ["900 1", ["900"], ["0 1"], ["-1 5"], ["900 1 300"], [900], ["900 x"], ["9e2 1"], 0, None],
)
def test_what_is_no_save_point_is_refused(wrong: object) -> None:
    """A save point is two positive numbers in one text, and they stand in a list."""
    with pytest.raises(values.NotThat):
        values.parse_save(wrong)


@pytest.mark.parametrize("row", FIELDS + TOP_FIELDS, ids=lambda row: row.path)
@given(value=ANYTHING)
def test_no_value_makes_a_parser_crash(row: field.Field, value: object) -> None:
    """Whatever TOML gives, a field takes it, and then gives it back, or says NotThat in one line."""
    try:
        taken = row.type.parse(value)
    except values.NotThat as refusal:
        assert str(refusal)
        assert "\n" not in str(refusal)
        assert len(str(refusal)) < 300
    else:
        assert taken == row.type.parse(row.type.show(taken))


@pytest.mark.parametrize(
    ("parse", "wrong"),
    [
        (words.parse_app, ["", "A b", "Esab", "-x", "x" * 41, "ä", "x/y", "x\n", 5]),
        (docker_words.parse_docker_name, ["", "x", "-x", "a b", "é" * 3, "a$b", "a:b"]),
        (words.parse_prefix, ["", "a b:", "a\n", "a\t", '"', "\x00", "p\u00a0q", "x" * 65, "a#b"]),
        (
            words.parse_bind,
            [[], "", ["redis.example"], ["127.0.0.1", "-127.0.0.1"], ["1.2.3.4.5"], 6],
        ),
        (
            words.parse_publish,
            ["0.0.0.0:0", "localhost:6379", "6379:6379:6379", "x", 0, 65536, True],
        ),
        (words.parse_networks, [["10.0.0.1/24"], ["any"], "10.0.0.0/8", [1], ["10.0.0.0/33"]]),
        (words.parse_path, ["relative", "/a/../b", "/a\nb", 1]),
        (words.parse_host, ["redis://x", "a b", "-x", "x\ny", "user@host"]),
        (words.parse_flag, [0, 1, "true", "on", None]),
    ],
)
def test_words_that_would_break_a_file_are_refused(parse, wrong) -> None:  # type: ignore[no-untyped-def]
    """Names, addresses, paths and prefixes take nothing that docker, redis.conf or a shell misread."""
    for each in wrong:
        with pytest.raises(values.NotThat):
            parse(each)


def test_addresses_that_are_right_are_taken() -> None:
    """A minus, an asterisk, IPv6 and a bare port are right."""
    assert words.parse_bind(["127.0.0.1", "-::1", "fe80::1"]) == ("127.0.0.1", "-::1", "fe80::1")
    assert words.parse_bind("* -::*") == ("*", "-::*")
    assert words.parse_publish(6379) == "127.0.0.1:6379"
    assert words.parse_publish("[::1]:6379") == "[::1]:6379"
    assert words.parse_publish("") == ""
    assert words.parse_networks(["10.0.0.7", "2001:db8::/32"]) == ("10.0.0.7/32", "2001:db8::/32")


def test_a_password_in_the_wrong_place_is_not_repeated() -> None:
    """Who writes the password where the variable's name belongs does not read it in the error."""
    with pytest.raises(values.NotThat) as caught:
        words.parse_variable("hunter2!")
    assert "hunter2" not in str(caught.value) + caught.value.hint
