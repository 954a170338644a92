"""Which node of a cluster a command goes to, and when it is to be sent once more: pure.

A batch is cut by node, each part in order; a transaction stays whole, at the node of its first key.
"""

from collections.abc import Sequence
from typing import NamedTuple

from keywright.errors import ReplyError
from keywright.flows import Reply, Word, Words
from keywright.talkers.replies import whole

ROUNDS = 8  # times that a batch is sent while the cluster moves its slots
FIRST_WAIT, LONGEST_WAIT = 0.02, 0.5  # seconds between two of them
# What a node says that did nothing: the slot is elsewhere, on its way, or served by nobody now.
ELSEWHERE = ("MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN")
_COUNTED = ("EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO")
_KEYLESS = (
    "PING", "MULTI", "EXEC", "INFO", "CLIENT", "SCRIPT", "HELLO", "TIME", "DBSIZE", "CONFIG", "ECHO",
    "ACL", "CLUSTER", "COMMAND", "FUNCTION", "LATENCY", "SLOWLOG", "WAIT", "DISCARD", "ROLE",
)  # fmt: skip


class Part(NamedTuple):
    """Some commands of a batch (their places in it) that go to one node: that of `key`."""

    key: Word | None
    places: list[int]


def key_of(words: Words) -> Word | None:
    """The first key of a command, None when it has none."""
    name = words[0].decode() if isinstance(words[0], bytes) else str(words[0])
    name = name.upper()
    if name in _COUNTED:
        return words[3] if len(words) > 3 and int(words[2]) > 0 else None
    if name in _KEYLESS or len(words) < 2:
        return None
    return words[1]


def parts_of(commands: Sequence[Words], places: Sequence[int], slot_of: object) -> list[Part]:
    """Cut a batch: one part for each slot, in the order of their first commands."""
    if whole(commands):
        keys = [key for key in map(key_of, commands) if key is not None]
        return [Part(keys[0] if keys else None, list(places))]
    parts: dict[object, Part] = {}
    for place in places:
        key = key_of(commands[place])
        slot = slot_of(key) if key is not None and callable(slot_of) else None
        parts.setdefault(slot, Part(key, [])).places.append(place)
    return list(parts.values())


def again(commands: Sequence[Words], places: Sequence[int], replies: Sequence[Reply]) -> list[int]:
    """The places of the batch whose commands did nothing and are to be sent once more."""
    moved = [
        place for place in places
        if isinstance(replies[place], ReplyError) and replies[place].code in ELSEWHERE
    ]  # fmt: skip
    return list(range(len(commands))) if moved and whole(commands) else moved


def asked_of(reply: Reply) -> tuple[str, int] | None:
    """The node that an ASK names (`ASK slot host:port`), None for other replies."""
    if not isinstance(reply, ReplyError) or reply.code != "ASK":
        return None
    host, _, port = str(reply).rpartition(" ")[2].rpartition(":")
    return host, int(port)
