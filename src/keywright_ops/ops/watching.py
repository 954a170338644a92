"""Listens to MONITOR on a connection of its own: batches of lines until the time is over.

Whoever listens too slowly makes the server keep what was not read yet; so it ends when it falls behind.
"""

from collections.abc import Iterator
from time import monotonic

from keywright.errors import ReplyError
from keywright_ops.facts.replies import NOTHING, Problem
from keywright_ops.ops.line import Line

BLINK = 0.25  # seconds: how long a batch is waited for


def watch(line: Line, seconds: float) -> Iterator[list[bytes]]:
    """Yield lines as they come, for so many seconds; an empty batch says that time went by.

    Raises ReplyError when the server refuses MONITOR.
    """
    line.send(("MONITOR",))
    first = line.read(5.0)
    if isinstance(first, Problem):
        raise ReplyError(first.decode("utf-8", "replace"))
    until = monotonic() + seconds
    rest = line.rest() if first is not NOTHING else b""
    while (left := until - monotonic()) > 0:
        data = line.receive(min(left, BLINK))
        lines = (rest + data).split(b"\r\n") if data else [rest]
        rest = lines.pop()
        yield lines
