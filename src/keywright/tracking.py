"""Values of hot keys kept in this process, and dropped when the server says that they changed.

A thread holds a connection of its own in RESP3 with CLIENT TRACKING ON BCAST for one prefix: the server
pushes the name of every key of that prefix that is written, deleted, expired or evicted, by whomever.
Works on Redis 6 and newer and on Valkey, over TCP, TLS and unix sockets, for threads and asyncio.

What is guaranteed: a value is held only if no push about its key came between asking and storing; what
was pushed is honoured as soon as the thread has read it (`settle` waits for that); what this process
wrote itself is not held from the moment the write was acknowledged. When the connection breaks, or does not
answer PING well, nothing is held until another stands; so a network that swallows pushes is noticed within
BEAT + the endpoint's time-out.

Cost for the server: every write of the prefix is told to every process that tracks it, EXPIRE and GETEX EX
too, so whoever slides a TTL must do so seldom (`refresh_every`).
"""

import socket
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import hiredis

from keywright.endpoint import Endpoint
from keywright.errors import ConnectionLost, ReplyError
from keywright.forks import begin_anew_in_a_child
from keywright.places import resolved
from keywright.wire import CHUNK, Wire

BEAT = 1.0  # seconds between two looks at ages, and two PINGs when nothing was pushed
AGAIN = 0.5  # seconds before a connection that could not be made is tried again


