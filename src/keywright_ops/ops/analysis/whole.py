"""A whole pass over a keyspace: every page is added up, and may be the last for now."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from keywright.errors import ReplyError
from keywright.wire import Wire
from keywright_ops.ops.analysis.pages import DONE, Page, Scan, at_full_speed, paced
from keywright_ops.ops.analysis.tally import LASTING, Big, Tally

if TYPE_CHECKING:
    from keywright_ops.facts.rdb.reader import Entry

PLAIN = frozenset((bytes, int))
GONE = b"none"
SAMPLES = 50  # elements of a biggest key that are weighed: all of them (0) can block for a second
BATCH = 1000  # entries of a file that are added up at once
SLOTS = 16384

Watch = Callable[[bytes], bool]  # told after every page from where it would go on; True: stop here


def read_whole(
    wire: Wire, scan: Scan, tally: Tally, cursor: bytes, share: float | None, watch: Watch
) -> bytes:
    """Add up the pages from a cursor on; return from where it would go on (b"0": all was read).

    `share` is the part of the server's time that it may take; None is full speed. After a stop the
    wire is of no use any more: close it.
    """
    each = len(scan.frames.commands)
    pages = at_full_speed(wire, scan, cursor) if share is None else paced(wire, scan, cursor, share)
    for page in pages:
        add(tally, page, each)
        cursor = page.cursor
        if watch(cursor) and cursor != DONE:
            break
    return cursor


def add(tally: Tally, page: Page, each: int) -> None:
    """Add one page, asked `each` questions a key. Raises a ReplyError that is not about one key."""
    keys, replies = page.keys, page.replies
    if not PLAIN.issuperset(map(type, replies)) or GONE in replies[::each]:
        keys, replies = _answered(tally, keys, replies, each)
    tally.feed(keys, replies[::each], replies[1::each], replies[2::each])
    if each > 3:
        for name, count in Counter(replies[3::each]).items():
            text = name.decode("latin-1")
            tally.encodings[text] = tally.encodings.get(text, 0) + count


def _answered(
    tally: Tally, keys: Sequence[bytes], replies: Sequence[Any], each: int
) -> tuple[list[bytes], list[Any]]:
    """Leave out the keys that have ended meanwhile, and those that the user may not see."""
    stay: list[bytes] = []
    answers: list[Any] = []
    for number, key in enumerate(keys):
        answer = replies[number * each : (number + 1) * each]
        refusal = next((one for one in answer if isinstance(one, ReplyError)), None)
        if refusal is not None:
            if refusal.code != "NOPERM" or "access" not in str(refusal):
                raise refusal
            tally.hidden += 1
        elif None in answer or answer[0] == GONE:
            tally.vanished += 1
        else:
            stay.append(key)
            answers.extend(answer)
    return stay, answers


def weighed_again(wire: Wire, biggest: Sequence[Big]) -> list[Big]:
    """Return the biggest keys, measured more exactly; one that has gone meanwhile as it was."""
    asked = [("MEMORY", "USAGE", big.key, "SAMPLES", SAMPLES) for big in biggest]
    sizes = wire.batch(asked) if asked else []
    found = (
        big._replace(size=size) if isinstance(size, int) else big
        for big, size in zip(biggest, sizes, strict=True)
    )
    return sorted(found, reverse=True)


def fraction(cursor: bytes, cluster: bool) -> float:
    """Return how far a SCAN is that goes on from this cursor: it counts with its bits reversed.

    In a cluster the slot stands in the lowest 14 bits, and slots are gone through in turn.
    """
    number = int(cursor)
    if cluster:
        return (number & (SLOTS - 1)) / SLOTS
    return int(f"{number:064b}"[::-1], 2) / 2.0**64


def add_entries(
    tally: Tally, entries: "Iterable[Entry]", taken: int, watch: Callable[[int], bool]
) -> bool:
    """Add up what an RDB file holds, TTLs as seen at `taken` (milliseconds since 1970).

    `watch` is told the octets so far; True stops. Return whether all was read.
    """
    entries = iter(entries)
    while batch := list(islice(entries, BATCH)):
        _, keys, kinds, ends, sizes, *_ = zip(*batch, strict=True)
        ttls = [LASTING if end is None else max(0, end - taken) for end in ends]
        tally.feed(keys, kinds, ttls, sizes)
        if watch(tally.size):
            return False
    return True
