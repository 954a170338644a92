"""Keywright's lines in somebody else's .env: every octet of theirs stays, and ours are what is read."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.unit.keywright.passwords import passwords
from tests.unit.render.plans import SECRETS, built_in

from keywright.dotenv import DIALECTS, read
from keywright.secret import Secret
from keywright_ops.render.dotenv import dotenv_values, render_dotenv, render_marked
from keywright_ops.render.dotenv_lines import (
    begin_mark,
    end_mark,
    marked_lines,
    put_lines,
    written_whole,
)

DEV, PROD = built_in("dev"), built_in("prod")
BLOCK = render_marked(DEV, SECRETS)
NAMES = frozenset(dotenv_values(DEV, SECRETS))

# What developers have in such files, and what is not even UTF-8.
odd = st.sampled_from(
    [b"REDIS_HOST=old", b"A=1", b"export B=2", b"# note", b"", b"C='x y'", b"D=caf\xe9", b"E=\\"]
    + [b"REDIS_PASSWORD=old", b"REDIS_PORT=1", b"F=a # b", b"\xef\xbb\xbfG=1", b"H=\xe2\x80\xa8"]
    + [begin_mark("dev").encode(), end_mark("dev").encode(), b"I=\x0b\x85"]
)
octets = st.one_of(
    st.binary(max_size=60),
    st.tuples(
        st.lists(st.tuples(odd, st.sampled_from([b"\n", b"\r\n"])).map(b"".join), max_size=9),
        st.one_of(odd, st.just(b"")),
    ).map(lambda found: b"".join(found[0]) + found[1]),
)


def text_of(data: bytes) -> str:
    """The file as Keywright reads it: every octet is kept."""
    return data.decode("utf-8", "surrogateescape")


def octets_of(text: str) -> bytes:
    """The file as Keywright writes it."""
    return text.encode("utf-8", "surrogateescape")


@given(octets)
def test_a_file_without_our_lines_is_their_beginning(data: bytes) -> None:
    """Every octet stays where it was; our lines come last, once, between their marks."""
    assume(marked_lines(text_of(data)) is None)
    written = octets_of(put_lines(text_of(data), BLOCK))
    between = written.removeprefix(data).removesuffix(BLOCK.encode())
    assert data + between + BLOCK.encode() == written
    assert between in (b"", b"\n", b"\n\n")


@given(octets, octets)
def test_lines_are_replaced_where_they_stand(before: bytes, after: bytes) -> None:
    """A new password changes the lines between the marks, and not one octet around them."""
    assume(marked_lines(text_of(before)) is None and marked_lines(text_of(after)) is None)
    old = render_marked(PROD, SECRETS)
    head = text_of(before) + ("\n" if before else "")
    assume(marked_lines(text_of(after) + "\n" + old) is not None)
    found = put_lines(head + old + text_of(after), BLOCK)
    assert octets_of(head + BLOCK + text_of(after)) == octets_of(found)


@given(octets)
def test_twice_is_as_once(data: bytes) -> None:
    """A second `up` has nothing to write."""
    once = put_lines(text_of(data), BLOCK)
    assert once == put_lines(once, BLOCK)


@settings(max_examples=300)
@given(octets, passwords)
def test_the_later_line_counts_in_every_program(data: bytes, password: str) -> None:
    """Whatever stood there before, who reads the file at all reads our values from it."""
    block = render_marked(DEV, SECRETS | {"default": Secret(password)})
    text = octets_of(text_of(data)).decode("utf-8", "replace")
    assume(marked_lines(text) is None)
    merged = put_lines(text, block)
    for dialect in DIALECTS:
        before, alone = read(text, dialect), read(block, dialect).values()
        assume(not _swallows(text, dialect))
        if before.refused:
            continue
        found = read(merged, dialect)
        assert "" == found.refused, (dialect, merged)
        assert alone == {name: found.values().get(name) for name in alone}, (dialect, merged)


def _swallows(text: str, dialect: str) -> bool:
    """Whether a quotation mark at the end is still open: told by a warning, not by this law."""
    if text.endswith("\\"):
        text += "\n"
    return read(text + "\n\nZZ=1\n", dialect).values().get("ZZ") != "1"


@given(octets, passwords)
def test_their_own_variables_stay_as_they_are_read(data: bytes, password: str) -> None:
    """No program reads another value of theirs because our lines stand below."""
    block = render_marked(DEV, SECRETS | {"default": Secret(password)})
    text = octets_of(text_of(data)).decode("utf-8", "replace")
    # (nothing can follow a last character \\ so that a shell still takes it as a character)
    assume(marked_lines(text) is None and not text.endswith("\\"))
    for dialect in DIALECTS:
        before, after = read(text, dialect), read(put_lines(text, block), dialect)
        assume(not _swallows(text, dialect))
        if before.refused or after.refused:
            continue
        own = {name: value for name, value in before.values().items() if name not in NAMES}
        assert own == {name: after.values().get(name) for name in own}, (dialect, text)


def test_only_one_block_is_left() -> None:
    """Lines that stand twice, as after a merge of branches, become one; the last place is kept."""
    twice = f"A=1\n{BLOCK}B=2\n{BLOCK}C=3\n"
    assert f"A=1\nB=2\n{BLOCK}C=3\n" == put_lines(twice, BLOCK)


def test_a_lost_mark_costs_no_line() -> None:
    """A mark without its other one bounds nothing: all that stands around it is kept."""
    text = f"A=1\n{begin_mark('dev')}\nB=2\n"
    merged = put_lines(text, BLOCK)
    assert f"{text}\n{BLOCK}" == merged
    assert merged == put_lines(merged, BLOCK)


def test_marks_that_an_editor_gave_carriage_returns_are_found() -> None:
    """A file saved with CRLF is brought back to ours, in place."""
    saved = f"A=1\n{BLOCK}B=2\n".replace("\n", "\r\n")
    assert f"A=1\r\n{BLOCK}B=2\r\n" == put_lines(saved, BLOCK)


def test_a_whole_file_is_ours_until_somebody_adds_to_it() -> None:
    """A variable of the developer's makes the file theirs, whatever its header says."""
    whole = render_dotenv(DEV, SECRETS)
    assert written_whole(whole, NAMES)
    assert written_whole(whole.replace("REDIS_PORT=6379", "REDIS_PORT=1"), NAMES)
    for added in ("SECRET_KEY=1\n", "export X=1\n", "junk\n"):
        assert not written_whole(whole + added, NAMES), added
    assert not written_whole("A=1\n" + whole, NAMES)
    assert not written_whole("", NAMES)
    assert not written_whole(put_lines("A=1\n", BLOCK), NAMES)


def test_the_marked_lines_are_the_whole_files_variables() -> None:
    """Both ways of writing say the same to the application."""
    for plan in (DEV, PROD):
        whole, marked = render_dotenv(plan, SECRETS), render_marked(plan, SECRETS)
        for dialect in DIALECTS:
            assert read(whole, dialect).values() == read(marked, dialect).values()
