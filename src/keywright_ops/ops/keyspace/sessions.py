"""Which keys are sessions, and what they say: the library's own, and the guide's bare `session:abc-123`.

Pure. A session's id opens the session, so people are shown its mark (eight digits that open nothing).
"""

import json
from typing import NamedTuple

from keywright.errors import SessionUnreadable
from keywright.sessions.record import CREATED, MARK, fingerprint, parts

BARE = b"session:"
HEAD = 4096  # bytes of a value that are read: the head, or a small value whole
USER_FIELDS = ("user_id", "user", "username", "email", "userId", "uid")


class SessionRow(NamedTuple):
    """One session: `created` Unix seconds (0: not known), `pttl` ms (-1: never ends), `size` bytes of memory.

    `user` is "" for nobody, None where it cannot be read. `bare` is one without the cache's prefix.
    """

    key: bytes
    id: str
    bare: bool
    user: str | None
    created: int
    pttl: int
    size: int | None

    @property
    def mark(self) -> str:
        """Eight digits that tell sessions apart and open none."""
        return fingerprint(self.id)


def id_of(key: bytes, prefix: bytes) -> tuple[str, bool] | None:
    """The id in a key's name, and whether it is a bare one; None for another key."""
    for begins, bare in ((prefix + BARE, not prefix), (BARE, True)):
        if key.startswith(begins) and len(key) > len(begins):
            return key[len(begins) :].decode("utf-8", "surrogateescape"), bare
    return None


def parse_head(value: bytes | None) -> tuple[str | None, int]:
    """The user and the time of creation that the beginning of a value tells."""
    if value is None:
        return None, 0
    if value[:3] == MARK:
        try:
            return parts(value.partition(b"\n")[0])[0], int(value[CREATED])
        except (SessionUnreadable, ValueError):
            return None, 0
    try:
        data = json.loads(value)
    except (ValueError, RecursionError):
        return None, 0
    if not isinstance(data, dict):
        return None, 0
    user = next((data[each] for each in USER_FIELDS if data.get(each) not in (None, "")), "")
    return str(user) if isinstance(user, (str, int)) else "", 0
