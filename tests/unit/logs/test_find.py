"""The fast finder finds what a slow and plain one finds: any log, any question, cut into chunks anywhere."""

import re
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.purity import pure

from keywright.errors import InputError
from keywright_ops.logs.block import Block, blocks, entry_spans
from keywright_ops.logs.find import Question, find
from keywright_ops.logs.pattern import compile_patterns, literal
from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.source import LEVELS
from keywright_ops.logs.zones import UTC

FORM = redis_form(UTC)
MARKS = dict(zip(LEVELS, ".-*#", strict=True))
WORDS = (
    "error",
    "Error",
    "warning",
    " # ",
    " * ",
    " - ",
    "saving",
    "abc",
    "ABC",
    "10:00",
    "",
    "é",
    "[x]",
)


class Made(NamedTuple):
    """An entry of a made-up log: its level and its lines."""

    level: str
    lines: tuple[bytes, ...]

    @property
    def raw(self) -> bytes:
        """The entry as it lies."""
        return b"".join(line + b"\n" for line in self.lines)


texts = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)


@st.composite
def entry(draw: st.DrawFn) -> Made:
    """A line of a server, in plain or logfmt, and lines that belong to it; or a crash report."""
    level = draw(st.sampled_from(LEVELS))
    text, second = draw(texts), draw(st.integers(0, 59))
    kind = draw(st.sampled_from(("plain", "plain", "plain", "logfmt", "report")))
    stamp = f"28 Nov 2026 10:00:{second:02}.123"
    if kind == "logfmt":
        word = {"verbose": "info"}.get(level, level)
        head = f'pid=7 role=primary timestamp="{stamp}" level={word} message="{text}"'
    else:
        head = f"7:M {stamp} {MARKS[level]} {text}"
    more = draw(st.lists(texts, max_size=2)) if draw(st.booleans()) else []
    if kind != "report":
        return Made(level, tuple(line.encode() for line in (head, *more)))
    lines = ("=== REDIS BUG REPORT START: Cut & paste starting from here ===", head, *more, head)
    return Made(
        "warning", tuple(line.encode() for line in (*lines, "=== REDIS BUG REPORT END. ==="))
    )


logs = st.lists(entry(), min_size=1, max_size=12)
questions = st.fixed_dictionaries(
    {
        "greps": st.lists(
            st.sampled_from(
                ("error", "error|warning", "er+or", r"\d\d", "^7:M", "abc$", "(?:abc|saving)", "a.c", "é",
                 r"\[x\]", "# error", r"sav\w+", "x?", "[ae]", "10:00:0", "(err|warn)", "REPORT")
            ),
            max_size=2,
        ),
        "excludes": st.lists(st.sampled_from(("saving", "abc|error", r"\* ", "warn.*abc", "z")), max_size=1),
        "fold": st.booleans(),
        "levels": st.none() | st.sets(st.sampled_from(LEVELS), min_size=1).map(frozenset),
    }
)  # fmt: skip


def naive(log: list[Made], greps: list[str], excludes: list[str], fold: bool, levels) -> bytes:
    """What is wanted, judged entry by entry."""
    flags = re.MULTILINE | (re.IGNORECASE if fold else 0)
    kept = []
    for each in log:
        if greps and not any(re.search(text.encode(), each.raw, flags) for text in greps):
            continue
        first = each.lines[0] + b"\n"
        if any(re.search(text.encode(), first, flags) for text in excludes):
            continue
        if levels is None or each.level in levels:
            kept.append(each.raw)
    return b"".join(kept)


def chunked(log: bytes, cuts: list[int]) -> list[bytes]:
    """The log in chunks of whole lines, cut after some of them."""
    lines = log.removesuffix(b"\n").split(b"\n")
    places = sorted({cut % (len(lines) + 1) for cut in cuts} | {0, len(lines)})
    pairs = pairwise(places)
    return [b"".join(line + b"\n" for line in lines[a:b]) for a, b in pairs if a < b]


