"""Reads what a key holds, a page at a time: never the whole of a giant in one command."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from keywright.errors import InputError, ReplyError
from keywright.wire import Reply, Wire, Word

T = TypeVar("T")

PIECE = 64 << 10  # bytes of a string that are read at once
ITEMS = 50  # members of a collection that are shown at once
AT_ONCE = 500  # members that one command asks for, however many are wanted

# Asked in one round trip; what does not fit the key's type is answered by an error, and passed over.
LENGTHS = {"string": "STRLEN", "list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN",
           "stream": "XLEN"}  # fmt: skip
FACTS: tuple[tuple[str, ...], ...] = (
    ("TYPE",), ("PTTL",), ("MEMORY", "USAGE"), ("OBJECT", "ENCODING"), ("OBJECT", "IDLETIME"),
    ("OBJECT", "FREQ"), *((each,) for each in LENGTHS.values()),
)  # fmt: skip
READS = {"string": "GETRANGE", "list": "LRANGE", "set": "SSCAN", "zset": "ZRANGE", "hash": "HSCAN",
         "stream": "XRANGE", "ReJSON-RL": "JSON.GET"}  # fmt: skip


class About(NamedTuple):
    """What the server says of a key without its value; None where it does not say.

    `pttl` is ms (-1: no end), `idle` seconds, `freq` the LFU counter, `length` bytes or members.
    """

    type: str
    pttl: int
    memory: int | None
    encoding: str | None
    idle: int | None
    freq: int | None
    length: int | None


class Part(NamedTuple):
    """A page of a value: `text` of a string, or `items` (each member's bytes: one of a set or list, two of
    a hash or sorted set, id and fields of a stream). `next` is where the next page begins, "" at the end."""

    text: bytes | None
    items: list[tuple[bytes, ...]]
    next: str


def about_key(wire: Wire, name: bytes) -> tuple[About, dict[str, ReplyError]]:
    """Ask everything but the value, in one round trip; also the commands that were refused."""
    commands: list[tuple[Word, ...]] = [(*words, name) for words in FACTS]
    commands[2] = ("MEMORY", "USAGE", name, "SAMPLES", "5")  # 0 would walk the whole of a giant
    replies = dict(zip((" ".join(words) for words in FACTS), wire.batch(commands), strict=True))
    refused = {command: reply for command, reply in replies.items()
               if isinstance(reply, ReplyError) and reply.code == "NOPERM"}  # fmt: skip
    kind = _said(replies["TYPE"], bytes.decode) or "none"
    length = LENGTHS.get(kind)
    return About(
        kind,
        _said(replies["PTTL"], int) or 0,
        _said(replies["MEMORY USAGE"], int),
        _said(replies["OBJECT ENCODING"], bytes.decode),
        _said(replies["OBJECT IDLETIME"], int),
        _said(replies["OBJECT FREQ"], int),
        _said(replies[length], int) if length else None,
    ), refused


def _said(reply: Reply, read: Callable[..., T]) -> T | None:
    return None if reply is None or isinstance(reply, ReplyError) else read(reply)


def read_part(wire: Wire, name: bytes, kind: str, start: str, most: int) -> Part:
    """Read one page that begins at `start` ("" for the first). Raises ReplyError.

    `most` is bytes of a string, members of anything else (about, where the server decides).
    """
    if kind == "string":
        first = _number(start)
        text = wire.call("GETRANGE", name, first, first + most - 1)
        return Part(text, [], str(first + most) if len(text) == most else "")
    if kind in ("hash", "set"):
        return _scanned(wire, name, kind, start, most)
    if kind == "list":
        first = _number(start)
        found = wire.call("LRANGE", name, first, first + most - 1)
        return Part(
            None, [(each,) for each in found], str(first + most) if len(found) == most else ""
        )
    if kind == "zset":
        first = _number(start)
        found = wire.call("ZRANGE", name, first, first + most - 1, "WITHSCORES")
        pairs: list[tuple[bytes, ...]] = list(zip(found[::2], found[1::2], strict=True))
        return Part(None, pairs, str(first + most) if len(pairs) == most else "")
    if kind == "stream":
        entries = wire.call("XRANGE", name, start or "-", "+", "COUNT", most)
        items = [(mark, *(fields or ())) for mark, fields in entries]
        return Part(None, items, f"({entries[-1][0].decode()}" if len(entries) == most else "")
    if kind == "ReJSON-RL":
        return Part(wire.call("JSON.GET", name), [], "")
    raise ReplyError(f"a value of type {kind} belongs to a module: Keywright does not read it")


def _number(start: str) -> int:
    """Where a page begins, as the last one told it. Raises InputError."""
    if start and not (start.isascii() and start.isdigit()):
        raise InputError(
            f"--from {start} is no place in this value", "the page before says where it goes on"
        )
    return int(start or 0)


def _scanned(wire: Wire, name: bytes, kind: str, start: str, most: int) -> Part:
    """A page of a hash or a set; a small one comes whole, whatever was asked for."""
    command, cursor, items = READS[kind], str(_number(start)), list[tuple[bytes, ...]]()
    while len(items) < most:
        told, found = wire.call(command, name, cursor, "COUNT", min(most, AT_ONCE))
        cursor = told.decode()
        if kind == "hash":
            items += zip(found[::2], found[1::2], strict=True)
        else:
            items += [(each,) for each in found]
        if cursor == "0":
            return Part(None, items, "")
    return Part(None, items, cursor)


def read_all(
    wire: Wire, name: bytes, kind: str, emit: Callable[[Part], None], start: str = ""
) -> None:
    """Read everything from `start` on, page by page. Raises ReplyError."""
    while True:
        part = read_part(wire, name, kind, start, PIECE if kind == "string" else AT_ONCE)
        emit(part)
        if not part.next:
            return
        start = part.next


def joined(parts: Sequence[Part]) -> Part:
    """Several pages as one."""
    texts = [part.text for part in parts if part.text is not None]
    items = [item for part in parts for item in part.items]
    return Part(b"".join(texts) if texts else None, items, parts[-1].next if parts else "")
