"""What is stored of a session, and how it is read back.

    k1 <version: 12 hex digits> <created: Unix seconds> <JSON list: user, address, agent>\\n<payload>

The head stands before the payload so that a version is compared, and sessions are listed, without
reading the payload. A value without this head was written by something else (the guide's own
`session:abc-123`): it is read as the payload alone, and written back with a head.
"""

from collections.abc import Iterator, MutableMapping
from hashlib import sha256
from json import dumps, loads
from typing import Any, NamedTuple

from keywright.errors import SessionUnreadable

MARK = b"k1 "
VERSION = slice(3, 15)  # where the version stands in a stored value
LONGEST = 256  # characters of an agent or address that are kept

Data = dict[str, Any]


class Session(MutableMapping[str, Any]):
    """One visitor's session: a mapping of what the application keeps, and who it belongs to.

    `data` is the dict itself. `created` is Unix seconds (0 for a value of another program).
    `user`, `address` and `agent` are what `create` was given. `repr` shows no id and no data.
    """

    __slots__ = ("body", "created", "data", "id", "meta", "version")

    def __init__(
        self, id: str, data: Data, created: int, version: bytes, meta: bytes, body: bytes | None
    ) -> None:
        self.id, self.data, self.created = id, data, created
        self.version = version  # of the stored value that `data` came from
        self.body = body  # its payload as it was loaded; None when never stored
        self.meta = meta  # user, address and agent as they are stored

    @property
    def user(self) -> str:
        """The user it belongs to, "" for nobody yet."""
        return self._parts()[0]

    @property
    def address(self) -> str:
        """The address of the client that began it."""
        return self._parts()[1]

    @property
    def agent(self) -> str:
        """The program of the client that began it."""
        return self._parts()[2]

    def belongs_to(self, user: str) -> None:
        """Say whose it is from the next save on; `rotate(session, user=…)` is what a login wants."""
        self.meta = packed_meta(user, self.address, self.agent)

    def _parts(self) -> tuple[str, str, str]:
        if not self.meta:
            return "", "", ""
        user, address, agent = loads(self.meta)
        return user, address, agent

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.data[key] = value

    def __delitem__(self, key: str) -> None:
        del self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return True  # an empty session is a session

    def __repr__(self) -> str:
        return f"<Session {fingerprint(self.id)} with {len(self.data)} keys>"


class SessionInfo(NamedTuple):
    """A row of `list`: times are Unix seconds; `id` is a key to the session, so show `mark` instead.

    `last_seen` is when it was loaded or saved last (None without sliding), `ends` when it expires if
    nobody comes.
    """

    id: str
    created: int
    last_seen: float | None
    ends: float
    user: str
    address: str
    agent: str

    @property
    def mark(self) -> str:
        """Eight digits that tell sessions apart and open none."""
        return fingerprint(self.id)

    def __repr__(self) -> str:
        return f"<SessionInfo {self.mark} created={self.created}>"


def fingerprint(id: str) -> str:
    """Eight hex digits by which a log may name a session."""
    return sha256(id.encode()).hexdigest()[:8]


def packed_meta(user: str, address: str, agent: str) -> bytes:
    """The last part of the head."""
    if not (user or address or agent):
        return b""
    parts = [user, address[:LONGEST], agent[:LONGEST]]
    return dumps(parts, separators=(",", ":")).encode()


def packed(version: bytes, created: int, meta: bytes, body: bytes) -> bytes:
    """The value to store."""
    return b"k1 %b %d %b\n%b" % (version, created, meta, body)


def split(value: bytes) -> tuple[bytes, int, bytes, bytes]:
    """Take a stored value apart: version, created, meta, payload.

    Raises SessionUnreadable when it has our mark and is not whole.
    """
    if value[:3] != MARK:
        return b"", 0, b"", value
    head, _, body = value.partition(b"\n")
    try:
        _, version, created, meta = head.split(b" ", 3)
        return version, int(created), meta, body
    except ValueError:
        raise SessionUnreadable(
            "a stored session begins as ours do and is not whole", "was its value edited by hand?"
        ) from None