class Listening(Wire):
    """A connection on which the server speaks unasked."""

    def __init__(self, endpoint: Endpoint, prefix: str) -> None:
        super().__init__(endpoint._replace(timeout=BEAT), "keywright:tracking", raw=True)
        tracking = ("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix)
        try:
            for reply in self.batch([("HELLO", 3), tracking]):
                if isinstance(reply, ReplyError):
                    raise reply
        except BaseException:
            self.close()
            raise

    def say(self, *words: str | int) -> None:
        """Send a command without waiting for its reply."""
        self.link.sendall(hiredis.pack_command(words))  # type: ignore[arg-type]

    def hear(self) -> Any:
        """Return the next push or reply; None when none came for a BEAT. Raises ConnectionLost."""
        reply = self._reader.gets()
        while reply is False:
            try:
                data = self.link.recv(CHUNK)
            except (TimeoutError, BlockingIOError):
                return None
            if not data:
                raise ConnectionLost("the server ended the connection of its pushes")
            self._reader.feed(data)
            reply = self._reader.gets()
        return reply

    def hang_up(self) -> None:
        """End the connection under a thread that listens."""
        try:
            self.link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class LocalCache:
    """Values by key for `prefix`; a hit is one dict lookup and costs no command.

    `max_age` (seconds) is the longest that a value is held, whatever the server says; `entries` the
    most values held, the oldest go first. `refresh_every` (seconds) after `refreshed(key)` its value is
    dropped, so that whoever reads it next refreshes its time on the server.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        prefix: str,
        *,
        max_age: float = 60.0,
        entries: int = 10_000,
        refresh_every: float = 60.0,
    ) -> None:
        self._endpoint, self._prefix = endpoint, prefix
        self._max_age, self._entries, self._refresh_every = max_age, entries, refresh_every
        self.closed = False
        self.begin()
        begin_anew_in_a_child(self)

    def begin(self) -> None:
        """Nothing held and no connection; also where a fork's child starts."""
        self._held: dict[str, Any] = {}
        self.get: Callable[[str], Any] = self._held.get  # the value, or None when it is not held
        self._since: dict[str, float] = {}  # when each was stored
        self._asked: dict[str, object] = {}  # by key: who asks the server for it now
        self._refreshed: dict[str, float] = {}  # until when a key needs no refresh
        self._change = threading.RLock()
        self._live = False
        self._wanted = self._settled = (
            0  # the last PING that somebody waits for, and that was answered
        )
        self._silent, self._next_look = 0, 0.0
        self._ready = threading.Event()
        self._answered = threading.Condition()
        self._wire: Listening | None = None
        self._thread: threading.Thread | None = None

    # --- keeping ----------------------------------------------------------------------------------

    def reserve(self, key: str) -> object | None:
        """Say that the server is about to be asked for `key`; give the result to `put`.

        None when nothing can be held now (no connection); the first call starts it.
        """
        if not self._live:
            self._start()
            return None
        token = object()
        self._asked[key] = token
        return token

    def put(self, key: str, value: object, token: object | None) -> bool:
        """Hold what the server said (None: nothing), unless the key was written since `reserve`."""
        if token is None:
            return False
        with self._change:
            if self._asked.get(key) is not token:
                return False
            del self._asked[key]
            if value is None or not self._live:
                return False
            if len(self._held) >= self._entries and key not in self._held:
                self._forget(next(iter(self._held)))
            self._held[key] = value
            self._since[key] = time.monotonic()
            return True

    def drop(self, key: str) -> None:
        """Hold `key` no longer, and store no answer that was asked for before this call."""
        with self._change:
            self._forget(key)

    def _forget(self, key: str) -> None:
        self._held.pop(key, None)
        self._since.pop(key, None)
        self._asked.pop(key, None)

    def clear(self) -> None:
        """Hold nothing."""
        with self._change:
            for each in (self._held, self._since, self._asked):
                each.clear()

    def needs_refresh(self, key: str) -> bool:
        """Whether the key's time on the server is to be begun anew by whoever reads it now."""
        return key not in self._refreshed

    def refreshed(self, key: str) -> None:
        """Say that the key's time was just begun anew."""
        self._refreshed[key] = time.monotonic() + self._refresh_every

    def __len__(self) -> int:
        return len(self._held)

    # --- the connection ---------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """Whether the server's pushes are being heard."""
        return self._live

    def wait(self, seconds: float) -> bool:
        """Start, and wait until pushes are heard; False when that took too long."""
        self._start()
        return self._ready.wait(seconds)

    def settle(self) -> bool:
        """Wait until every push sent before this call is honoured. One round trip; False: no connection."""
        wire = self._wire
        if not self._live or wire is None:
            return False
        with self._change:
            self._wanted += 1
            mine = self._wanted
            try:
                if self._endpoint.tls is None:
                    wire.say("PING", mine)  # over TLS the thread alone may speak: at its next BEAT
            except OSError:
                return False
        with self._answered:
            limit = self._endpoint.timeout + BEAT
            self._answered.wait_for(lambda: self._settled >= mine or not self._live, limit)
            return self._settled >= mine

    def close(self) -> None:
        """Hold nothing any more, and end the connection."""
        self.closed = True
        self._live = False
        self.clear()
        if self._wire is not None:
            self._wire.hang_up()

    def _start(self) -> None:
        with self._change:
            if self._thread is None and not self.closed:
                self._thread = threading.Thread(
                    target=_listen,
                    args=(weakref.ref(self),),
                    name="keywright-tracking",
                    daemon=True,
                )
                self._thread.start()

    def listen(self) -> None:
        """One turn of the thread: connect, or honour what comes within a BEAT. Raises KeywrightError."""
        if not self._live:
            place, _ = resolved(self._endpoint)
            self._wire = Listening(place, self._prefix)
            self.clear()
            self._silent = 0
            self._live = True
            self._ready.set()
        wire = self._wire
        assert wire is not None
        said = wire.hear()
        now = time.monotonic()
        if said is None:
            self._silent += 1
            if self._silent * BEAT > self._endpoint.timeout + BEAT:
                raise ConnectionLost("the server does not answer on the connection of its pushes")
            wire.say("PING", self._wanted)
        elif isinstance(said, ReplyError):  # busy, or not allowed: who knows what is missed
            raise ConnectionLost(f"the server refuses the connection of its pushes: {said}")
        elif isinstance(said, hiredis.PushNotification):
            self._honour(said)
        else:
            self._silent = 0
            with self._answered:
                self._settled = max(self._settled, int(said))
                self._answered.notify_all()
        if now >= self._next_look:
            self._next_look = now + BEAT
            self._age(now)
            if self._endpoint.tls is not None and self._wanted > self._settled:
                wire.say("PING", self._wanted)

    def _honour(self, push: list[Any]) -> None:
        if push[0] != b"invalidate":
            return
        if push[1] is None:  # FLUSHALL
            self.clear()
            return
        with self._change:
            for key in push[1]:
                self._forget(key.decode("utf-8", "surrogateescape"))

    def _age(self, now: float) -> None:
        """Drop what is too old, and what is to be refreshed."""
        for key, end in list(self._refreshed.items()):
            if end <= now:
                self._refreshed.pop(key, None)
                self.drop(key)
        for key in list(self._asked)[: -self._entries]:  # asked for, and never answered
            self._asked.pop(key, None)
        for key, since in list(self._since.items()):
            if now - since > self._max_age:
                self.drop(key)

    def lost(self) -> None:
        """The connection is over: hold nothing until another stands."""
        self._live = False
        self._ready.clear()
        self.clear()
        if self._wire is not None:
            self._wire.close()
        with self._answered:
            self._answered.notify_all()


def _listen(reference: "weakref.ref[LocalCache]") -> None:
    """The thread: it ends when the cache is closed or nobody holds it any more."""
    while True:
        cache = reference()
        if cache is None or cache.closed:
            return
        try:
            cache.listen()
        except Exception:  # noqa: BLE001 - whatever it is: without pushes nothing may be held
            cache.lost()
            del cache
            time.sleep(AGAIN)
