"""A dump is opened where it lies, packed by gzip or not; what is none is said in one sentence."""

import gzip
import os
from pathlib import Path

import pytest
from tests.unit.facts.rdb import writer as w

from keywright.errors import InputError
from keywright_ops.facts.rdb.reader import read_rdb
from keywright_ops.ops.dump_file import load_dump

DUMP = w.dump(
    "REDIS0011", b"".join(w.record(0, b"key:%d" % n, w.string(b"x" * 50)) for n in range(100))
)


def keys(path: Path) -> int:
    """How many keys the dump at the path has."""
    with load_dump(str(path)) as dump:
        assert (dump.size, int(path.stat().st_mtime)) == (len(DUMP), int(dump.changed))
        return sum(1 for _ in read_rdb(dump.data))


def test_plain_and_packed(tmp_path: Path) -> None:
    """Whether a dump is packed is seen by its bytes, not by its name."""
    (tmp_path / "dump.rdb").write_bytes(DUMP)
    (tmp_path / "packed").write_bytes(gzip.compress(DUMP, mtime=0))
    assert (100, 100) == (keys(tmp_path / "dump.rdb"), keys(tmp_path / "packed"))


def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was unpacked is gone afterwards, also when reading failed."""
    (tmp_path / "room").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "room"))
    (tmp_path / "packed").write_bytes(gzip.compress(DUMP, mtime=0))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        try:
            with load_dump(str(tmp_path / "packed")):
                assert [] == os.listdir(tmp_path / "room")
                raise KeyError
        except KeyError:
            pass
    assert before == len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (gzip.compress(DUMP, mtime=0)[:-30], "is cut off or damaged: gzip cannot unpack it"),
        (
            gzip.compress(DUMP, mtime=0)[:20] + b"\xff" * 60,
            "is cut off or damaged: gzip cannot unpack it",
        ),
        (b"\x1f\x8b", "is cut off or damaged: gzip cannot unpack it"),
    ],
)
def test_what_cannot_be_opened(tmp_path: Path, content: bytes, sentence: str) -> None:
    """An empty file and a damaged packing are said so."""
    path = tmp_path / "dump"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^{path} {sentence}$"), load_dump(str(path)):
        raise AssertionError("opened")


def test_what_is_no_file(tmp_path: Path) -> None:
    """A folder, a device, and what is not there."""
    for path, sentence in (
        (str(tmp_path), f"{tmp_path} cannot be read: Is a directory"),
        ("/dev/zero", "/dev/zero is no file"),
        (f"{tmp_path}/none", f"{tmp_path}/none cannot be read: No such file or directory"),
    ):
        with pytest.raises(InputError, match=f"^{sentence}$"), load_dump(path):
            raise AssertionError("opened")
