"""Finds the entries of a log that are wanted, in blocks of bytes: literals first, the expression only where
they stand, a level by the bytes of its mark; nothing is parsed that need not be judged.

Pure: reads no clock and asks nobody.
"""

from collections.abc import Iterator
from itertools import islice
from operator import eq
from typing import NamedTuple

from keywright_ops.logs.block import Block, Span
from keywright_ops.logs.pattern import Wanted
from keywright_ops.logs.source import LEVELS


class Question(NamedTuple):
    """What is looked for: an entry that matches each of `wanted`, is of one of `levels` (None: any), and
    whose first line matches nothing of `unwanted`."""

    wanted: tuple[Wanted, ...] = ()
    unwanted: Wanted | None = None
    levels: frozenset[str] | None = None

    @property
    def filters(self) -> bool:
        """Whether anything is left out."""
        return bool(self.wanted or self.unwanted) or self.levels is not None


def find(block: Block, question: Question) -> list[Span]:
    """Return where the entries lie that are wanted, in order, none overlapping another."""
    size = len(block.bytes)
    if not question.filters:
        return [(0, size)]
    levels, unwanted = question.levels, question.unwanted
    if question.wanted:
        first, *more = question.wanted
        spans = matching(block, first)
        for each in more:
            spans = [span for span in spans if holds(block, span, each)]
        if levels is not None:
            spans = [span for span in spans if block.level(span) in levels]
    elif levels is None:
        return _complement(size, _beginning(block, unwanted))
    elif "notice" in levels and block.form.marks:
        # nearly everything: what is not wanted is found faster
        others = _marked(block, frozenset(LEVELS) - levels)
        return _complement(size, _in_order(others + _beginning(block, unwanted)))
    elif block.form.marks:
        spans = _marked(block, levels)
    else:
        spans = [span for span in block.entries() if block.level(span) in levels]
    if unwanted is not None:
        spans = [span for span in spans if not holds(block, block.first_line(span), unwanted)]
    return spans


def _in_order(found: list[Span]) -> list[Span]:
    """Several runs of spans as one; an entry that was found twice stands in it once."""
    found.sort()
    if any(map(eq, found, islice(found, 1, None))):
        return list(dict.fromkeys(found))
    return found


def _complement(size: int, spans: list[Span]) -> list[Span]:
    """What lies between the spans."""
    found, position = [], 0
    for start, end in spans:
        if start > position:
            found.append((position, start))
        position = end
    if position < size:
        found.append((position, size))
    return found


def holds(block: Block, span: Span, wanted: Wanted) -> bool:
    """Whether what lies in a span matches."""
    text = block.folded() if wanted.fold else block.bytes
    for literal, regex in wanted.alternatives:
        if literal and text.find(literal, *span) < 0:
            continue
        if regex is None or regex.search(block.bytes, *span):
            return True
    return False


def matching(block: Block, wanted: Wanted) -> list[Span]:
    """Return the entries that match."""
    if not wanted.found_by_literals:
        return _by_expression(block, wanted)
    text = block.folded() if wanted.fold else block.bytes
    lines, head, size = block.bytes, block.head, len(block.bytes)
    simple = block.headed and not block.reports
    found: list[Span] = []
    for literal, regex in wanted.alternatives:
        position, floor = text.find(literal), 0
        while position >= 0:
            start = lines.rfind(b"\n", floor, position) + 1 or floor
            end = lines.find(b"\n", position) + 1 or size
            # (an entry of one line is the usual one: a call for each would cost a third)
            if not (simple and head(lines, start) and (end == size or head(lines, end))):
                start, end = block.entry(position, floor)
            if regex is None or regex.search(lines, start, end):
                found.append((start, end))
            floor = end
            position = text.find(literal, end)
    return found if len(wanted.alternatives) == 1 else _in_order(found)


def _by_expression(block: Block, wanted: Wanted) -> list[Span]:
    """The slow way: the expression looks at everything."""
    found: list[Span] = []
    position, size = 0, len(block.bytes)
    while position < size:
        match = wanted.shown.search(block.bytes, position)
        if match is None:
            break
        span = block.entry(min(match.start(), size - 1), position)
        if holds(block, span, wanted):
            found.append(span)
        position = span[1]
    return found


def _beginning(block: Block, wanted: Wanted | None) -> list[Span]:
    """The entries whose first line matches."""
    if wanted is None:
        return []
    spans = matching(block, wanted)
    return [span for span in spans if holds(block, block.first_line(span), wanted)]


def _marked(block: Block, levels: frozenset[str]) -> list[Span]:
    """The entries of some levels, by their marks; a crash report is of the gravest."""
    found: list[Span] = list(block.reports) if "warning" in levels else []
    for level in levels:
        plain, *quoted = block.form.marks[level]
        for mark in (plain, *quoted) if b'"' in block.bytes else (plain,):
            found += _with_mark(block, mark, level)
    return _in_order(found)


def _with_mark(block: Block, mark: bytes, level: str) -> Iterator[Span]:
    """The entries of a level whose headers hold a mark, but for the crash reports."""
    lines, head, reports = block.bytes, block.head, block.reports
    length, size = len(mark), len(block.bytes)
    position = lines.find(mark)
    while position >= 0:
        start = lines.rfind(b"\n", 0, position) + 1
        header, end = head(lines, start), lines.find(b"\n", position) + 1 or size
        if header and (
            header.end() == position + length
            or block.form.parse(lines[start : end - 1]).level == level
        ):
            while end < size and not head(lines, end):
                end = lines.find(b"\n", end) + 1 or size
            if not reports or block.entry(position, start) not in reports:
                yield start, end
            position = lines.find(mark, end)
        else:
            position = lines.find(mark, position + length)
