"""A log file is read with what rotation left of it, and followed through whatever happens to it."""

import bz2
import gzip
import lzma
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.log_source import FIRST, line

from keywright.errors import InputError
from keywright_ops.logs.file import FileSource
from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.rotated import cannot_read, family
from keywright_ops.logs.source import Wish
from keywright_ops.logs.zones import UTC


def text(*numbers: int) -> bytes:
    """Lines of these minutes."""
    return b"".join(line(number) + b"\n" for number in numbers)


def source(path: Path) -> FileSource:
    """The source over a file."""
    return FileSource(str(path), redis_form(UTC), "local")


def read(path: Path, **wish: float) -> bytes:
    """All that the source gives."""
    return b"".join(source(path).read(Wish(**wish)))  # type: ignore[arg-type]


@pytest.fixture
def rotated(tmp_path: Path) -> Path:
    """A log with five older ones, packed in every way, and neighbours that are no part of it."""
    path = tmp_path / "redis-server.log"
    path.write_bytes(text(50, 51))
    (tmp_path / "redis-server.log.1").write_bytes(text(40, 41))
    (tmp_path / "redis-server.log.2.gz").write_bytes(gzip.compress(text(30, 31)))
    (tmp_path / "redis-server.log.3.xz").write_bytes(lzma.compress(text(20, 21)))
    (tmp_path / "redis-server.log-20251101.bz2").write_bytes(bz2.compress(text(10, 11)))
    (tmp_path / "redis-server-20251001.log").write_bytes(text(0, 1))
    (tmp_path / "redis-server.log.bak").write_bytes(text(99))
    (tmp_path / "other.log.1").write_bytes(text(99))
    return path


def test_rotated_files_are_read_in_order_of_time(rotated: Path):
    """Plain, gzip, xz and bzip2, by number and by date; nothing else in the folder."""
    assert text(0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51) == read(rotated)
    assert len(family(str(rotated))) == 6


def test_a_window_reaches_into_the_rotated_files(rotated: Path):
    """Bounds hold in each of them."""
    assert text(11, 20, 21, 30) == read(rotated, since=FIRST + 660, until=FIRST + 31 * 60)


def test_the_last_lines_reach_into_the_rotated_files(rotated: Path):
    """A log that was rotated a moment ago has its last lines in the older file."""
    assert read(rotated, tail=3).endswith(text(41, 50, 51))
    assert read(rotated, tail=1).endswith(text(51))


def test_a_file_of_one_moment_keeps_the_order_of_rotation(tmp_path: Path):
    """Files whose first lines have the same time: the higher number is the older."""
    for name, number in (("a.log", 3), ("a.log.1", 2), ("a.log.2", 1)):
        (tmp_path / name).write_bytes(line(0) + b"\n" + f"{number}\n".encode())
    told = read(tmp_path / "a.log").replace(line(0) + b"\n", b"")
    assert b"1\n2\n3\n" == told


def test_a_last_line_without_an_end_gets_one(tmp_path: Path):
    """And an empty file is read too."""
    path = tmp_path / "a.log"
    path.write_bytes(text(1) + b"half")
    assert text(1) + b"half\n" == read(path)
    path.write_bytes(b"")
    assert b"" == read(path) == read(path, since=5) == read(path, tail=5)


def test_a_line_longer_than_a_chunk_is_whole(tmp_path: Path):
    """A line of a megabyte comes in one piece."""
    path = tmp_path / "a.log"
    path.write_bytes(text(1) + line(2) + b"x" * 1_000_000 + b"\n" + text(3))
    assert path.read_bytes() == read(path)
    assert all(chunk.endswith(b"\n") for chunk in source(path).read(Wish()))


def test_a_tail_never_begins_inside_an_entry(tmp_path: Path):
    """A crash report that the last lines are part of is whole."""
    path = tmp_path / "a.log"
    report = [b"=== REDIS BUG REPORT START: Cut & paste starting from here ===", line(2)]
    report += [b"stack"] * 50 + [line(3)] + [b"info"] * 50
    whole = b"\n".join([*report, b"=== REDIS BUG REPORT END. ===", b""])
    path.write_bytes(text(*range(2)) + whole)
    assert read(path, tail=5) == whole


