"""Conversations with the server, written once: a flow yields batches and is given their replies.

A flow is a generator. It knows no socket, no thread and no event loop, so the same one is held by a
blocking talker, by asyncio, by somebody's redis-py client and by the store inside the process:

    def load(key: str) -> Flow[bytes | None]:
        (value,) = yield Batch((("GET", key),))
        return value

Rule: replies are bytes, int, None, lists of these, or ReplyError values; a talker raises nothing
that the server said, the flow decides.
"""

from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial
from hashlib import sha1
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from keywright.errors import ReplyError

Word = str | bytes | int | float
Words = tuple[Word, ...]
Reply = Any  # RESP is recursive: bytes | int | None | ReplyError | list of Reply
T = TypeVar("T")


class Batch(NamedTuple):
    """One round trip: its commands go out in one write, no other command between them.

    `repeatable` says that sending all of them twice has the same effect as once; such a batch is
    sent again when the connection breaks before its replies are there.
    """

    commands: tuple[Words, ...]
    repeatable: bool = True


# A Batch without the detour of its own __new__: for the operations that are called most.
quick_batch: Callable[[tuple[tuple[Words, ...], bool]], Batch] = partial(tuple.__new__, Batch)

Flow = Generator[Batch, list[Reply], T]


class Ask(Generic[T]):
    """A conversation of one command that may be repeated, as data: the words, and what to make of the reply.

    It says what a flow of one batch says, and spares the generator, a tenth of the client's time for an
    operation. `then(about, reply)` returns the value or raises; it raises More when there is more to ask.
    """

    __slots__ = ("about", "then", "words")

    def __init__(self, words: Words, then: Callable[[Any, Reply], T], about: Any = None) -> None:
        self.words, self.then, self.about = words, then, about

    def flow(self) -> Flow[T]:
        """The same as a flow."""
        (reply,) = yield Batch((self.words,))
        try:
            return self.then(self.about, reply)
        except More as more:
            value: T = yield from more.flow
            return value


class More(Exception):
    """Raised by an Ask's `then`: `flow` says the rest, and its value is the value."""

    def __init__(self, flow: Flow[Any]) -> None:
        super().__init__()
        self.flow = flow


def as_flow(conversation: Flow[T] | Ask[T]) -> Flow[T]:
    """Either form as a flow."""
    return conversation.flow() if isinstance(conversation, Ask) else conversation


def hold(flow: Flow[T], exchange: Callable[[Batch], list[Reply]]) -> T:
    """Hold a flow to its end: each batch is exchanged for its replies. Returns the flow's value."""
    try:
        batch = next(flow)
        while True:
            batch = flow.send(exchange(batch))
    except StopIteration as end:
        value: T = end.value
        return value


async def hold_async(flow: Flow[T], exchange: Callable[[Batch], Awaitable[list[Reply]]]) -> T:
    """Hold a flow to its end, as `hold` does; the exchange is awaited."""
    try:
        batch = next(flow)
        while True:
            batch = flow.send(await exchange(batch))
    except StopIteration as end:
        value: T = end.value
        return value


class Twin(Protocol):
    """What a script does, in Python, for the store inside the process."""

    def __call__(self, store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
        """Do to `store` what the Lua does to the server, and return what it returns."""
        ...


class Script:
    """A Lua script that the server runs as one command; `twin` is the same for the in-process store.

    Sent as EVALSHA; a server that does not know it yet is told it once (a second round trip then).
    """

    def __init__(self, name: str, lua: str, twin: Twin) -> None:
        self.name, self.lua, self.twin = name, lua, twin
        self.sha = sha1(lua.encode(), usedforsecurity=False).hexdigest()
        SCRIPTS[self.sha] = self

    def words(self, keys: Sequence[Word], args: Sequence[Word], whole: bool = False) -> Words:
        """Return the command that runs it; `whole` sends the script's text instead of its name."""
        head = ("EVAL", self.lua) if whole else ("EVALSHA", self.sha)
        return (*head, len(keys), *keys, *args)

    def run(
        self, keys: Sequence[Word], args: Sequence[Word], repeatable: bool = True
    ) -> Flow[Reply]:
        """Run it as a part of a flow (`yield from`) and return its reply.

        Raises ReplyError when the server refuses it.
        """
        (reply,) = yield Batch((self.words(keys, args),), repeatable)
        if isinstance(reply, ReplyError) and reply.code == "NOSCRIPT":
            (reply,) = yield Batch((self.words(keys, args, whole=True),), repeatable)
        if isinstance(reply, ReplyError):
            raise reply
        return reply


SCRIPTS: dict[str, Script] = {}  # by their SHA-1: what EVALSHA names


class Talker(Protocol):
    """Holds flows and blocks until they end."""

    def run(self, flow: Flow[T] | Ask[T]) -> T:
        """Hold one flow. Raises Unreachable, ConnectionLost, OutcomeUnknown, ProtocolError and
        what the flow itself raises."""
        ...

    def close(self) -> None:
        """Close every connection; the next flow opens a new one."""
        ...


class AsyncTalker(Protocol):
    """Holds flows in an event loop."""

    async def run(self, flow: Flow[T] | Ask[T]) -> T:
        """Hold one flow; raises what Talker.run raises."""
        ...

    async def aclose(self) -> None:
        """Close every connection; the next flow opens a new one."""
        ...


def one(*words: Word, repeatable: bool = True) -> Flow[Reply]:
    """A flow of one command that returns its reply and raises ReplyError when it is refused."""
    (reply,) = yield Batch((words,), repeatable)
    if isinstance(reply, ReplyError):
        raise reply
    return reply


def checked(replies: Sequence[Reply]) -> Sequence[Reply]:
    """Return the replies; raises the first ReplyError among them."""
    for reply in replies:
        if isinstance(reply, ReplyError):
            raise reply
    return replies
