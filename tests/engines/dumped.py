"""Fills a server with every type and encoding, has it write its dump, and asks it what should stand there."""

import random
from pathlib import Path
from typing import NamedTuple

from tests.engines.servers import Line, Server

LENGTHS = {
    "string": "STRLEN",
    "list": "LLEN",
    "hash": "HLEN",
    "set": "SCARD",
    "zset": "ZCARD",
    "stream": "XLEN",
    "vectorset": "VCARD",
}
Command = tuple[str | bytes, ...]


class Answer(NamedTuple):
    """What a server says of a key."""

    type: str
    expire_ms: int | None
    length: int


def value(chance: random.Random) -> bytes:
    """A string of some kind: empty, a number, noise, compressible, over 64 bytes, over 16 KiB."""
    kinds = (
        lambda: b"",
        lambda: str(chance.randint(-200, 200)).encode(),
        lambda: str(chance.randint(-(2**40), 2**40)).encode(),
        lambda: chance.randbytes(chance.randint(1, 63)),
        lambda: chance.randbytes(chance.randint(64, 300)),
        lambda: b"ab" * chance.randint(10, 400),
        lambda: chance.randbytes(20) + b"\x00" * chance.randint(0, 20_000),
    )
    return chance.choices(kinds, (1, 4, 2, 6, 3, 3, 1))[0]()


def _size(chance: random.Random) -> int:
    """How many elements: few (packed), many (a table), or some hundreds."""
    return chance.choice((1, 2, 5, 60, 100, 130, 300, 700))


def commands_for(chance: random.Random, key: bytes) -> list[Command]:
    """Return the commands that make one key of some type, each form of it likely."""
    count = _size(chance)
    one = chance.choice((lambda: value(chance), lambda: b"%d" % chance.randint(0, 10**6)))
    kind = chance.choice(("string", "list", "set", "intset", "zset", "hash", "stream", "bits"))
    if kind == "string":
        return [("SET", key, value(chance))]
    if kind == "bits":
        return [("SETBIT", key, str(chance.randint(0, 9000)), "1")]
    if kind == "list":
        return [("RPUSH", key, *(one() for _ in range(count)))]
    if kind == "set":
        return [("SADD", key, *(one() for _ in range(count)))]
    if kind == "intset":
        top = chance.choice((100, 2**20, 2**40))
        return [("SADD", key, *(str(chance.randint(-top, top)) for _ in range(count)))]
    if kind == "zset":
        scores = (chance.choice(("inf", "-inf", "1", "-3.25", "1e300")) for _ in range(count))
        return [("ZADD", key, *(each for score in scores for each in (score, one())))]
    if kind == "hash":
        return [("HSET", key, *(each for n in range(count) for each in (b"f%d" % n, one())))]
    return _stream(chance, key, count)


def _stream(chance: random.Random, key: bytes, count: int) -> list[Command]:
    """A stream, perhaps with groups whose consumers have read, acknowledged and left entries."""
    made: list[Command] = [
        ("XADD", key, f"{n + 1}-{n % 3}", "field", value(chance)) for n in range(count)
    ]
    for name in ("first", "second")[: chance.randint(0, 2)]:
        made.append(("XGROUP", "CREATE", key, name, "0"))
        for consumer in ("anna", "bert", "idle")[: chance.randint(0, 3)]:
            made.append(
                (
                    "XREADGROUP",
                    "GROUP",
                    name,
                    consumer,
                    "COUNT",
                    str(chance.randint(1, 80)),
                    "STREAMS",
                    key,
                    ">",
                )
            )
        made.append(("XACK", key, name, "1-0", "3-2"))
    if chance.random() < 0.5:
        made.append(("XDEL", key, "2-1", "4-0"))
    return made


def key_name(chance: random.Random, number: int) -> bytes:
    """A key's name: plain, a number, compressible, binary, over 64 bytes, over 16 KiB."""
    kinds = (
        b"shop:session:%d" % number,
        b"%d" % number,
        b"user:" + b"x" * 40 + b"%d" % number,
        chance.randbytes(9) + b"%d" % number,
        b"%d:" % number + chance.randbytes(chance.randint(64, 200)),
        b"%d:" % number + chance.randbytes(17_000),
    )
    return chance.choices(kinds, (8, 3, 3, 3, 3, 1))[0]


def fill(server: Server, chance: random.Random, keys: int, databases: int = 3) -> None:
    """Empty the server and fill its databases with keys of all types, some of which will expire."""
    with server.line() as line:
        assert line.ask("FLUSHALL") == "OK"
        for database in range(databases):
            made: list[Command] = [("SELECT", str(database))]
            for number in range(keys // databases):
                key = key_name(chance, number)
                made += commands_for(chance, key)
                if chance.random() < 0.3:
                    made.append(
                        ("PEXPIREAT", key, str(4_000_000_000_000 + chance.randint(0, 10**9)))
                    )
            for begin in range(0, len(made), 500):
                _sent(line, made[begin : begin + 500])


def _sent(line: Line, commands: list[Command]) -> None:
    for command, reply in zip(commands, line.ask_all(commands), strict=True):
        refused = isinstance(reply, Exception) and "no such key" not in str(reply)
        assert not refused, (command[:3], reply)


def save(server: Server) -> Path:
    """Have the server write its dump; return where it is."""
    with server.line() as line:
        assert line.ask("SAVE") == "OK"
        folder = line.ask("CONFIG", "GET", "dir")[1]
        return Path(folder, line.ask("CONFIG", "GET", "dbfilename")[1])


def asked(server: Server, databases: int = 16) -> dict[tuple[int, bytes], Answer]:
    """Return what the server says of every key: type, expiry and length."""
    answers: dict[tuple[int, bytes], Answer] = {}
    with server.line() as line:
        for database in range(databases):
            line.ask("SELECT", str(database))
            keys = [each.encode("utf-8", "surrogateescape") for each in line.ask("KEYS", "*")]
            types = line.ask_all([("TYPE", key) for key in keys])
            lengths = line.ask_all(
                [(LENGTHS[kind], key) for key, kind in zip(keys, types, strict=True)]
            )
            left = line.ask_all([("PTTL", key) for key in keys])
            now = line.ask("TIME")
            until = int(now[0]) * 1000 + int(now[1]) // 1000
            for key, kind, length, ttl in zip(keys, types, lengths, left, strict=True):
                expire = None if ttl == -1 else until + ttl
                answers[database, key] = Answer(kind, expire, length)
    return answers
