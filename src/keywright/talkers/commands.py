"""The commands that flows send, as the store inside the process carries them out."""

import re
from collections.abc import Callable
from typing import Any

from keywright.errors import ReplyError
from keywright.flows import Reply

Args = list[bytes]
_SYNTAX = "ERR syntax error"
_NO_NUMBER = "ERR value is not an integer or out of range"


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise ReplyError(_NO_NUMBER) from None


def _life(text: bytes, unit: int, command: str) -> int:
    life = _number(text) * unit
    if life <= 0:
        raise ReplyError(f"ERR invalid expire time in '{command}' command")
    return life


def _set(store: Any, args: Args) -> Reply:
    key, value, *rest = args
    options = [each.upper() for each in rest]
    px, keep, unless, only, old = None, False, False, False, False
    while options:
        word = options.pop(0)
        if word in (b"EX", b"PX") and options:
            px = _life(options.pop(0), 1000 if word == b"EX" else 1, "set")
        elif word == b"KEEPTTL":
            keep = True
        elif word == b"NX":
            unless = True
        elif word == b"XX":
            only = True
        elif word == b"GET":
            old = True
        else:
            raise ReplyError(_SYNTAX)
    before = store.get(key) if old else None
    there = store.exists(key)
    if (unless and there) or (only and not there):
        return before
    if keep and there and store.pttl(key) >= 0:
        px = store.pttl(key)
    store.set(key, value, px)
    return before if old else b"OK"


def _getex(store: Any, args: Args) -> Reply:
    value = store.get(args[0])
    if value is None:
        return None
    option = args[1].upper() if len(args) > 1 else b""
    if option in (b"EX", b"PX"):
        store.pexpire(args[0], _life(args[2], 1000 if option == b"EX" else 1, "getex"))
    elif option == b"PERSIST":
        store.pexpire(args[0], None)
    elif option:
        raise ReplyError(_SYNTAX)
    return value


def _getdel(store: Any, args: Args) -> Reply:
    value = store.get(args[0])
    store.delete(args[0])
    return value


def _mget(store: Any, args: Args) -> Reply:
    found = []
    for key in args:
        try:
            found.append(store.get(key))
        except ReplyError:
            found.append(None)
    return found


def _expire(store: Any, args: Args, unit: int) -> Reply:
    life = _number(args[1]) * unit
    if life <= 0:
        return store.delete(args[0])
    return int(store.pexpire(args[0], life))


def _ttl(store: Any, args: Args) -> Reply:
    left = store.pttl(args[0])
    return left if left < 0 else (left + 500) // 1000


def _incrby(store: Any, args: Args) -> Reply:
    return store.incr(args[0], _number(args[1]))


def _zadd(store: Any, args: Args) -> Reply:
    return store.zadd(args[0], float(args[1]), args[2])


def _zrange(store: Any, args: Args) -> Reply:
    members = store.zrange(args[0])
    low, high = (_number(each) for each in args[1:3])
    low = max(0, low + len(members)) if low < 0 else low
    high = high + len(members) if high < 0 else high
    return members[low : high + 1] if high >= 0 else []


def _zscore(store: Any, args: Args) -> Reply:
    score = store.zscore(*args)
    return None if score is None else b"%.17g" % score


_INFO = b"# Server\r\nserver_name:in-process\r\nrole:master\r\n"


def _persist(store: Any, args: Args) -> Reply:
    if store.pttl(args[0]) < 0:
        return 0
    return int(store.pexpire(args[0], None))


def _scan(store: Any, args: Args) -> Reply:
    """Everything at once: the cursor that comes back says that this was all."""
    options = dict(zip([each.upper() for each in args[1::2]], args[2::2], strict=False))
    if len(args) % 2 == 0 or not set(options) <= {b"MATCH", b"COUNT"}:
        raise ReplyError(_SYNTAX)
    matches = _pattern(options.get(b"MATCH", b"*"))
    return [b"0", [key for key in store.keys() if matches(key)]]  # noqa: SIM118 - no mapping


def _pattern(glob: bytes) -> Callable[[bytes], Any]:
    """What a pattern of `*`, `?` and letters matches; `\\` takes a letter as it stands."""
    parts = re.findall(rb"\\.|.", glob, re.DOTALL)
    wild = {b"*": b".*", b"?": b"."}
    if b"[" in parts:
        raise ReplyError("ERR sets of letters are not known here")
    regex = b"".join(wild[each] if each in wild else re.escape(each[-1:]) for each in parts)
    return re.compile(regex, re.DOTALL).fullmatch


COMMANDS: dict[bytes, Callable[[Any, Args], Reply]] = {
    b"PING": lambda _, args: args[0] if args else b"PONG",
    b"ECHO": lambda _, args: args[0],
    b"GET": lambda store, args: store.get(args[0]),
    b"SET": _set,
    b"GETEX": _getex,
    b"GETDEL": _getdel,
    b"MGET": _mget,
    b"DEL": lambda store, args: store.delete(*args),
    b"UNLINK": lambda store, args: store.delete(*args),
    b"EXISTS": lambda store, args: sum(map(store.exists, args)),
    b"EXPIRE": lambda store, args: _expire(store, args, 1000),
    b"PERSIST": _persist,
    b"SCAN": _scan,
    b"PEXPIRE": lambda store, args: _expire(store, args, 1),
    b"TTL": _ttl,
    b"PTTL": lambda store, args: store.pttl(args[0]),
    b"INCR": lambda store, args: store.incr(args[0]),
    b"DECR": lambda store, args: store.incr(args[0], -1),
    b"INCRBY": _incrby,
    b"ZADD": _zadd,
    b"ZREM": lambda store, args: store.zrem(*args),
    b"ZRANGE": _zrange,
    b"ZCARD": lambda store, args: len(store.zrange(args[0])),
    b"ZSCORE": _zscore,
    b"ROLE": lambda *_: [b"master", 0, []],
    b"INFO": lambda *_: _INFO,
}
