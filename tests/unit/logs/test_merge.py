"""Several sources are one stream: in order of time, none lost, none waited for for ever."""

import time
from collections.abc import Iterator
from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.log_source import line

from keywright.errors import KeywrightError, Unreachable
from keywright_ops.logs.find import Question
from keywright_ops.logs.merge import followed, last_entries, merged
from keywright_ops.logs.pattern import compile_patterns
from keywright_ops.logs.reading import Asked, Entry, entries, last_lines, levels_of, pieces, share
from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.source import Source, Wish
from keywright_ops.logs.zones import UTC


class Played:
    """A source that gives what it is told: bytes, b"" (after a moment), or an error that it raises."""

    form = redis_form(UTC)
    service, place = "redis", "played"

    def __init__(
        self, name: str, *told: bytes | KeywrightError, able: tuple[str, ...] = ()
    ) -> None:
        self.environment, self._told, self.able = name, told, frozenset(able)
        self.wishes: list[Wish] = []

    def read(self, wish: Wish) -> Iterator[bytes]:
        """Give it at once."""
        self.wishes.append(wish)
        for each in self._told:
            if isinstance(each, KeywrightError):
                raise each
            yield each

    def follow(self, wish: Wish) -> Iterator[bytes]:
        """Give it slowly."""
        for each in self.read(wish):
            yield each
            if not each:
                time.sleep(0.02)


def text(*numbers: int) -> bytes:
    """Lines of these minutes."""
    return b"".join(line(number) + b"\n" for number in numbers)


def numbers(found: Iterator[Entry | None] | list[Entry]) -> list[int]:
    """The minutes of entries."""
    return [int(each.line.text.split()[-1]) for each in found if each is not None]


def quiet(_: Source, error: KeywrightError) -> None:
    """Nothing is complained of here."""
    raise AssertionError(error)


@given(st.lists(st.lists(st.integers(0, 200), max_size=20), min_size=1, max_size=4))
def test_what_is_there_is_merged_by_time(logs: list[list[int]]):
    """Every line of every source, in order of time."""
    sources = [Played(str(n), text(*sorted(each))) for n, each in enumerate(logs) if each]
    assert sorted(chain(*logs)) == numbers(merged(sources, Asked(), quiet))


@settings(deadline=None, max_examples=10)
@given(st.lists(st.lists(st.integers(0, 200), max_size=20), min_size=1, max_size=4))
def test_following_merges_too(logs: list[list[int]]):
    """The same while following, when all of it comes within a moment."""
    sources = [Played(str(n), *(text(i) for i in sorted(each))) for n, each in enumerate(logs)]
    assert sorted(chain(*logs)) == numbers(followed(sources, Asked(), quiet))


def test_a_line_waits_a_moment_for_older_ones():
    """Of two hosts the slower has the older line: it stands first."""
    fast = Played("fast", b"", text(2), b"", b"")
    slow = Played("slow", b"", b"", b"", text(1))
    assert [1, 2] == numbers(followed([fast, slow], Asked(), quiet))


def test_the_last_lines_are_those_of_all():
    """A tail is cut after the merge, in follow only of what was there."""
    one, two = (text(1, 3, 5), text(2, 4, 6))
    asked = Asked(Wish(tail=3))
    assert [4, 5, 6] == numbers(merged([Played("a", one), Played("b", two)], asked, quiet))
    sources = [Played("a", one, b"", text(7)), Played("b", two, b"", text(8))]
    assert [4, 5, 6, 7, 8] == numbers(followed(sources, asked, quiet))


def test_who_cannot_be_read_keeps_nobody_from_being_read():
    """The error is told, and the others' lines stand."""
    for way in (merged, followed):
        told: list[tuple[Source, KeywrightError]] = []
        sources = [Played("a", text(1), Unreachable("gone")), Played("b", text(2))]
        found = way(sources, Asked(), lambda *both, told=told: told.append(both))  # type: ignore[misc]
        assert [1, 2] == numbers(found)
        assert [("a", "gone")] == [(source.environment, str(error)) for source, error in told]


def test_a_source_is_asked_only_what_it_can():
    """What it cannot is judged after it, and its tail is its own only when nothing lies between."""
    wish = Wish(since=100.0, until=200.0, tail=5, boot=True)
    able = Played("a", able=("since", "until", "tail", "boot"))
    assert wish == share(able, Asked(wish, booted=50.0))[0]
    sent, left, _ = share(Played("b"), Asked(wish, booted=150.0))
    assert (Wish(), Wish(150.0, 200.0, 5)) == (sent, left)
    pattern = compile_patterns(["x"], fold=True)
    assert pattern is not None
    asked = Asked(Wish(tail=5), Question((pattern,)))
    assert share(able, asked)[0].tail is None and share(able, asked)[1].tail == 5


def test_priorities_are_levels_where_a_log_knows_none():
    """err and graver is warning; a range is a range."""
    assert levels_of((0, 3)) == levels_of((3, 4)) == {"warning"}
    assert levels_of((0, 6)) == {"notice", "warning"}
    assert levels_of((0, 7)) == {"debug", "verbose", "notice", "warning"}
    question = share(Played("a"), Asked(Wish(priorities=(0, 3))))[2]
    assert question.levels == {"warning"}


def test_a_window_is_judged_where_the_source_cannot():
    """Lines outside are left out, with the lines that belong to them."""
    source = Played("a", text(1), line(2) + b"\nits own\n", text(3))
    first = next(entries(source, [text(0)]))
    assert first is not None
    asked = Asked(Wish(since=first.time + 60, until=first.time + 120))
    assert text(1) == b"".join(pieces(source, asked))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(0, 60))
def test_a_tail_never_cuts_an_entry(further: list[int], lines: int):
    """So many lines, and the beginning of the entry that the first of them is part of."""
    whole = [line(n) + b"\n" + b"more\n" * more for n, more in enumerate(further)]
    got = last_lines(b"".join(whole), lines, redis_form(UTC))
    kept = next(k for k in range(len(whole) + 1) if b"".join(whole[k:]) == got)
    if lines == 0:
        assert got == b""
        return
    assert got.count(b"\n") >= min(lines, b"".join(whole).count(b"\n"))
    assert kept == len(whole) - 1 or b"".join(whole[kept + 1 :]).count(b"\n") < lines
    found = [each for each in entries(Played("a"), [b"".join(whole)]) if each is not None]
    again = last_entries(found, lines)
    assert got.count(b"\n") == sum(1 + len(each.more) for each in again)
