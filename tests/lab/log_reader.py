"""Reads what a following program shows, while it runs."""

import os
import subprocess
import time
from collections.abc import Callable


def read_until(
    child: "subprocess.Popen[str]",
    *words: str,
    limit: float = 30,
    each_second: Callable[[], object] = lambda: None,
) -> str:
    """Read its output until every word has been seen; what was read. `each_second` is done meanwhile."""
    assert child.stdout is not None
    os.set_blocking(child.stdout.fileno(), False)
    seen, deadline = "", time.monotonic() + limit
    due = time.monotonic()
    while not all(word in seen for word in words):
        if time.monotonic() >= due:
            each_second()
            due = time.monotonic() + 1
        assert time.monotonic() < deadline, seen
        try:
            seen += os.read(child.stdout.fileno(), 65536).decode()
        except BlockingIOError:
            time.sleep(0.05)
    os.set_blocking(child.stdout.fileno(), True)
    return seen
