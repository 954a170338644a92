"""Every operation of the cache as a flow, once, for threads and asyncio.

    c1 <stale from: Unix milliseconds, 0 for never> <JSON: {tag: generation}>
    <payload>

A tag has a generation, a text made by chance. What is stored carries the generations that stood when its
computation began; it is a miss as soon as one of them is another. So to invalidate is to write one small
key, nothing is searched, and what was computed before and stored after an invalidation is a miss as well.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from json import dumps, loads
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from keywright.errors import InputError, ReplyError
from keywright.flows import Batch, Flow, Words, checked

if TYPE_CHECKING:  # a cache is handed in; this file knows no thread and no socket
    from keywright.tracking import LocalCache

MARK = b"c1 "
TAGS_LIVE = 30 * 86400  # seconds; when a tag's generation ends, what carries it is a miss
OURS = ("tag:", "lease:")  # beginnings of keys that are not for values
Tags = Sequence[str]
Generations = dict[str, str]


class _Missing:
    """What `get` returns when there is nothing, to tell it from a stored None."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()


class Found(NamedTuple):
    """What a look found: the value (MISSING for none), whether it is stale, the tags' generations now."""

    value: Any
    stale: bool
    generations: Generations


class Sources(NamedTuple):
    """Where the time (Unix seconds) and chance come from: tokens, and a number from 0 to 1."""

    now: Callable[[], float]
    token: Callable[[], str]
    chance: Callable[[], float]