def question(asked) -> Question:
    """The same question, of the finder."""
    wanted = compile_patterns(asked["greps"], asked["fold"])
    unwanted = compile_patterns(asked["excludes"], asked["fold"])
    return Question((wanted,) if wanted else (), unwanted, asked["levels"])


@settings(deadline=None)
@given(logs, questions, st.lists(st.integers(0, 100), max_size=6))
def test_the_finder_finds_what_a_plain_one_does(log: list[Made], asked, cuts: list[int]):
    """Patterns, exclusions, levels and entries of many lines, wherever the chunks end."""
    whole = b"".join(each.raw for each in log)
    wanted = question(asked)
    found = b"".join(
        block.bytes[start:end]
        for block in blocks(chunked(whole, cuts), FORM)
        for start, end in pure(find, block, wanted)
    )
    assert naive(log, **asked) == found


@settings(deadline=None)
@given(logs, st.lists(st.integers(0, 100), max_size=6))
def test_blocks_lose_nothing_and_cut_no_entry(log: list[Made], cuts: list[int]):
    """Blocks are the log, and each holds whole entries."""
    whole = b"".join(each.raw for each in log)
    made = [block.bytes for block in blocks(chunked(whole, cuts), FORM)]
    assert whole == b"".join(made)
    spans = [block[start:end] for block in made for start, end in entry_spans(block, FORM)]
    assert [each.raw for each in log] == spans


def test_a_silence_gives_out_what_was_held():
    """In follow mode nothing waits for the next line."""
    line = b"7:M 28 Nov 2026 10:00:00.123 * a\n"
    assert [line, b"", line] == [block.bytes for block in blocks([line, b"", line], FORM)]


@given(
    st.text("ab|()[]^$.*+?\\{}1, dw", max_size=12),
    st.text("abAB|1 ,dw()", max_size=20),
    st.booleans(),
)
def test_a_literal_stands_in_everything_that_matches(pattern: str, text: str, fold: bool):
    """Where the expression matches, one of the literals stands; and one that is the whole matches."""
    try:
        wanted = compile_patterns([pattern], fold)
    except InputError:
        return
    assert wanted is not None
    told = text.encode()
    seen = told.lower() if fold else told
    by_literal = any(
        each.literal in seen and (each.regex is None or each.regex.search(told))
        for each in wanted.alternatives
    )
    assert bool(wanted.shown.search(told)) == by_literal


def test_plain_words_need_no_expression():
    """The usual patterns are found by literals alone."""
    wanted = compile_patterns(["error|warning"], True)
    assert wanted is not None
    assert [(b"error", None), (b"warning", None)] == [tuple(each) for each in wanted.alternatives]
    assert literal(["Error"]).alternatives[0].literal == b"error"


def test_greps_basic_form_is_understood():
    r"""The guide writes `connection\|auth\|denied`."""
    wanted = compile_patterns([r"connection\|auth\|denied"], True)
    assert wanted is not None
    assert [b"connection", b"auth", b"denied"] == [each.literal for each in wanted.alternatives]


@pytest.mark.parametrize("pattern", ["(", "[a", "*a", "a{2,1}", ""])
def test_a_wrong_expression_is_a_sentence(pattern: str):
    """It names the option and what is wrong."""
    with pytest.raises(InputError, match="^--grep"):
        compile_patterns([pattern], True)


def test_a_log_without_headers_is_read_line_by_line():
    """Where nothing has a header a match shows its line and no more."""
    block = b"one\ntwo error\nthree\n"
    wanted = Question((literal(["error"]),))
    assert [(4, 14)] == find(Block(block, FORM, False), wanted)


def test_a_report_that_never_ends_is_over_when_a_server_starts():
    """A server that was killed while it wrote its report takes nothing of the next one's life."""
    report = (
        b"=== REDIS BUG REPORT START: Cut & paste starting from here ===\n"
        b"7:M 28 Nov 2026 10:00:00.123 # crashed\n"
    )
    after = b"8:M 28 Nov 2026 10:00:01.123 * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo\n"
    found = list(entry_spans(report + after, FORM))
    assert [(0, len(report)), (len(report), len(report + after))] == found
