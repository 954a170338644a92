"""One connection that speaks RESP: words out, replies in, nothing decided.

Rule 1: a wire belongs to one process and one thread; it is closed as soon as a reply cannot be
matched to its command (time-out, broken line, rubbish).
Rule 2: commands that change what a connection is (SUBSCRIBE, blocking reads) do not belong on it.
"""

import socket
import struct
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import hiredis

from keywright.endpoint import Endpoint, Tls
from keywright.errors import (
    ConnectionLost,
    KeywrightError,
    ProtocolError,
    ReplyError,
    TimedOut,
    Unreachable,
)
from keywright.secret import Secret

if TYPE_CHECKING:  # loaded only for an endpoint with a relay: it needs subprocess
    from keywright.relay import Relay

Word = str | bytes | int | float | Secret
Reply = Any  # RESP is recursive: str | int | None | ReplyError | list of Reply

CHUNK = 16384  # octets read at once


class Wire:
    """A connection to `endpoint`, logged in; texts come back as str (bytes that are not UTF-8 as
    surrogates), or as bytes when `raw`. `link` is its socket, for whoever goes on by their own means.

    Raises Unreachable when nobody answers, ReplyError when the login is refused, ProtocolError
    when the peer does not speak RESP.
    """

    def __init__(self, endpoint: Endpoint, name: str = "", *, raw: bool = False) -> None:
        self.endpoint = endpoint
        self._reader = reader(raw)
        self._answered = False
        self._relay = _start(endpoint)
        try:
            self.link = _connect(endpoint, self._relay)
            self._greet(name)
        except BaseException:
            self.close()
            raise

    def _greet(self, name: str) -> None:
        """AUTH when there is a password, a name in CLIENT LIST, the database: one round trip."""
        commands = greeting(self.endpoint, name)
        if commands:
            welcome(commands, self.batch(commands))

    def call(self, *words: Word) -> Reply:
        """Send one command and return its reply; raises ReplyError if the server refuses it."""
        reply = self.batch([words])[0]
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def batch(self, commands: Iterable[Sequence[Word]]) -> list[Reply]:
        """Send several commands in one write; errors stand in the list as ReplyError values."""
        packed = [pack(words) for words in commands]
        return self.exchange(b"".join(packed), len(packed))

    def exchange(self, packed: bytes, count: int, *, more: bool = False) -> list[Reply]:
        """Send what is packed already, and return the next `count` replies as `batch` does.

        `more`: replies to other commands of ours are still to come, so some may be read before all.
        """
        replies: list[Reply] = []
        try:
            if packed:
                self.link.sendall(packed)
            if count == 1 and not more:  # the usual case: no look before anything can have come
                replies.append(self._awaited())
            else:
                gets = self._reader.gets
                for _ in range(count):
                    reply = gets()
                    replies.append(self._awaited() if reply is False else reply)
            if not more and self._reader.has_data():  # a reply that nobody asked for
                raise ProtocolError("")
        except (TimeoutError, BlockingIOError):  # the second is what SO_RCVTIMEO says
            self.close()
            raise timed_out(self.endpoint) from None
        except OSError as error:
            refusal = replies[-1] if replies and not self._answered else None
            if isinstance(refusal, ReplyError):  # it said why (protected mode, too many clients)
                self.close()
                raise refusal from None
            if self._relay is not None:
                raise self._ended(self._relay) from None
            self.close()
            if isinstance(error, Unreachable):
                raise
            raise ConnectionLost(
                f"the connection to {self.endpoint.address} broke: {error.strerror}"
            ) from None
        except ProtocolError:
            self.close()
            raise not_resp(self.endpoint) from None
        self._answered = True
        return replies

    def hung_up(self) -> bool:
        """Whether the peer closed an idle connection, or said something that nobody asked for."""
        if self._relay is None and self.endpoint.tls is None:
            try:
                self.link.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except OSError:
                pass
            return True
        from select import select

        return bool(select([self.link], [], [], 0)[0])

    def _ended(self, relay: "Relay") -> Unreachable:
        """What to say of a relay that hung up: before the first answer, it never got there."""
        said = relay.last_words()
        self.close()
        if self._answered:
            why = f": {said}" if said else ""
            return ConnectionLost(f"the connection to {self.endpoint.address} broke{why}")
        return never_there(self.endpoint, said)

    def _awaited(self) -> Reply:
        reader, recv = self._reader, self.link.recv
        while True:
            data = recv(CHUNK)
            if not data:
                raise ConnectionLost(f"{self.endpoint.address} closed the connection")
            reader.feed(data)
            reply = reader.gets()
            if reply is not False:
                return reply

    def close(self) -> None:
        """Close the connection, and end its relay; closing twice is fine."""
        link = getattr(self, "link", None)  # None while connecting
        if link is not None:
            link.close()
        if self._relay is not None:
            self._relay.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def reader(raw: bool, nothing: object = False) -> hiredis.Reader:
    """A parser of replies whose errors are ours; `nothing` is what it says of half a reply."""
    if raw:
        return hiredis.Reader(
            protocolError=ProtocolError, replyError=ReplyError, notEnoughData=nothing
        )
    return hiredis.Reader(
        protocolError=ProtocolError,
        replyError=ReplyError,
        encoding="utf-8",
        errors="surrogateescape",
    )


