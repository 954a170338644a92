"""What is stored of a session, and how it is read back.

    k1 <version: 12 hex digits> <created: Unix seconds, 10 digits> <JSON list: user, address, agent>
    <payload>

The head stands before the payload so that a version is compared, and sessions are listed, without
reading the payload. A value without this head was written by something else (the guide's own
`session:abc-123`): it is read as the payload alone, and written back with a head.
"""

from abc import abstractmethod
from collections.abc import Iterator, MutableMapping
from hashlib import sha256
from json import dumps, loads
from typing import Any, NamedTuple

from keywright.errors import SessionUnreadable

MARK = b"k1 "
VERSION, CREATED = slice(3, 15), slice(16, 26)  # where they stand in a stored value
META = 27  # where the list begins
LONGEST = 256  # characters of an agent or address that are kept

Data = dict[str, Any]


class OverData(MutableMapping[str, Any]):
    """A mapping whose content is the dict `data`."""

    __slots__ = ()

    @property
    @abstractmethod
    def data(self) -> Data:
        """The dict itself."""

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


class Session(OverData):
    """One visitor's session: a mapping of what the application keeps, and who it belongs to.

    `data` is the dict itself. `created` is Unix seconds (0 for a value of another program).
    `user`, `address` and `agent` are what `create` was given. `repr` shows no id and no data.
    """

    __slots__ = ("body", "created", "data", "head", "id")
    data: Data

    def __init__(self, id: str, data: Data, created: int, head: bytes, body: bytes | None) -> None:
        self.id, self.data, self.created = id, data, created
        self.head = head  # of the stored value that `data` came from, "" when there was none
        self.body = body  # its payload as it was loaded; None when never stored

    @property
    def version(self) -> bytes:
        """The version of the stored value that `data` came from, b"" when it had none."""
        return self.head[VERSION]

    @property
    def user(self) -> str:
        """The user it belongs to, "" for nobody yet."""
        return parts(self.head)[0]

    @property
    def address(self) -> str:
        """The address of the client that began it."""
        return parts(self.head)[1]

    @property
    def agent(self) -> str:
        """The program of the client that began it."""
        return parts(self.head)[2]

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


def made_head(version: bytes, created: int, user: str, address: str, agent: str) -> bytes:
    """The first line of a value, without its line break."""
    meta = b""
    if user or address or agent:
        meta = dumps([user, address[:LONGEST], agent[:LONGEST]], separators=(",", ":")).encode()
    return b"k1 %b %010d %b" % (version, created, meta)


def renewed(head: bytes, version: bytes) -> bytes:
    """The same head with another version."""
    return MARK + version + head[VERSION.stop :]


def parts(head: bytes) -> tuple[str, str, str]:
    """User, address and agent of a head. Raises SessionUnreadable when it is not whole."""
    if len(head) <= META:
        return "", "", ""
    try:
        user, address, agent = loads(head[META:])
    except ValueError:
        raise torn() from None
    return user, address, agent


def torn() -> SessionUnreadable:
    """What to say of a value that begins as ours do and is not whole."""
    return SessionUnreadable(
        "a stored session begins as ours do and is not whole", "was its value edited by hand?"
    )
