"""Reads RESP and keeps what hiredis drops: that OK was a status and "OK" a value.

Pure: bytes go in, replies come out; half a reply waits for its rest.
"""

from collections.abc import Generator, Iterable
from typing import Any

from keywright.errors import ProtocolError

Reply = Any  # RESP is recursive: Status | Problem | bytes | int | bool | None | list of Reply
NOTHING = object()  # no whole reply is there yet


class Status(bytes):
    """A simple string: OK, QUEUED, a line of MONITOR."""


class Problem(bytes):
    """An error reply: its code and sentence."""


class Number(bytes):
    """A floating point or a big number of RESP3, as the server wrote it."""


class Verbatim(bytes):
    """A text of RESP3 that is to be shown as it is."""


class Pairs(list[Any]):
    """A map of RESP3: name, value, name, value …"""


class Members(list[Any]):
    """A set of RESP3."""


class Push(list[Any]):
    """What a RESP3 server says without being asked."""


_LISTS = {b"*": list, b"%": Pairs, b"~": Members, b">": Push}
_TEXTS = {b"+": Status, b"-": Problem, b",": Number, b"(": Number}


class Replies:
    """The replies of one connection: `feed` what was received, `next` gives one or NOTHING."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._at = 0
        self._reading: Generator[None, None, Reply] | None = None

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._data += data

    def rest(self) -> bytes:
        """Take out what was fed and not read yet."""
        data, self._data, self._at = bytes(self._data), bytearray(), 0
        return data

    def next(self) -> Reply:
        """Return the next whole reply, NOTHING when it is not all there. Raises ProtocolError."""
        if self._reading is None:
            if not self._data:
                return NOTHING
            self._reading = self._reply()
        try:
            next(self._reading)
        except StopIteration as end:
            del self._data[: self._at]
            self._at, self._reading = 0, None
            return end.value
        except ValueError:  # a length that is no number
            raise ProtocolError("this is not the Redis protocol") from None
        return NOTHING

    def _reply(self) -> Generator[None, None, Reply]:
        """Read one reply from where we are; yields while bytes are missing."""
        while (end := self._data.find(b"\r\n", self._at)) < 0:
            yield
        kind, told = (
            bytes(self._data[self._at : self._at + 1]),
            bytes(self._data[self._at + 1 : end]),
        )
        self._at = end + 2
        if kind in _TEXTS:
            return _TEXTS[kind](told)
        if kind == b":":
            return int(told)
        if kind == b"_":
            return None
        if kind == b"#":
            return told == b"t"
        length = int(told)
        if kind in (b"$", b"=", b"!"):
            return (yield from self._text(kind, length))
        if kind == b"|":  # attributes stand before the reply that they describe
            for _ in range(2 * length):
                yield from self._reply()
            return (yield from self._reply())
        if kind not in _LISTS:
            raise ValueError
        if length < 0:
            return None
        found: list[Reply] = _LISTS[kind]()
        for _ in range(length * 2 if kind == b"%" else length):
            found.append((yield from self._reply()))
        return found

    def _text(self, kind: bytes, length: int) -> Generator[None, None, bytes | None]:
        """Read a text of so many bytes; -1 is no text at all."""
        if length < 0:
            return None
        while len(self._data) < self._at + length + 2:
            yield
        text = bytes(self._data[self._at : self._at + length])
        self._at += length + 2
        if kind == b"=":
            return Verbatim(text[4:])  # txt: or mkd: stands before it
        return Problem(text) if kind == b"!" else text


def parse_replies(data: Iterable[bytes]) -> list[Reply]:
    """Return every whole reply in the pieces of a stream."""
    replies, found = Replies(), []
    for piece in data:
        replies.feed(piece)
        while (reply := replies.next()) is not NOTHING:
            found.append(reply)
    return found
