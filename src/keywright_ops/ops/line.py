"""A connection for what a person types: replies keep their kinds, waiting and streaming are allowed.

It begins as a Wire (logged in, in its database) and takes over the socket.
"""

import socket
import struct
from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from typing import NoReturn, Self

from keywright.errors import ConnectionLost, ProtocolError
from keywright.wire import Wire, Word, not_resp, pack, timed_out
from keywright_ops.facts.replies import NOTHING, Push, Replies, Reply

CHUNK = 65536  # octets read at once


class Line:
    """A logged-in connection; close it, or use it as a context manager."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._link = wire.link
        for kind in (
            socket.SO_RCVTIMEO,
            socket.SO_SNDTIMEO,
        ):  # waiting is ours to end, not the kernel's
            self._link.setsockopt(socket.SOL_SOCKET, kind, struct.pack("ll", 0, 0))
        self._replies = Replies()

    def ask(self, words: Sequence[Word], seconds: float | None) -> Reply:
        """Send one command and return its reply; None waits for as long as it takes.

        Raises TimedOut, ConnectionLost, ProtocolError; the connection is closed then.
        """
        self.send(words)
        reply = self.read(seconds)
        while isinstance(reply, Push):  # nobody asked for that one
            reply = self.read(seconds)
        if reply is NOTHING:
            self.close()
            raise timed_out(self._wire.endpoint._replace(timeout=seconds or 0))
        return reply

    def send(self, words: Sequence[Word]) -> None:
        """Send one command and wait for nothing."""
        try:
            self._link.settimeout(self._wire.endpoint.timeout)
            self._link.sendall(pack(words))
        except OSError:
            self._lost()

    def read(self, seconds: float | None) -> Reply:
        """Return the next reply, NOTHING when none came in so many seconds (the connection stays)."""
        until = None if seconds is None else monotonic() + seconds
        try:
            while (reply := self._replies.next()) is NOTHING:
                left = None if until is None else until - monotonic()
                data = self.receive(left)
                if not data:
                    return NOTHING
                self._replies.feed(data)
        except ProtocolError:
            self.close()
            raise not_resp(self._wire.endpoint) from None
        return reply

    def receive(self, seconds: float | None) -> bytes:
        """Return what the server sent, b"" when that was nothing in so many seconds."""
        if seconds is not None and seconds <= 0:
            return b""
        try:
            self._link.settimeout(seconds)
            data = self._link.recv(CHUNK)
        except TimeoutError:
            return b""
        except OSError:
            self._lost()
        if not data:
            self._lost()
        return data

    def rest(self) -> bytes:
        """Return what was received and not read yet, for whoever goes on by lines."""
        return self._replies.rest()

    def _lost(self) -> NoReturn:
        self.close()
        raise ConnectionLost(
            f"{self._wire.endpoint.address} closed the connection",
            "did the server end or restart? `keywright status` tells",
        )

    def hung_up(self) -> bool:
        """Whether the server closed an idle connection."""
        self._link.settimeout(None)  # with one, the wire's look at the socket would wait
        return self._wire.hung_up()

    def close(self) -> None:
        """Hang up; a command that is under way is answered to nobody."""
        try:
            self._link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
