"""Bytes of a log as whole entries.

An entry is a line with a header and the lines after it that have none. A crash report, from START to END, is
one entry, though some of its lines have headers.

Pure: reads no clock and asks nobody.
"""

from collections.abc import Iterable, Iterator

from keywright_ops.logs.source import Form

Span = tuple[int, int]

# (the longer what is looked for everywhere, the faster it is not found)
REPORT = b" BUG REPORT START: Cut & paste starting from here ==="
REPORT_ENDS = b" BUG REPORT END"
LARGEST = 8 << 20  # bytes that are held back for one entry's sake
FRESH = b"oO0OoO0OoO0Oo "  # a server that starts: a report that was never ended is over


def blocks(chunks: Iterable[bytes], form: Form) -> Iterator["Block"]:
    """Give chunks of whole lines as blocks of whole entries. A b"" (nothing new for a moment) gives out
    what was held back, and is passed on as an empty block."""
    held: list[bytes] = []
    size, reported = 0, False
    for chunk in chunks:
        if held and (not chunk or form.head.match(chunk)):
            block = b"".join(held)
            if not chunk or not (reported and _open_report(block)):
                yield Block(block, form, reported)
                held, size, reported = [], 0, False
        if not chunk:
            yield Block(b"", form, False)
            continue
        held.append(chunk)
        size += len(chunk)
        reported = reported or chunk.find(REPORT) >= 0
        if size > LARGEST:
            block = b"".join(held)
            cut = _last_entry(block, form, reported) or len(block)
            yield Block(block[:cut], form, reported)
            held = [block[cut:]] if cut < len(block) else []
            size = len(block) - cut
    if held:
        yield Block(b"".join(held), form, reported)


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


def entry_spans(block: bytes, form: Form) -> Iterator[Span]:
    """Give every entry of a block, one after the other."""
    return Block(block, form, block.find(REPORT) >= 0).entries()


class Block:
    """Whole entries, while they are looked at; `reported` is whether a crash report may be among them."""

    def __init__(self, block: bytes, form: Form, reported: bool) -> None:
        self.bytes = block
        self.form, self._lower = form, b""
        self.head = form.head.match
        # a log that has no header anywhere is read line by line
        self.headed = bool(self.head(block, 0)) or _last_entry(block, form, reported) > 0
        self.reports = list(self._find_reports()) if reported else []

    def folded(self) -> bytes:
        """The bytes in lower case."""
        if not self._lower:
            self._lower = self.bytes.lower()
        return self._lower

    def _find_reports(self) -> Iterator[Span]:
        """Every crash report, with what follows its end without a header."""
        block, position = self.bytes, 0
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
        block, size = self.bytes, len(self.bytes)
        end = block.find(b"\n", position) + 1
        while 0 < end < size and not self.head(block, end):
            end = block.find(b"\n", end) + 1
        return (end or size) - 1

    def entry(self, position: int, floor: int) -> Span:
        """The entry that a byte lies in; nothing before `floor` belongs to it."""
        block, head = self.bytes, self.head
        for report in self.reports:
            if report[0] <= position < report[1]:
                return report
        start = block.rfind(b"\n", floor, position) + 1 or floor
        end = block.find(b"\n", position) + 1 or len(block)
        if self.headed:
            while start > floor and not head(block, start):
                start = block.rfind(b"\n", floor, start - 1) + 1 or floor
            while end < len(block) and not head(block, end):
                end = block.find(b"\n", end) + 1 or len(block)
        return start, end

    def first_line(self, span: Span) -> Span:
        """The first line of an entry."""
        return span[0], self.bytes.find(b"\n", span[0]) + 1 or span[1]

    def level(self, span: Span) -> str:
        """The level of an entry; a crash report's is the gravest."""
        line = self.bytes[slice(*self.first_line(span))].rstrip(b"\n")
        return "warning" if span in self.reports else self.form.parse(line).level

    def entries(self) -> Iterator[Span]:
        """Every entry, one after the other."""
        position = 0
        while position < len(self.bytes):
            span = self.entry(position, position)
            yield span
            position = span[1]