class Conversations:
    """The flows of one cache. `prefix` begins every key of it."""

    def __init__(
        self, prefix: str, sources: Sources, serializer: Any, local: "LocalCache | None" = None
    ) -> None:
        self.prefix, self._sources, self._local = prefix, sources, local
        self._dumps, self._loads = serializer.dumps, serializer.loads

    # --- looking ----------------------------------------------------------------------------------

    def look(self, key: str, tags: Tags) -> Flow[Found]:
        """One round trip; one more when the value has tags that were not named. None when held here."""
        value, *known = yield from self._fetch([self.key(key), *map(self.tag, tags)])
        generations = {tag: _text(each) for tag, each in zip(tags, known, strict=True)}
        if value is None or value[:3] != MARK:
            return Found(MISSING, False, generations)
        head, _, body = value.partition(b"\n")
        _, stale, carried = head.split(b" ", 2)
        if carried:
            its: Generations = loads(carried)
            more = [tag for tag in its if tag not in generations]
            if more:
                rest = yield from self._fetch(list(map(self.tag, more)))
                generations |= {tag: _text(each) for tag, each in zip(more, rest, strict=True)}
            if any(not generations[tag] or generations[tag] != its[tag] for tag in its):
                return Found(MISSING, False, generations)
        try:
            found = self._loads(body)
        except ValueError:  # another program's, or another serializer's: it can be computed again
            return Found(MISSING, False, generations)
        old = stale != b"0" and self._sources.now() * 1000 >= int(stale)
        return Found(found, old, generations)

    def look_many(self, keys: Sequence[str]) -> Flow[dict[str, Any]]:
        """One round trip (one more when any has tags): the values that are there and fresh, by key."""
        values = yield from self._fetch([self.key(each) for each in keys])
        tags: set[str] = set()
        for value in values:
            if value is not None and value[:3] == MARK:
                carried = value.partition(b"\n")[0].split(b" ", 2)[2]
                tags.update(loads(carried) if carried else ())
        names = sorted(tags)
        known = yield from self._fetch([self.tag(each) for each in names])
        now = dict(zip(names, map(_text, known), strict=True))
        found: dict[str, Any] = {}
        for key, value in zip(keys, values, strict=True):
            if value is None or value[:3] != MARK:
                continue
            head, _, body = value.partition(b"\n")
            _, stale, carried = head.split(b" ", 2)
            its: Generations = loads(carried) if carried else {}
            if stale != b"0" and self._sources.now() * 1000 >= int(stale):
                continue
            if all(now[tag] and now[tag] == its[tag] for tag in its):
                try:
                    found[key] = self._loads(body)
                except ValueError:
                    continue
        return found

    def _fetch(self, keys: Sequence[str]) -> Flow[list[bytes | None]]:
        """The texts at keys, those held in this process without asking. At most one round trip."""
        local = self._local
        found: dict[str, bytes | None] = {}
        if local is not None:
            found = {key: value for key in keys if (value := local.get(key)) is not None}
        missing = [key for key in keys if key not in found]
        if missing:
            tokens = [local.reserve(key) if local is not None else None for key in missing]
            replies = yield Batch(tuple(("GET", key) for key in missing))
            for key, reply, token in zip(missing, replies, tokens, strict=True):
                if isinstance(reply, ReplyError) and reply.code != "WRONGTYPE":
                    raise reply
                found[key] = reply if isinstance(reply, bytes) else None
                if local is not None:
                    local.put(key, found[key], token)
        return [found[key] for key in keys]

    # --- storing ----------------------------------------------------------------------------------

    def generations(self, tags: Tags, known: Mapping[str, str] | None = None) -> Flow[Generations]:
        """The generations of tags, made where there was none. No trip, one or two."""
        now = dict(known or {})
        unknown = [tag for tag in tags if tag not in now]
        if unknown:
            asked = yield Batch(tuple(("GET", self.tag(tag)) for tag in unknown))
            now |= {tag: _text(each) for tag, each in zip(unknown, checked(asked), strict=True)}
        unborn = [tag for tag in tags if not now[tag]]
        if unborn:
            born: list[Words] = [
                ("SET", self.tag(tag), self._sources.token(), "EX", TAGS_LIVE, "NX")
                for tag in unborn
            ]
            born += [("GET", self.tag(tag)) for tag in unborn]
            replies = checked((yield Batch(tuple(born))))
            self._forget(map(self.tag, unborn))
            now |= dict(zip(unborn, map(_text, replies[len(unborn) :]), strict=True))
        return {tag: now[tag] for tag in tags}

    def store(
        self,
        values: Mapping[str, Any],
        ttl: float,
        generations: Generations,
        grace: float = 0,
        lease: str = "",
    ) -> Flow[None]:
        """One round trip. After `ttl` seconds stale, after `grace` more gone; `lease` is given back."""
        stale = int((self._sources.now() + ttl) * 1000) if grace else 0
        carried = dumps(generations, separators=(",", ":")).encode() if generations else b""
        head = b"c1 %d %b\n" % (stale, carried)
        life = max(1, int((ttl + grace) * 1000))
        commands: list[Words] = [
            ("SET", self.key(key), head + self._dumps(value), "PX", life)
            for key, value in values.items()
        ]
        if lease:
            commands.append(("DEL", self.lease(lease)))
        checked((yield Batch(tuple(commands))))
        self._forget(map(self.key, values))

    def lend(self, key: str, milliseconds: int) -> Flow[bool]:
        """One round trip: whether the computation of `key` is ours to do for so long."""
        token = self._sources.token()
        name = self.lease(key)
        set_it = ("SET", name, token, "NX", "PX", milliseconds)
        replies = checked((yield Batch((set_it, ("GET", name)))))
        return replies[0] is not None or replies[1] == token.encode()

    def give_back(self, key: str) -> Flow[None]:
        """One round trip."""
        yield Batch((("DEL", self.lease(key)),))

    def delete(self, keys: Sequence[str]) -> Flow[int]:
        """One round trip; how many were there."""
        replies = checked((yield Batch(tuple(("UNLINK", self.key(key)) for key in keys))))
        self._forget(map(self.key, keys))
        return sum(replies)

    def invalidate(self, tags: Tags) -> Flow[None]:
        """One round trip, however many values carry the tags."""
        token = self._sources.token()
        checked(
            (yield Batch(tuple(("SET", self.tag(tag), token, "EX", TAGS_LIVE) for tag in tags)))
        )
        self._forget(map(self.tag, tags))

    # --- names ------------------------------------------------------------------------------------

    def key(self, key: str) -> str:
        """Where a value stands. Raises InputError for a name that is a tag's or a lease's."""
        if key.startswith(OURS):
            raise InputError(
                "a cache's key does not begin with tag: or lease:", "those hold its own bookkeeping"
            )
        return f"{self.prefix}{key}"

    def tag(self, tag: str) -> str:
        """Where a tag's generation stands."""
        return f"{self.prefix}tag:{tag}"

    def lease(self, key: str) -> str:
        """Where it stands that somebody computes a value."""
        return f"{self.prefix}lease:{key}"

    def spread(self, ttl: float, jitter: float) -> float:
        """A lifetime up to `jitter` (a part of it) shorter, so that values do not all end at once."""
        return ttl * (1 - jitter * self._sources.chance()) if jitter else ttl

    def _forget(self, keys: Iterable[str]) -> None:
        if self._local is not None:
            for key in keys:
                self._local.drop(key)


def _text(reply: bytes | None) -> str:
    return "" if reply is None else reply.decode()
