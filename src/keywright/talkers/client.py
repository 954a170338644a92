"""Holds flows through a redis-py-like client that somebody brings: redis-py, valkey-py, Cluster.

Rule: its own pool, retries, TLS and cluster map are used as they are, and so is its speed. Errors are
told apart by the names of their classes, so that no client has to be installed for this.
"""

from collections.abc import Callable
from typing import Any

from keywright.errors import (
    ConnectionLost,
    KeywrightError,
    OutcomeUnknown,
    ReplyError,
    TimedOut,
    Unreachable,
)
from keywright.flows import Batch, Flow, Reply, T, Words


class ClientTalker:
    """Holds flows for threads through `client`; what is not ours to open is not ours to close."""

    def __init__(self, client: Any) -> None:
        self._client, self._shown = client, _shown_for(client)

    def run(self, flow: Flow[T]) -> T:
        """Hold one flow to its end and return its value."""
        try:
            batch = next(flow)
            while True:
                batch = flow.send(self.exchange(batch))
        except StopIteration as end:
            value: T = end.value
            return value

    def exchange(self, batch: Batch) -> list[Reply]:
        """One round trip (in Cluster one to each server concerned)."""
        try:
            if len(batch.commands) == 1:
                words = self._shown(batch.commands[0])
                return [plain(self._client.execute_command(*words, **RAW), words)]
            with self._client.pipeline(transaction=False) as pipe:
                for words in batch.commands:
                    pipe.execute_command(*self._shown(words), **RAW)
                replies = pipe.execute(raise_on_error=False)
            return list(map(plain, replies, batch.commands))
        except Exception as error:  # noqa: BLE001 - told apart by name, or raised as it is
            return [_said(error, batch)]

    def close(self) -> None:
        """Nothing: the client belongs to whoever made it."""


class AsyncClientTalker:
    """Holds flows in asyncio through `client`, one of redis.asyncio's kind."""

    def __init__(self, client: Any) -> None:
        self._client, self._shown = client, _shown_for(client)

    async def run(self, flow: Flow[T]) -> T:
        """Hold one flow to its end and return its value."""
        try:
            batch = next(flow)
            while True:
                batch = flow.send(await self.exchange(batch))
        except StopIteration as end:
            value: T = end.value
            return value

    async def exchange(self, batch: Batch) -> list[Reply]:
        """One round trip (in Cluster one to each server concerned)."""
        try:
            if len(batch.commands) == 1:
                words = self._shown(batch.commands[0])
                return [plain(await self._client.execute_command(*words, **RAW), words)]
            async with self._client.pipeline(transaction=False) as pipe:
                for words in batch.commands:
                    pipe.execute_command(*self._shown(words), **RAW)
                replies = await pipe.execute(raise_on_error=False)
            return list(map(plain, replies, batch.commands))
        except Exception as error:  # noqa: BLE001 - told apart by name, or raised as it is
            return [_said(error, batch)]

    async def aclose(self) -> None:
        """Nothing: the client belongs to whoever made it."""


RAW = {"NEVER_DECODE": True}  # bytes also from a client with decode_responses
# What a cluster's client makes of these replies is not what the server said.
MADE_OF: dict[object, bytes] = {"SET": b"OK", "PING": b"PONG", "RENAME": b"OK"}


def _shown_for(client: Any) -> Callable[[Words], Words]:
    """How a command is shown to the client: its name as bytes, so that it leaves the reply alone.

    A cluster's client needs the name as text to find the server.
    """
    if hasattr(client, "nodes_manager"):
        return lambda words: words
    return lambda words: (str(words[0]).encode(), *words[1:])


def plain(reply: Any, words: Words = ("",)) -> Reply:
    """The reply as our own wire gives it: bytes, int, None, lists of these, ReplyError."""
    if isinstance(reply, bool):
        return MADE_OF[words[0]] if reply and words[0] in MADE_OF else int(reply)
    if isinstance(reply, str):
        return reply.encode("utf-8", "surrogateescape")
    if isinstance(reply, (list, tuple)):
        return [plain(each) for each in reply]
    if isinstance(reply, Exception):
        return reply_error(reply)
    return reply


def reply_error(error: Exception) -> ReplyError:
    """The server's refusal with the code that the client may have cut off its front."""
    said = str(error)
    kind = type(error).__name__
    code = CODES.get(kind, "")
    return ReplyError(f"{code} {said}" if code and not said.startswith(code) else said)


# redis-py takes the first word off some errors and says it by the class instead.
CODES = {
    "NoScriptError": "NOSCRIPT",
    "NoPermissionError": "NOPERM",
    "AuthenticationError": "WRONGPASS",
    "AuthenticationWrongNumberOfArgsError": "ERR",
    "BusyLoadingError": "LOADING",
    "ReadOnlyError": "READONLY",
    "OutOfMemoryError": "OOM",
    "ExecAbortError": "EXECABORT",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
}


def _said(error: Exception, batch: Batch) -> Reply:
    """A refusal as a reply; raises what is wrong with the connection as an error of ours."""
    names = [each.__name__ for each in type(error).__mro__]
    if isinstance(error, KeywrightError):
        raise error
    if "ResponseError" in names or type(error).__name__ in CODES:
        return reply_error(error)
    if "TimeoutError" in names:
        lost: ConnectionLost = TimedOut(f"the server did not answer: {error}")
    elif "ConnectionError" in names or "RedisClusterException" in names:
        lost = ConnectionLost(f"the client could not reach the server: {error}")
    elif isinstance(error, OSError):
        raise Unreachable(f"the client could not reach the server: {error}") from None
    else:
        raise error
    if batch.repeatable:
        raise lost from None
    raise OutcomeUnknown(
        f"{lost}; whether the command was carried out is not known",
        "look at what is stored before you send it again",
    ) from None
