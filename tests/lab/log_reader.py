"""Reads what a following program shows, while it runs."""

import os
import subprocess
import time


def read_until(child: "subprocess.Popen[str]", *words: str, limit: float = 30) -> str:
    """Read its output until every word has been seen; what was read."""
    assert child.stdout is not None
    os.set_blocking(child.stdout.fileno(), False)
    seen, deadline = "", time.monotonic() + limit
    while not all(word in seen for word in words):
        assert time.monotonic() < deadline, seen
        try:
            seen += os.read(child.stdout.fileno(), 65536).decode()
        except BlockingIOError:
            time.sleep(0.05)
    os.set_blocking(child.stdout.fileno(), True)
    return seen
