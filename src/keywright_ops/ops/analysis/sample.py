"""A quick look: keys at random places of the hash table, and how far their shares may be off.

A SCAN from a random cursor begins at a random bucket, and which keys lie together in one is chance: so
every key is as likely to be read as any other. Cursors that no SCAN gave are taken by every version
(they are masked to the table's size).
"""

import os
from collections.abc import Callable, Iterator
from math import sqrt

from keywright.errors import ReplyError
from keywright.wire import Wire
from keywright_ops.ops.analysis.pages import DONE, Frames, Page

PROBE = 10  # keys a probe: the places are spread, and a probe costs the server microseconds
PROBES = 20  # probes in one write
CERTAIN = 1.96  # standard deviations: 19 times of 20
CURSOR_BYTES = 6  # 2^48 buckets: more than any table has


def sampled(
    wire: Wire, wanted: int, frames: Frames, matches: Callable[[bytes], object] | None
) -> Iterator[tuple[int, Page]]:
    """Yield how many keys were looked at, and the page of those that match (None: all).

    `wanted` keys in all or what there is; from random places, no key twice.
    """
    each = len(frames.commands)
    seen: set[bytes] = set()
    tries = 4 * (wanted // (PROBE * PROBES) + 2)
    while len(seen) < wanted and tries:
        tries -= 1
        probes = [("SCAN", _somewhere(), "COUNT", PROBE) for _ in range(PROBES)]
        found: dict[bytes, None] = {}
        for reply in wire.batch(probes):
            if isinstance(reply, ReplyError):
                raise reply
            found.update(dict.fromkeys(reply[1]))
        keys = [key for key in found if key not in seen][: wanted - len(seen)]
        seen.update(keys)
        page = [key for key in keys if matches(key)] if matches else keys
        wire.send(frames.ask(page))
        yield len(keys), Page(page, wire.receive(each * len(page)), DONE)


def _somewhere() -> int:
    return int.from_bytes(os.urandom(CURSOR_BYTES), "little")


def margin(share: float, read: int, of: int) -> float:
    """Return how far a share (0 to 1) of a sample may be off, 19 times of 20: half of Wilson's interval.

    Never zero while there are keys that were not read: of what was not seen there may be some.
    """
    if read <= 0 or read >= of:
        return 0.0 if read else 1.0
    z2 = CERTAIN**2
    spread = share * (1 - share) / read + z2 / (4 * read * read)
    unread = sqrt((of - read) / max(1, of - 1))
    return CERTAIN * sqrt(spread) / (1 + z2 / read) * unread


def estimate(part: int, read: int, of: int) -> int:
    """Return how many of all there are, by a part of the sample."""
    return round(part * of / read) if read else 0
