"""A log that is a file of this machine, with what rotation left of it.

Read by `pread`, never mapped: a mapped file that rotation truncates meanwhile would end this process.
"""

import os
import time
from collections.abc import Callable, Iterator

from keywright_ops.logs.block import FRESH, REPORT, REPORT_ENDS
from keywright_ops.logs.rotated import cannot_read, compressed, family, unpacked
from keywright_ops.logs.source import CHUNK, Form, Wish
from keywright_ops.logs.window import Range, judged, split_lines, window
from keywright_ops.logs.zones import UTC, Zone, twice

PACE = 0.1  # seconds between two looks at a followed file
MOST = 1 << 24  # bytes that are taken at one look
WIDEST = 1 << 20  # bytes that are looked back for the beginning of an entry


class FileSource:
    """One log file; `zone` is that of the wall clock which its program wrote."""

    able = frozenset(("since", "until", "tail"))

    def __init__(
        self,
        path: str,
        form: Form,
        environment: str,
        service: str = "redis",
        zone: Zone = UTC,
    ) -> None:
        self.path = self.place = path
        self.form, self.environment, self.service = form, environment, service
        self._zone = zone

    def read(self, wish: Wish) -> Iterator[bytes]:
        """Give what the file and its rotated ones hold, in order of time."""
        files = in_time(family(self.path), self.form)
        if not files:
            raise cannot_read(self.path, FileNotFoundError())
        files = _within(files, wish)
        if wish.tail is not None:
            files = self._last_files(files, wish)
        for path, _ in files:
            yield from self._read_one(path, wish)

    def follow(self, wish: Wish) -> Iterator[bytes]:
        """Give the same, and what is written then: through rotation and truncation."""
        with _Opened(self.path) as log:
            size = log.whole_size()
            for path, _ in in_time(family(self.path), self.form):
                if path != self.path and wish.tail is None:
                    yield from self._read_one(path, wish)
            yield from self._read_ranges(log, size, wish)
            position = size
            while wish.until is None or time.time() < wish.until:
                position, news = log.news(position)
                yield news
                if not news:
                    time.sleep(PACE)

    def _read_one(self, path: str, wish: Wish) -> Iterator[bytes]:
        if compressed(path):
            chunks = unpacked(path)
            if wish.since is not None or wish.until is not None:
                chunks = judged(chunks, self.form, wish.since, wish.until)
            yield from chunks
            return
        with _Opened(path) as log:
            yield from self._read_ranges(log, log.size(), wish)

    def _read_ranges(self, log: "_Opened", size: int, wish: Wish) -> Iterator[bytes]:
        ranges = window(
            log.pread, size, self.form, wish.since, wish.until, lambda at: twice(self._zone, at)
        )
        if wish.tail is not None and ranges and not all(each.judge for each in ranges):
            at = next(number for number, each in enumerate(ranges) if not each.judge)
            start = tail_start(log.pread, ranges[at], self.form, wish.tail)
            if start > ranges[at].start:  # what came before is older than the last lines
                ranges = [Range(start, ranges[at].end, False), *ranges[at + 1 :]]
        for each in ranges:
            chunks = log.chunks(each.start, each.end)
            yield from (judged(chunks, self.form, wish.since, wish.until) if each.judge else chunks)

    def _last_files(
        self, files: list[tuple[str, float | None]], wish: Wish
    ) -> list[tuple[str, float | None]]:
        """The newest files that hold the last lines: older ones need not be read."""
        missing, needed = wish.tail or 0, []
        for path, first in reversed(files):
            needed.append((path, first))
            missing -= sum(chunk.count(b"\n") for chunk in self._read_one(path, wish))
            if missing <= 0:
                break
        return needed[::-1]


