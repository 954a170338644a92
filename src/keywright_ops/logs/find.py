"""Finds the entries of a log that are wanted, in blocks of bytes: literals first, the expression only where
they stand, a level by the bytes of its mark; nothing is parsed that need not be judged.

An entry is a line with a header and the lines after it that have none. A crash report, from START to END, is
one entry, though some of its lines have headers.

Pure: reads no clock and asks nobody.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from operator import eq
from typing import NamedTuple

from keywright_ops.logs.pattern import Wanted
from keywright_ops.logs.source import LEVELS, Form

Span = tuple[int, int]

# (the longer what is looked for everywhere, the faster it is not found)
REPORT = b" BUG REPORT START: Cut & paste starting from here ==="
REPORT_ENDS = b" BUG REPORT END"
LARGEST = 8 << 20  # bytes that are held back for one entry's sake
FRESH = b"oO0OoO0OoO0Oo "  # a server that starts: a report that was never ended is over


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


def blocks(chunks: Iterable[bytes], form: Form) -> Iterator["Block"]:
    """Give chunks of whole lines as blocks of whole entries. A b"" (nothing new for a moment) gives out
    what was held back, and is passed on as an empty block."""
    held, reported = b"", False
    for chunk in chunks:
        begins = chunk.find(REPORT) >= 0
        if not chunk:
            if held:
                yield Block(held, form, reported)
            held = b""
            yield Block(b"", form, False)
        elif not held:
            held, reported = chunk, begins
        elif len(held) > LARGEST or (
            form.head.match(chunk) and not (reported and _open_report(held))
        ):
            yield Block(held, form, reported)
            held, reported = chunk, begins
        else:
            cut = _last_entry(held, form, reported)
            if cut:
                yield Block(held[:cut], form, reported)
            held, reported = held[cut:] + chunk, reported or begins
    if held:
        yield Block(held, form, reported)


def _open_report(block: bytes) -> bool:
    """Whether the last crash report that begins in the block does not end there."""
    start = block.rfind(REPORT)
    return start >= 0 and block.find(REPORT_ENDS, start) < 0 and block.find(FRESH, start) < 0


def _last_entry(block: bytes, form: Form, reported: bool) -> int:
    """Where the last entry of a block begins; 0 when it is the only one."""
    if reported and _open_report(block):
        return block.rfind(b"\n", 0, block.rfind(REPORT)) + 1
    start = len(block)
    while start > 0:
        start = block.rfind(b"\n", 0, start - 1) + 1
        if form.head.match(block, start):
            return start
    return 0


def find(block: "Block", question: Question) -> list[Span]:
    """Return where the entries lie that are wanted, in order, none overlapping another."""
    size = len(block.bytes)
    if not question.filters:
        return [(0, size)]
    first, *more = question.wanted or (None,)
    if first is not None:
        spans = block.matching(first)
    elif question.levels is not None:
        return _without(block, block.of_levels(question.levels), question.unwanted)
    else:
        return _complement(size, block.unwanted(question.unwanted))
    for each in more:
        assert each is not None
        spans = [span for span in spans if block.holds(span, each)]
    if question.levels is not None:
        spans = [span for span in spans if block.level(span) in question.levels]
    return _without(block, spans, question.unwanted)


def entry_spans(block: bytes, form: Form) -> Iterator[Span]:
    """Give every entry of a block, one after the other."""
    return Block(block, form, block.find(REPORT) >= 0).entries()


def _without(block: "Block", spans: list[Span], unwanted: Wanted | None) -> list[Span]:
    if unwanted is None:
        return spans
    return [span for span in spans if not block.holds(block.first_line(span), unwanted)]


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


class Block:
    """Whole entries, while they are looked at; `reported` is whether a crash report may be among them."""

    def __init__(self, block: bytes, form: Form, reported: bool) -> None:
        self.bytes = self._block = block
        self._form, self._lower = form, b""
        self._head = form.head.match
        # a log that has no header anywhere is read line by line
        self._headed = bool(self._head(block, 0)) or _last_entry(block, form, reported) > 0
        self._reports = list(self._find_reports()) if reported else []

    def _folded(self) -> bytes:
        if not self._lower:
            self._lower = self._block.lower()
        return self._lower

    def _find_reports(self) -> Iterator[Span]:
        """Every crash report, with what follows its end without a header."""
        block, position = self._block, 0
        while (found := block.find(REPORT, position)) >= 0:
            start = block.rfind(b"\n", 0, found) + 1
            end = block.find(REPORT_ENDS, found)
            fresh = block.find(FRESH, found)
            if fresh >= 0 and (end < 0 or fresh < end):
                end = block.rfind(b"\n", 0, fresh)
            elif end >= 0:
                end = self._entry_end(end)
            position = end + 1 if end >= 0 else len(block)
            yield start, min(position, len(block))

    def _entry_end(self, position: int) -> int:
        """Where the line feed before the next entry stands."""
        block, size = self._block, len(self._block)
        end = block.find(b"\n", position) + 1
        while 0 < end < size and not self._head(block, end):
            end = block.find(b"\n", end) + 1
        return (end or size) - 1

    def entry(self, position: int, floor: int) -> Span:
        """The entry that a byte lies in; nothing before `floor` belongs to it."""
        block, head = self._block, self._head
        for report in self._reports:
            if report[0] <= position < report[1]:
                return report
        start = block.rfind(b"\n", floor, position) + 1 or floor
        end = block.find(b"\n", position) + 1 or len(block)
        if self._headed:
            while start > floor and not head(block, start):
                start = block.rfind(b"\n", floor, start - 1) + 1 or floor
            while end < len(block) and not head(block, end):
                end = block.find(b"\n", end) + 1 or len(block)
        return start, end

    def first_line(self, span: Span) -> Span:
        """The first line of an entry."""
        return span[0], self._block.find(b"\n", span[0]) + 1 or span[1]

    def level(self, span: Span) -> str:
        """The level of an entry; a crash report's is the gravest."""
        line = self._block[slice(*self.first_line(span))].rstrip(b"\n")
        return "warning" if span in self._reports else self._form.parse(line).level

    def holds(self, span: Span, wanted: Wanted) -> bool:
        """Whether what lies in a span matches."""
        text = self._folded() if wanted.fold else self._block
        for literal, regex in wanted.alternatives:
            if literal and text.find(literal, *span) < 0:
                continue
            if regex is None or regex.search(self._block, *span):
                return True
        return False

    def matching(self, wanted: Wanted) -> list[Span]:
        """The entries that match."""
        if not wanted.found_by_literals:
            return self._by_expression(wanted)
        text = self._folded() if wanted.fold else self._block
        block, head, size = self._block, self._head, len(self._block)
        simple = self._headed and not self._reports
        found: list[Span] = []
        for literal, regex in wanted.alternatives:
            position, floor = text.find(literal), 0
            while position >= 0:
                start = block.rfind(b"\n", floor, position) + 1 or floor
                end = block.find(b"\n", position) + 1 or size
                # (an entry of one line is the usual one: a call for each would cost a third)
                if not (simple and head(block, start) and (end == size or head(block, end))):
                    start, end = self.entry(position, floor)
                if regex is None or regex.search(block, start, end):
                    found.append((start, end))
                floor = end
                position = text.find(literal, end)
        return found if len(wanted.alternatives) == 1 else _in_order(found)

    def _by_expression(self, wanted: Wanted) -> list[Span]:
        """The slow way: the expression looks at everything."""
        found: list[Span] = []
        position = 0
        while position < len(self._block):
            match = wanted.shown.search(self._block, position)
            if match is None:
                break
            span = self.entry(min(match.start(), len(self._block) - 1), position)
            if self.holds(span, wanted):
                found.append(span)
            position = span[1]
        return found

    def unwanted(self, wanted: Wanted | None) -> list[Span]:
        """The entries whose first line matches."""
        if wanted is None:
            return []
        return [span for span in self.matching(wanted) if self.holds(self.first_line(span), wanted)]

    def of_levels(self, levels: frozenset[str]) -> list[Span]:
        """The entries of some levels: by their marks, or by the marks of all the others when those are fewer
        or of less weight."""
        if not self._form.marks:
            return [span for span in self.entries() if self.level(span) in levels]
        others = frozenset(LEVELS) - levels
        if "notice" not in levels:
            return self._marked(levels)
        apart = self._marked(others)
        return [
            span
            for span in _complement(len(self._block), apart)
            if span not in self._reports or "warning" in levels
        ]

    def _marked(self, levels: frozenset[str]) -> list[Span]:
        found: list[Span] = list(self._reports) if "warning" in levels else []
        for level in levels:
            plain, *quoted = self._form.marks[level]
            for mark in (plain, *quoted) if b'"' in self._block else (plain,):
                found += self._with_mark(mark, level)
        return _in_order(found)

    def _with_mark(self, mark: bytes, level: str) -> Iterator[Span]:
        """The entries of a level whose headers hold a mark, but for the crash reports."""
        block, head, reports = self._block, self._head, self._reports
        length, size = len(mark), len(block)
        position = block.find(mark)
        while position >= 0:
            start = block.rfind(b"\n", 0, position) + 1
            header, end = head(block, start), block.find(b"\n", position) + 1 or size
            if header and (
                header.end() == position + length
                or self._form.parse(block[start : end - 1]).level == level
            ):
                while end < size and not head(block, end):
                    end = block.find(b"\n", end) + 1 or size
                if not reports or self.entry(position, start) not in reports:
                    yield start, end
                position = block.find(mark, end)
            else:
                position = block.find(mark, position + length)

    def entries(self) -> Iterator[Span]:
        """Every entry, one after the other."""
        position = 0
        while position < len(self._block):
            span = self.entry(position, position)
            yield span
            position = span[1]
