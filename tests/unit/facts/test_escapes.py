r"""Bytes as text and back: what one command shows every command takes."""

from hypothesis import given
from hypothesis import strategies as st

from keywright_ops.facts.escapes import escaped, exact, literal, pattern, shown, taken

names = st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode())


@given(names)
def test_what_is_shown_is_taken_back(name: bytes):
    """Every name survives being shown and typed, and its text is one printable line."""
    text = shown(name)
    assert taken(text) == name
    assert text.isprintable()
    assert text == text.strip()
    assert text and not text.startswith("-")


@given(names)
def test_a_shown_name_as_a_pattern_means_that_name(name: bytes):
    """A literal pattern means its name alone."""
    assert exact(literal(name)) == name


@given(names.filter(lambda name: not set(name) & set(b"*?[]") and name))
def test_a_shown_name_without_glob_characters_can_be_the_pattern(name: bytes):
    """What `keys` printed is looked up by `keys` itself."""
    assert exact(pattern(shown(name))) == name


def test_names_look_as_people_know_them():
    r"""Printable text as it is, escapes as redis-cli writes them."""
    told = {b"session:abc-123": "session:abc-123", "café".encode(): "café", b"caf\xe9": "caf\\xe9",
            b"a\nb\x00": "a\\nb\\x00", b"a\\b": "a\\\\b", b"-x ": "\\x2dx\\x20", b"": '""',
            b"a b": "a b", "\u202e".encode(): "\\xe2\\x80\\xae"}  # fmt: skip
    assert told == {name: shown(name) for name in told}
    assert escaped(b" -") == " -"


def test_a_backslash_before_anything_else_is_itself():
    """Nothing that somebody typed is swallowed."""
    assert taken("a\\q") == b"a\\q"
    assert taken("\\xZZ") == b"\\xZZ"


def test_patterns_keep_their_stars_and_bytes_stay_bytes():
    r"""`\x2a` is the byte, never a wildcard."""
    assert pattern("session:*") == b"session:*"
    assert pattern("\\xff*") == b"\xff*"
    assert pattern("\\x2a*") == b"\\**"
    assert exact(pattern("a\\*b")) == b"a*b"
    assert exact(b"a?") is None
    assert exact(b"[ab]") is None
