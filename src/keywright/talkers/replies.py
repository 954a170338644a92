"""What another client's replies and exceptions are in our words: pure, no client is imported.

Replies come in RESP2's shapes whatever the client speaks: bytes, int, None, lists of these, ReplyError
values. Exceptions are known by their names, so that redis-py, valkey-py and their like all fit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from keywright.endpoint import Endpoint
from keywright.errors import ConnectionLost, KeywrightError, ReplyError, TimedOut
from keywright.explain import explained
from keywright.flows import Reply, Words
from keywright.refusals import code_of
from keywright.secret import Secret
from keywright.wire import timed_out

# The kinds of exceptions whose reply lost its code on the way.
_CODES = {
    "NoScriptError": "NOSCRIPT", "ReadOnlyError": "READONLY", "NoPermissionError": "NOPERM",
    "ExecAbortError": "EXECABORT", "BusyLoadingError": "LOADING", "MovedError": "MOVED",
    "AskError": "ASK", "TryAgainError": "TRYAGAIN", "ClusterDownError": "CLUSTERDOWN",
    "ClusterCrossSlotError": "CROSSSLOT", "MasterDownError": "MASTERDOWN",
    "OutOfMemoryError": "OOM",
}  # fmt: skip
_PAIRED = (b"WITHSCORES", b"ZPOPMIN", b"ZPOPMAX")  # RESP3 nests what RESP2 lists


def names_of(error: BaseException) -> set[str]:
    """The names of an exception's kinds, its own and those that it is derived from."""
    return {kind.__name__ for kind in type(error).__mro__}


def refused(error: BaseException) -> ReplyError | None:
    """Return the server's refusal that an exception carries, None when it carries none."""
    if isinstance(error, ReplyError):
        return error
    kinds = names_of(error)
    code = getattr(error, "status_code", None) or _CODES.get(type(error).__name__) or ""
    if "ResponseError" not in kinds and not code:
        code = code_of(error) if "RedisError" in kinds or "ValkeyError" in kinds else ""
        if not code:
            return None
    text = str(error)
    if not code and not text.partition(" ")[0].isupper():
        code = "ERR"  # valkey-py takes it off
    if isinstance(code, str) and code and not text.startswith(code):
        text = f"{code} {text}"
    return ReplyError(text)


def shaped(words: Words, reply: Any) -> Reply:
    """Return a reply to `words` in RESP2's shape."""
    flat = raw(reply)
    if isinstance(flat, list) and flat and all(isinstance(each, list) for each in flat):
        spoken = {_upper(word) for word in words}
        if any(each in spoken for each in _PAIRED) and all(len(each) == 2 for each in flat):
            return [item for pair in flat for item in pair]
    return flat


def shaped_all(commands: Sequence[Words], replies: Sequence[Any]) -> list[Reply]:
    """Return the replies to a batch in RESP2's shapes; what EXEC lists belongs to the commands before."""
    found = [shaped(words, reply) for words, reply in zip(commands, replies, strict=True)]
    if whole(commands) and isinstance(replies[-1], list):
        found[-1] = [
            shaped(words, reply) for words, reply in zip(commands[1:-1], replies[-1], strict=True)
        ]
    return found


def whole(commands: Sequence[Words]) -> bool:
    """Whether the batch is one transaction: it begins with MULTI and ends with EXEC."""
    return _upper(commands[0][0]) == b"MULTI" and _upper(commands[-1][0]) == b"EXEC"


def _upper(word: Any) -> bytes:
    return word.upper() if isinstance(word, bytes) else str(word).upper().encode()


def raw(reply: Any) -> Reply:
    """Return one reply as bytes, int, None, a list of these, or a ReplyError."""
    if isinstance(reply, bytes) or reply is None:
        return reply
    if isinstance(reply, int):
        return int(reply)
    if isinstance(reply, float):
        return (b"%d" % reply) if reply.is_integer() else repr(reply).encode()
    if isinstance(reply, str):
        return reply.encode("utf-8", "surrogateescape")
    if isinstance(reply, Mapping):
        return [raw(each) for pair in reply.items() for each in pair]
    if isinstance(reply, BaseException):
        return refused(reply) or ReplyError(str(reply))
    return [raw(each) for each in reply]


def lost(error: BaseException, endpoint: Endpoint) -> ConnectionLost:
    """Return what to raise for a connection that broke after it stood."""
    kinds = names_of(error)
    if "TimeoutError" in kinds or "timeout" in kinds:
        return timed_out(endpoint)
    found = explained(error, endpoint)
    if isinstance(found, ConnectionLost) and not isinstance(found, TimedOut):
        return found
    return ConnectionLost(f"the connection to {endpoint.address} broke", found.hint)


def never_there(error: BaseException, endpoint: Endpoint) -> KeywrightError:
    """Return what to raise for a connection that never stood."""
    return explained(error, endpoint)


def broken(error: BaseException) -> bool:
    """Whether an exception tells of the connection: the client's own or the system's."""
    return isinstance(error, OSError) or bool(
        names_of(error)
        & {"RedisError", "ValkeyError", "RedisClusterException", "ValkeyClusterException"}
    )


def demoted(error: BaseException) -> bool:
    """Whether a Sentinel client says that its master is none any more: then nothing was done."""
    return "previous master is now a" in str(error)


def endpoint_from(words: Mapping[str, Any]) -> Endpoint:
    """The endpoint that a client's connection arguments name, for the sentences of errors."""
    password = words.get("password")
    return Endpoint(
        host=str(words.get("host") or "127.0.0.1"),
        port=int(words.get("port") or 6379),
        unix_path=str(words.get("path") or words.get("unix_socket_path") or ""),
        username=str(words.get("username") or ""),
        password=Secret(str(password)) if password else None,
        connect_timeout=float(words.get("socket_connect_timeout") or 0),
        timeout=float(words.get("socket_timeout") or 0),
        database=int(words.get("db") or 0),
    )