def test_a_file_that_may_not_be_read_is_a_sentence():
    """Debian's log belongs to redis and adm."""
    error = cannot_read("/var/log/redis/redis-server.log", PermissionError())
    assert str(error) == "/var/log/redis/redis-server.log may not be read by you"
    assert "adm" in error.hint


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path):
    """Reading and following say so."""
    with pytest.raises(InputError, match="there is no"):
        read(tmp_path / "none.log")
    with pytest.raises(InputError, match="there is no"):
        next(source(tmp_path / "none.log").follow(Wish()))


def follow(path: Path, deeds: list[Callable[[], object]], wanted: bytes, **wish: int) -> bytes:
    """Follow a file; at each silence do the next deed; stop when what is wanted has come."""
    got, left = b"", list(deeds)
    deadline = time.monotonic() + 20
    following: Iterator[bytes] = source(path).follow(Wish(**wish))
    for chunk in following:
        got += chunk
        if not chunk and left:
            left.pop(0)()
        if (not left and len(got) >= len(wanted)) or time.monotonic() > deadline:
            break
    following.close()  # type: ignore[attr-defined]
    return got


def append(path: Path, told: bytes) -> Callable[[], object]:
    """A deed: write more."""

    def deed() -> None:
        with path.open("ab") as log:
            log.write(told)

    return deed


def test_following_goes_through_rotation(tmp_path: Path):
    """The log is renamed, a last line is still written to the old one, and a new one begins."""
    path, old = tmp_path / "a.log", tmp_path / "a.log.1"
    path.write_bytes(text(0))
    deeds = [
        lambda: path.rename(old),
        append(old, text(1)),
        append(path, text(2)),
        append(path, text(3)),
    ]
    assert text(0, 1, 2, 3) == follow(path, deeds, text(0, 1, 2, 3))


def test_following_goes_through_truncation(tmp_path: Path):
    """logrotate's copytruncate: the same file begins anew."""
    path = tmp_path / "a.log"
    path.write_bytes(text(0, 1, 2))
    deeds = [lambda: os.truncate(path, 0), append(path, text(3)), append(path, text(4))]
    assert text(0, 1, 2, 3, 4) == follow(path, deeds, text(0, 1, 2, 3, 4))


def test_half_a_line_waits_for_its_other_half(tmp_path: Path):
    """What is written in two pieces comes as one line."""
    path = tmp_path / "a.log"
    path.write_bytes(text(0) + line(1)[:10])
    deeds = [append(path, line(1)[10:20]), append(path, line(1)[20:] + b"\n")]
    assert text(0, 1) == follow(path, deeds, text(0, 1))


def test_following_begins_with_the_last_lines(tmp_path: Path):
    """What is older than them is not given."""
    path = tmp_path / "a.log"
    path.write_bytes(text(*range(5000)))
    got = follow(path, [append(path, text(5000))], text(0) * 3, tail=2)
    assert got.endswith(text(4998, 4999, 5000)) and len(got) < 10_000


def test_nothing_is_lost_while_a_writer_writes_and_rotates(tmp_path: Path):
    """Ten thousand lines through five rotations, as fast as they can be written."""
    path = tmp_path / "a.log"
    path.write_bytes(b"")
    done = threading.Event()

    def write() -> None:
        for number in range(10_000):
            if number % 2000 == 1999:
                time.sleep(0.3)  # logrotate is not faster than our looks
                path.rename(tmp_path / f"a.log.{number}")
            append(path, text(number))()
        done.set()

    got, end = b"", time.monotonic() + 40
    following = source(path).follow(Wish())
    threading.Thread(target=write).start()
    for chunk in following:
        over = done.is_set()  # looked at before the next silence, not after
        got += chunk
        if (over and not chunk and got.endswith(text(9999))) or time.monotonic() > end:
            break
    following.close()  # type: ignore[attr-defined]
    assert text(*range(10_000)) == got
