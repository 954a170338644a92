"""key set, expire, persist, rename, copy, edit: one key is changed; nothing is lost on the way unsaid."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from keywright.errors import ApplyError, InputError, Refused, ReplyError
from keywright.wire import Reply, Wire, Word
from keywright_ops.actions.key import PATIENCE, no_key
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.escapes import shown
from keywright_ops.ops.keyspace.values import About, about_key

SENDS = (
    "TYPE", "PTTL", "MEMORY USAGE", "OBJECT ENCODING", "OBJECT IDLETIME", "OBJECT FREQ", "STRLEN",
    "LLEN", "SCARD", "ZCARD", "HLEN", "XLEN", "SET", "PEXPIRE", "PERSIST", "RENAME", "RENAMENX", "COPY",
    "WATCH", "UNWATCH", "MULTI", "EXEC", "GET",
)  # fmt: skip
KEEP, NEVER = -1, 0  # times of `set_key`: as it is, no end

# What goes and how it is called, to be confirmed before it is done; False: nothing is changed.
Confirm = Callable[[str], bool]


class Changed(NamedTuple):
    """A key that was changed: `was` before it, `pttl` now (ms, -1: no end)."""

    name: bytes
    was: About
    pttl: int
    what: str


def described(name: bytes, about: About) -> str:
    """A key in a few words, to be asked about."""
    length = f" of {about.length:,} {'bytes' if about.type == 'string' else 'members'}"
    return f"{shown(name)}, a {about.type}{length if about.length is not None else ''}"


def set_key(
    reached: Reached, name: bytes, value: bytes, ttl: int, rule: str, confirm: Confirm
) -> Changed:
    """Store a text. `ttl` is milliseconds, KEEP or NEVER; `rule` "NX", "XX" or "".

    A value that would be lost is confirmed first, unless XX says that it is meant. Raises Refused.
    """
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        about = _about(reached, wire, name)
        there = about.type != "none"
        if there and rule == "NX":
            raise Refused(f"there is {described(name, about)} already", "--nx sets only new keys")
        if not there and rule == "XX":
            raise no_key(name, reached)
        if there and rule != "XX" and not confirm(f"replaces {described(name, about)}"):
            raise Refused("nothing was changed: it was not confirmed", "--yes or --xx says so")
        words: list[Word] = ["SET", name, value, *([rule] if rule else [])]
        words += ["PX", ttl] if ttl > 0 else ["KEEPTTL"] if ttl == KEEP else []
        if _call(reached, wire, words) is None:
            raise Refused(f"{shown(name)} came or went in this moment: nothing was changed")
        return Changed(name, about, _pttl(wire, name), "replaced" if there else "set")


def expire_key(reached: Reached, name: bytes, after: int) -> Changed:
    """Let a key end after so many milliseconds. Raises NoKey."""
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        about = _there(reached, wire, name)
        if not _call(reached, wire, ("PEXPIRE", name, after)):
            raise no_key(name, reached)
        return Changed(name, about, _pttl(wire, name), "ends")


def persist_key(reached: Reached, name: bytes) -> Changed:
    """Let a key live without an end. Raises NoKey."""
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        about = _there(reached, wire, name)
        done = _call(reached, wire, ("PERSIST", name))
        return Changed(name, about, _pttl(wire, name), "persists" if done else "had no end")


def move_key(
    reached: Reached, name: bytes, new: bytes, *, copy: bool, replace: bool, confirm: Confirm
) -> Changed:
    """Rename or copy a key with its time; over another only with `replace`, and when it is confirmed.

    Raises NoKey, Refused.
    """
    if name == new:
        raise InputError("both names are the same")
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        about, other = _there(reached, wire, name), _about(reached, wire, new)
        if other.type != "none":
            if not replace:
                raise Refused(
                    f"there is {described(new, other)} already", "--replace writes over it"
                )
            if not confirm(f"replaces {described(new, other)}"):
                raise Refused("nothing was changed: it was not confirmed")
        if copy:
            words = ("COPY", name, new, *(("REPLACE",) if replace else ()))
        else:
            words = ("RENAME" if replace else "RENAMENX", name, new)
        try:
            done = _call(reached, wire, words)
        except ReplyError as refusal:
            if str(refusal) == "ERR no such key":
                raise no_key(name, reached) from None
            raise
        if not done:
            raise Refused(f"{shown(new)} came in this moment: nothing was changed")
        return Changed(new, about, _pttl(wire, new), "copied" if copy else "renamed")


def edit_key(
    reached: Reached, name: bytes, edit: Callable[[bytes], bytes | None]
) -> Changed | None:
    """Read a text, let it be edited, and store it with the time that it has, if it is still the same.

    `edit` returns the new value, None to leave it. Raises NoKey, InputError for what is no text, and
    Lost when somebody changed it meanwhile: nothing was written then.
    """
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        about = _there(reached, wire, name)
        if about.type != "string":
            raise InputError(
                f"{shown(name)} is a {about.type}: only strings are edited",
                "`keywright redis` takes any command (HSET, LSET, ZADD …)",
            )
        before = _call(reached, wire, ("GET", name))
    after = edit(before)  # no connection waits for a person
    if after is None or after == before:
        return None
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        watched, now = wire.batch([("WATCH", name), ("GET", name)])
        if isinstance(watched, ReplyError):
            raise reached.explain(watched, ("WATCH",))
        if now != before:
            raise Lost(name, gone=now is None)
        replies = wire.batch([("MULTI",), ("SET", name, after, "XX", "KEEPTTL"), ("EXEC",)])
        for reply in replies[:2]:
            if isinstance(reply, ReplyError):
                raise reached.explain(reply, ("SET",))
        if isinstance(replies[2], ReplyError):
            raise replies[2]
        if replies[2] is None or replies[2][0] is None:
            raise Lost(name, gone=False)
        return Changed(name, about, _pttl(wire, name), "edited")


class Lost(ApplyError):
    """The key was changed while it was edited."""

    def __init__(self, name: bytes, *, gone: bool) -> None:
        how = "ended" if gone else "was changed by somebody else"
        super().__init__(f"{shown(name)} {how} while you edited: nothing was written")


def _about(reached: Reached, wire: Wire, name: bytes) -> About:
    about, refused = about_key(wire, name)
    if "TYPE" in refused:
        raise reached.explain(refused["TYPE"], ("TYPE",))
    return about


def _there(reached: Reached, wire: Wire, name: bytes) -> About:
    about = _about(reached, wire, name)
    if about.type == "none":
        raise no_key(name, reached)
    return about


def _call(reached: Reached, wire: Wire, words: Sequence[Word]) -> Reply:
    reply = wire.batch([words])[0]
    if isinstance(reply, ReplyError):
        raise reached.explain(reply, words[:1])
    return reply


def _pttl(wire: Wire, name: bytes) -> int:
    reply = wire.batch([("PTTL", name)])[0]
    return -1 if isinstance(reply, ReplyError) else int(reply)