def greeting(endpoint: Endpoint, name: str) -> list[Sequence[Word]]:
    """The commands that begin a connection: who we are, what we are called, which database."""
    commands: list[Sequence[Word]] = []
    if endpoint.password is not None:
        commands.append(("AUTH", endpoint.username or "default", endpoint.password))
    if name:
        commands.append(("CLIENT", "SETNAME", name))
    if endpoint.database:
        commands.append(("SELECT", endpoint.database))
    return commands


def welcome(commands: Sequence[Sequence[Word]], replies: Sequence[Reply]) -> None:
    """Look at the replies to a greeting: a refused name is no harm. Raises ReplyError otherwise."""
    for words, reply in zip(commands, replies, strict=True):
        if isinstance(reply, ReplyError) and words[0] != "CLIENT":
            raise reply


def timed_out(endpoint: Endpoint) -> TimedOut:
    """What to say of a server that did not answer in time."""
    return TimedOut(
        f"{endpoint.address} did not answer within {endpoint.timeout:g} s",
        "is the server busy, stopped (SIGSTOP) or behind a firewall that drops?",
    )


def not_resp(endpoint: Endpoint) -> ProtocolError:
    """What to say of a peer that is something else."""
    return ProtocolError(
        f"{endpoint.address} does not speak the Redis protocol",
        "is this another service's port, or does one side expect TLS?",
    )


def pack(words: Sequence[Word]) -> bytes:
    """One command as RESP; a Secret is revealed here and nowhere earlier."""
    # hiredis' stub says a tuple of one word; it takes any number
    packed: bytes = hiredis.pack_command(tuple(map(_plain, words)))  # type: ignore[arg-type]
    return packed


def _plain(word: Word) -> bytes | int | float:
    if isinstance(word, Secret):
        word = word.reveal()
    return word.encode("utf-8", "surrogateescape") if isinstance(word, str) else word


def _start(endpoint: Endpoint) -> "Relay | None":
    """Start the endpoint's relay, if it has one."""
    if not endpoint.relay:
        return None
    from keywright.relay import Relay  # subprocess: only for those who use it

    return Relay(endpoint.relay)


def never_there(endpoint: Endpoint, said: str) -> Unreachable:
    """What to say of a relay that ended before the server's first answer."""
    program = endpoint.relay[0].rpartition("/")[2]
    why = f"{program} said: {said}" if said else f"{program} ended without a word"
    return Unreachable(f"cannot reach {endpoint.address}: {why}", "is the server running there?")


def _connect(endpoint: Endpoint, relay: "Relay | None") -> socket.socket:
    """Open the socket. Raises Unreachable with what a person can do about it."""
    try:
        if relay is not None:
            link = relay.link
        elif endpoint.unix_path:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            link.settimeout(endpoint.connect_timeout)
            link.connect(endpoint.unix_path)
        else:
            place = (_host(endpoint.host), endpoint.port)
            # typeshed knows only str here; the socket module takes bytes as well
            link = socket.create_connection(place, endpoint.connect_timeout)  # type: ignore[arg-type]
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if endpoint.tls is not None:
            return _wrap(link, endpoint.host, endpoint.tls, endpoint.timeout)
    except OSError as error:
        # ssl's refusal of a certificate is a ValueError too: then the relay did its part, and got there
        refused = isinstance(error, ValueError)
        said = relay.last_words() if relay is not None and not refused else ""
        if said:
            raise never_there(endpoint, said) from None
        raise not_reached(endpoint, error) from None
    _limit(link, endpoint.timeout)
    return link


def not_reached(endpoint: Endpoint, error: OSError) -> KeywrightError:
    """What to say of a connection that did not come to be."""
    from keywright.explain import explained  # only for those who fail
    from keywright.surroundings import in_container

    return explained(error, endpoint, in_container=in_container())


def _host(host: str) -> str | bytes:
    """ASCII as bytes: a str would load Python's IDNA tables first (3 ms)."""
    return host.encode() if host.isascii() else host


def _limit(link: socket.socket, seconds: float) -> None:
    """Kernel time-outs: two system calls an exchange instead of four (a poll before each)."""
    link.settimeout(None)
    whole = int(seconds)
    timeval = struct.pack("ll", whole, int((seconds - whole) * 1_000_000))
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)


def _wrap(link: socket.socket, host: str, tls: Tls, timeout: float) -> socket.socket:
    """TLS over the socket; Python's TLS ignores kernel time-outs, so settimeout serves here."""
    link.settimeout(timeout)
    from keywright.tls import ssl_context  # 13 ms: only for those who use it

    return ssl_context(tls).wrap_socket(link, server_hostname=host)
