"""The laws of the lock: one holder, who is named, and who releases it by dying."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keywright.errors import ApplyError, Refused
from keywright_ops.apply.lock import lock

SOURCE = str(Path(__file__).parents[3] / "src")
HOLD = """
import subprocess, sys, time
from keywright_ops.apply.lock import lock
with lock(sys.argv[1], "keywright up"):
    child = subprocess.Popen(("sleep", "30"), start_new_session=True)  # as the server is started
    print(child.pid, flush=True)
    time.sleep(30)
"""


def test_who_holds_it_is_named(tmp_path: Path) -> None:
    """A second one is refused, with purpose and process of the first; afterwards it is free."""
    path = str(tmp_path / "home" / "lock")
    with lock(path, "keywright up"):
        with pytest.raises(Refused) as refused, lock(path, "keywright down"):
            pytest.fail("two held the lock")
        assert f"keywright up, process {os.getpid()}" in str(refused.value)
        assert refused.value.hint
    with lock(path, "keywright down"):
        assert 0o600 == os.stat(path).st_mode & 0o777


def test_it_is_free_after_an_error_in_the_block(tmp_path: Path) -> None:
    """Whatever ends the block ends the lock."""
    path = str(tmp_path / "lock")
    with pytest.raises(ZeroDivisionError), lock(path, "keywright up"):
        raise ZeroDivisionError
    with lock(path, "keywright up"):
        pass


def test_a_killed_holder_releases_it(tmp_path: Path) -> None:
    """SIGKILL frees it at once, though what the holder started lives on."""
    path = str(tmp_path / "lock")
    holder = subprocess.Popen(
        (sys.executable, "-c", HOLD, path),
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": SOURCE},
    )  # fmt: skip
    assert holder.stdout is not None
    started = int(holder.stdout.readline())
    try:
        with pytest.raises(Refused, match=f"process {holder.pid}"), lock(path, "keywright up"):
            pytest.fail("two held the lock")
        holder.kill()
        holder.wait()
        os.kill(started, 0)
        with lock(path, "keywright up"):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
        os.kill(started, signal.SIGKILL)


def test_a_folder_that_cannot_be_written_is_an_error_with_a_hint(tmp_path: Path) -> None:
    """No traceback: the path and what to look at."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ApplyError, match="cannot lock"),
        lock(f"{tmp_path}/file/lock", "keywright up"),
    ):
        pytest.fail("it was locked")


def test_waiting_is_left_to_the_person(tmp_path: Path) -> None:
    """A held lock is refused at once, not waited for."""
    path = str(tmp_path / "lock")
    with lock(path, "keywright up"):
        begun = time.monotonic()
        with pytest.raises(Refused), lock(path, "keywright up"):
            pytest.fail("two held the lock")
        assert time.monotonic() - begun < 0.5
