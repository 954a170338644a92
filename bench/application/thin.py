"""The recipe that everybody is measured against, and the ceiling: a bare sketch on hiredis.

The sketch has no reconnect, no TLS, no login, no time-out in asyncio: what is left is what a library
cannot do without. It shares no code with Keywright.
"""

import asyncio
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis

from driving import AsyncWay, Way
from lab import IDS, PREFIX, TTL, session

pack = hiredis.pack_command
NAMES = [PREFIX + each for each in IDS]


def recipe(port: int) -> Way:
    """The guide's: redis-py, GET then EXPIRE; SETEX. Bytes, which is its faster setting."""
    import redis

    client, data = redis.Redis(port=port), session()

    def load(number: int) -> Any:
        value = client.get(NAMES[number])
        client.expire(NAMES[number], TTL)
        return json.loads(value)

    def save(number: int) -> None:
        data["count"] = number
        client.setex(NAMES[number], TTL, json.dumps(data))

    return Way("guide's recipe", load, save)


def one_command(port: int) -> Way:
    """redis-py with GETEX: what the recipe would be with one command."""
    import redis

    client = redis.Redis(port=port)

    def load(number: int) -> Any:
        return json.loads(client.getex(NAMES[number], ex=TTL))

    return Way("redis-py, GETEX", load, recipe(port).save)


def async_recipe(port: int) -> AsyncWay:
    """The guide's, with redis.asyncio."""
    import redis.asyncio

    client, data = redis.asyncio.Redis(port=port), session()

    async def load(number: int) -> Any:
        value = await client.get(NAMES[number])
        await client.expire(NAMES[number], TTL)
        return json.loads(value)

    async def save(number: int) -> None:
        data["count"] = number
        await client.setex(NAMES[number], TTL, json.dumps(data))

    return AsyncWay("guide's recipe", load, save)


class Thin:
    """A blocking socket, a parser; time-outs by the kernel."""

    def __init__(self, port: int) -> None:
        self.link = socket.create_connection(("127.0.0.1", port))
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.link.settimeout(None)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.link.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", 5, 0))
        self.reader = hiredis.Reader()

    def ask(self, *words: Any) -> Any:
        """One command and its reply."""
        self.link.sendall(pack(words))
        reader = self.reader
        reply = reader.gets()
        while reply is False:
            reader.feed(self.link.recv(65536))
            reply = reader.gets()
        return reply


class ThinLine(asyncio.Protocol):
    """One connection for all tasks, one write for each turn of the loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.reader = hiredis.Reader()
        self.waiting: deque[asyncio.Future[Any]] = deque()
        self.out: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        """The connection stands."""
        self.transport = transport

    def ask(self, *words: Any) -> "asyncio.Future[Any]":
        """One command; the future has its reply."""
        future = self.loop.create_future()
        if not self.out:
            self.loop.call_soon(self.flush)
        self.out.append(pack(words))
        self.waiting.append(future)
        return future

    def flush(self) -> None:
        """What was asked in this turn, in one write."""
        self.transport.write(b"".join(self.out))
        self.out = []

    def data_received(self, data: bytes) -> None:
        """Replies come in the order of the commands."""
        reader = self.reader
        reader.feed(data)
        reply = reader.gets()
        while reply is not False:
            self.waiting.popleft().set_result(reply)
            reply = reader.gets()


def formats() -> dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]:
    """The two that are measured: how to read and how to write."""
    import msgspec

    return {
        "json": (json.loads, json.dumps),
        "msgspec": (msgspec.json.Decoder().decode, msgspec.json.Encoder().encode),
    }


def thin(port: int, format: str) -> Way:
    """The sketch, blocking; each thread has a connection."""
    decode, encode = formats()[format]
    own, data = threading.local(), session()

    def ask(*words: Any) -> Any:
        try:
            line = own.line
        except AttributeError:
            line = own.line = Thin(port)
        return line.ask(*words)

    def load(number: int) -> Any:
        return decode(ask("GETEX", NAMES[number], "EX", TTL))

    def save(number: int) -> None:
        data["count"] = number
        ask("SET", NAMES[number], encode(data), "XX", "EX", TTL)

    return Way(f"bare sketch, {format}", load, save)


async def async_thin(port: int, format: str) -> AsyncWay:
    """The sketch, one connection for all tasks. Format `raw` decodes nothing."""
    decode, encode = formats().get(format, (bytes, str))
    loop, data = asyncio.get_running_loop(), session()
    _, line = await loop.create_connection(ThinLine, "127.0.0.1", port)

    async def load(number: int) -> Any:
        return decode(await line.ask("GETEX", NAMES[number], "EX", TTL))

    async def save(number: int) -> None:
        data["count"] = number
        await line.ask("SET", NAMES[number], encode(data), "XX", "EX", TTL)

    return AsyncWay(f"bare sketch, {format}", load, save)