class _Opened:
    """The file, open: it stays this one when rotation gives its name to another."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise cannot_read(path, error) from None

    def __enter__(self) -> "_Opened":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def pread(self, size: int, position: int) -> bytes:
        return os.pread(self._file, size, position)

    def size(self) -> int:
        return os.fstat(self._file).st_size

    def whole_size(self) -> int:
        """How many bytes there are without a last line that is still being written."""
        size, step = self.size(), CHUNK
        position = size
        while position > 0:
            start = max(0, position - step)
            found = self.pread(position - start, start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            position = start
        return 0

    def chunks(self, position: int, end: int) -> Iterator[bytes]:
        """Give the bytes of a range of whole lines; the last line gets the b"\\n" that it lacks."""
        size = CHUNK
        while position < end:
            block = self.pread(min(size, end - position), position)
            if not block:
                return  # truncated meanwhile
            cut = block.rfind(b"\n") + 1
            if cut:
                yield block if cut == len(block) else block[:cut]
                position, size = position + cut, CHUNK
            elif position + len(block) >= end:
                yield block + b"\n"
                return
            else:
                size *= 2  # a line longer than a chunk

    def news(self, position: int) -> tuple[int, bytes]:
        """Return what was written since, up to the last whole line, and the place after it; another
        file under the name is taken up once this one is read out."""
        other = self._renamed()  # looked at first: what was written before it is read below
        size = self.size()
        if size < position:
            position = 0  # truncated: logrotate's copytruncate
        block = self.pread(min(max(size - position, 0), MOST), position)
        cut = block.rfind(b"\n") + 1
        if cut or not other:
            return position + cut, block[:cut]
        try:
            opened = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return position, b""
        os.close(self._file)
        self._file = opened
        return 0, block + b"\n" if block else b""

    def _renamed(self) -> bool:
        """Whether the name belongs to another file now; False while there is none."""
        try:
            there, here = os.stat(self._path), os.fstat(self._file)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)


def in_time(paths: list[str], form: Form) -> list[tuple[str, float | None]]:
    """Return files with their first line's time, the oldest first; one that tells none by when it was
    last written."""
    found: list[tuple[float, int, str, float | None]] = []
    for path in paths:
        first = _first_time(path, form)
        try:
            written = os.stat(path).st_mtime
        except OSError:
            continue
        found.append((first if first is not None else written, len(found), path, first))
    # equal times: what stands later in the family (log.1, log.2 …) is older
    return [
        (path, first) for _, _, path, first in sorted(found, key=lambda each: (each[0], -each[1]))
    ]


def _first_time(path: str, form: Form) -> float | None:
    if compressed(path):
        chunk = next(unpacked(path), b"")
    else:
        try:
            with open(path, "rb") as stream:
                chunk = stream.read(65536)
        except OSError as error:
            raise cannot_read(path, error) from None
    for line in split_lines(chunk):
        if form.head.match(line):
            told = form.parse(line[:-1]).time
            if told is not None:
                return told
    return None


def _within(files: list[tuple[str, float | None]], wish: Wish) -> list[tuple[str, float | None]]:
    """Leave out files that end before the window (the next begins before it) or begin after it."""
    slack = 7200.0
    kept = []
    for number, (path, first) in enumerate(files):
        after = files[number + 1][1] if number + 1 < len(files) else None
        if wish.since is not None and after is not None and after < wish.since - slack:
            continue
        if wish.until is not None and first is not None and first > wish.until + slack:
            continue
        kept.append((path, first))
    return kept


def tail_start(pread: Callable[[int, int], bytes], within: Range, form: Form, lines: int) -> int:
    """Return where the last lines of a range begin, at the beginning of an entry."""
    position, left = within.end, lines + 1  # the range ends in a line feed
    if lines == 0:
        return within.end
    while position > within.start:
        start = max(within.start, position - CHUNK)
        block = pread(position - start, start)
        count = block.count(b"\n")
        if count < left:
            left, position = left - count, start
            continue
        at = len(block)
        for _ in range(left):
            at = block.rfind(b"\n", 0, at)
        return entry_start(pread, within.start, start + at + 1, form)
    return within.start


def entry_start(pread: Callable[[int, int], bytes], low: int, position: int, form: Form) -> int:
    """Return where the entry begins that the line at a position belongs to: its header's line, or the
    crash report's START."""
    start = max(low, position - WIDEST)
    block = pread(position - start + CHUNK, start)
    before = block[: position - start]
    report = before.rfind(REPORT)
    if report >= 0 and before.find(REPORT_ENDS, report) < 0 and before.find(FRESH, report) < 0:
        return start + before.rfind(b"\n", 0, report) + 1
    at = position - start
    while at > 0 and not form.head.match(block, at):
        at = block.rfind(b"\n", 0, at - 1) + 1
    return start + at if form.head.match(block, at) else position
