"""Every source of log lines that needs nothing but this machine holds the laws of a source."""

from collections.abc import Iterable
from pathlib import Path

from tests.contract.log_source import Rig, hold_follow, hold_read

from keywright_ops.logs.file import FileSource
from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.zones import UTC


def file_rig(folder: Path) -> Rig:
    """A file that is written to, and the source over it."""
    path = folder / "server.log"

    def write(lines: Iterable[bytes]) -> None:
        with path.open("ab") as log:
            log.write(b"".join(line + b"\n" for line in lines))

    return Rig(write, lambda: FileSource(str(path), redis_form(UTC), "local"))


def test_a_file_reads_as_it_was_written(tmp_path: Path):
    """A file loses nothing, and its windows and tails are exact."""
    hold_read(file_rig(tmp_path))


def test_a_big_file_reads_as_it_was_written(tmp_path: Path):
    """The same for a file of many chunks."""
    hold_read(file_rig(tmp_path), 30_000)


def test_a_file_is_followed(tmp_path: Path):
    """What is written to a file comes at once."""
    hold_follow(file_rig(tmp_path))
