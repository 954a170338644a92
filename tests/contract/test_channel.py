"""A channel's program never outlives its reader: not by close, not by SIGKILL; nor do its children."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.embedded.stranger import SRC, alive, await_true

from keywright.errors import Unreachable
from keywright_ops.targets.channel import Channel, guarded, guarded_as_root

TREE = 'echo "$$"; sleep 600 & echo "$!"; exec sleep 600'
READER = f"""
import sys
from keywright_ops.targets.channel import Channel, guarded
with Channel(guarded(("sh", "-c", {TREE!r}))) as channel:
    for chunk in channel.chunks():
        sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
"""


def numbers(lines: bytes) -> list[int]:
    """The process ids that were printed."""
    return [int(word) for word in lines.split()]


@pytest.mark.parametrize("line", [guarded, guarded_as_root])
def test_closing_ends_the_program_and_what_it_began(line: object) -> None:
    """Whole lines come as they are written, silence is told, and after close nothing runs."""
    seen, began = b"", time.monotonic()
    with Channel(line(("sh", "-c", TREE))) as channel:  # type: ignore[operator]
        silences = 0
        for chunk in channel.chunks(idle=0.05):
            assert chunk == b"" or chunk.endswith(b"\n")
            seen += chunk
            silences += not chunk
            if len(numbers(seen)) == 2 and silences:
                break
    assert time.monotonic() - began < 20
    for pid in numbers(seen):
        await_true(lambda pid=pid: not alive(pid), f"process {pid} ends")


def test_killing_the_reader_ends_them_too(tmp_path: Path) -> None:
    """Nobody is left to close anything: the pipe's end is enough."""
    reader = subprocess.Popen(
        (sys.executable, "-c", READER),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SRC)},
        cwd=tmp_path,
    )
    assert reader.stdout is not None
    pids = numbers(reader.stdout.readline() + reader.stdout.readline())
    assert 2 == len(pids) and all(alive(pid) for pid in pids)
    reader.kill()
    reader.wait()
    reader.stdout.close()
    for pid in pids:
        await_true(lambda pid=pid: not alive(pid), f"process {pid} ends")


def test_the_end_is_told_with_its_code_and_its_words() -> None:
    """The last line gets the line feed that it lacks; standard error is kept apart; arguments are words."""
    with Channel(
        guarded(("sh", "-c", 'printf "%s" "$1"; echo why >&2; exit 3', "sh", "a 'b' $c"))
    ) as channel:
        assert [b"a 'b' $c\n"] == list(channel.chunks())
        assert (3, "why\n") == (channel.code, channel.said)
    with Channel(guarded(("seq", "200000"))) as channel:
        assert b"".join(b"%d\n" % each for each in range(1, 200001)) == b"".join(channel.chunks())
        assert 0 == channel.code


def test_what_cannot_be_started_or_is_lost_is_a_sentence() -> None:
    """No such program; ssh that ends with its own code."""
    with pytest.raises(Unreachable, match="cannot be started"):
        Channel(("/nowhere/at/all",))
    explain = lambda said: (f"lost: {said.strip()}", "a hint")  # noqa: E731
    with (
        Channel(("sh", "-c", "echo gone >&2; exit 255"), explain) as channel,
        pytest.raises(Unreachable, match="lost: gone"),
    ):
        list(channel.chunks())
