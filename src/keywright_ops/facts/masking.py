"""Which words of a command are secret, so that they are neither shown nor kept.

Pure. A command that is cut off or misspelt is judged by what is there: rather one word too many.
"""

from collections.abc import Sequence

from keywright.secret import MASK

# Settings whose value is a password (CONFIG SET, SENTINEL SET).
SETTINGS = frozenset(
    {
        "requirepass", "masterauth", "primaryauth", "tls-key-file-pass", "tls-client-key-file-pass",
        "auth-pass", "sentinel-pass",
    }
)  # fmt: skip
SECRETIVE = frozenset(
    {"AUTH", "HELLO", "MIGRATE", "ACL", "CONFIG", "SENTINEL"}
)  # they may carry one
# Commands of which the words after so many are values of somebody's data.
_VALUES = {
    "SET": 2, "SETEX": 3, "PSETEX": 3, "SETNX": 2, "GETSET": 2, "APPEND": 2, "SETRANGE": 3, "MSET": 2,
    "MSETNX": 2, "MSETEX": 2, "HSET": 2, "HSETNX": 3, "HMSET": 2, "HSETEX": 2, "LPUSH": 2, "RPUSH": 2,
    "LPUSHX": 2, "RPUSHX": 2, "LSET": 3, "LINSERT": 3, "LREM": 3, "LPOS": 2, "SADD": 2, "SREM": 2,
    "SISMEMBER": 2, "SMISMEMBER": 2, "SMOVE": 3, "ZADD": 2, "ZREM": 2, "ZINCRBY": 3, "XADD": 2,
    "PFADD": 2, "PUBLISH": 2, "SPUBLISH": 2, "RESTORE": 2, "EVAL": 1, "EVAL_RO": 1, "ECHO": 1,
    "GEOADD": 2, "SETBIT": 3, "JSON.SET": 3, "FCALL": 3, "FCALL_RO": 3, "EVALSHA": 2, "EVALSHA_RO": 2,
}  # fmt: skip
HIDDEN = "…"  # in the place of values


def secret_places(words: Sequence[str]) -> frozenset[int]:
    """Return where in a command (0 is its name) the secrets stand."""
    upper = [each.upper() for each in words]
    name = upper[0] if upper else ""
    part = upper[1] if len(upper) > 1 else ""
    if name == "AUTH":
        return frozenset(range(1 if len(words) < 3 else 2, len(words)))
    if name in ("HELLO", "MIGRATE"):
        return _after_auth(upper)
    if name == "ACL" and part == "SETUSER":
        return frozenset(n for n, each in enumerate(words) if n > 2 and each[:1] in "<>#!")
    if name == "CONFIG" and part == "SET":
        return frozenset(n for n in range(3, len(words), 2) if words[n - 1].lower() in SETTINGS)
    if name == "SENTINEL" and part in ("SET", "CONFIG"):
        return frozenset(n for n in range(3, len(words)) if words[n - 1].lower() in SETTINGS)
    return frozenset()


def _after_auth(upper: Sequence[str]) -> frozenset[int]:
    """HELLO 3 AUTH user password; MIGRATE … AUTH password | AUTH2 user password … [KEYS …]."""
    end = upper.index("KEYS") if upper[0] == "MIGRATE" and "KEYS" in upper else len(upper)
    found = set()
    for at, word in enumerate(upper[:end]):
        if at == 0 or word not in ("AUTH", "AUTH2"):
            continue
        found.add(at + (1 if upper[0] == "MIGRATE" and word == "AUTH" else 2))
    return frozenset(each for each in found if each < len(upper))


def masked(words: Sequence[str]) -> list[str]:
    """Return the words of a command with its secrets masked."""
    places = secret_places(words)
    return [MASK if at in places else word for at, word in enumerate(words)] if places else [*words]


def without_values(words: Sequence[str]) -> list[str]:
    """Return the command without the values that it writes: name, key, and … for the rest."""
    kept = _VALUES.get(words[0].upper()) if words else None
    if kept is None or len(words) <= kept:
        return masked(words)
    return [*words[:kept], HIDDEN]
