"""The shape of a command: its name with its key's pattern, so that a thousand calls of one kind are one line.

Ids in a key become *: session:3f2a…:cart is session:*:cart.
"""

import re
from collections.abc import Sequence

# Commands of two words: the second says what it does.
CONTAINERS = frozenset(
    "ACL CLIENT CLUSTER COMMAND COMMANDLOG CONFIG DEBUG FUNCTION LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT "
    "SENTINEL SLOWLOG XGROUP XINFO".split()
)
CONTAINED_KEY = frozenset("MEMORY USAGE|OBJECT ENCODING|OBJECT FREQ|OBJECT IDLETIME".split("|"))
KEYLESS = frozenset(
    "AUTH BGREWRITEAOF BGSAVE DBSIZE DISCARD ECHO EXEC FAILOVER FLUSHALL FLUSHDB HELLO INFO LASTSAVE LOLWUT "
    "MONITOR MULTI PING PSYNC QUIT RANDOMKEY READONLY READWRITE REPLCONF REPLICAOF RESET ROLE SAVE "
    "SCAN SELECT SHUTDOWN SLAVEOF SUBSCRIBE SWAPDB SYNC TIME UNSUBSCRIBE UNWATCH WAIT WAITAOF".split()
)
SEVERAL = frozenset(
    "DEL UNLINK EXISTS TOUCH MGET MSET MSETNX WATCH SUNION SINTER SDIFF SUNIONSTORE SINTERSTORE SDIFFSTORE "
    "PFCOUNT PFMERGE".split()
)
SCRIPTS = frozenset("EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO".split())
COUNTED = frozenset("ZUNION ZINTER ZDIFF SINTERCARD ZINTERCARD LMPOP ZMPOP".split())
LATER = {"BITOP": 2, "MIGRATE": 3, "BLMPOP": 3, "BZMPOP": 3}  # where the key stands instead
MOST = 60  # characters of a pattern
SCRIPT = 16  # characters of a script

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
RUN = re.compile(r"[0-9A-Za-z]+")


def key_pattern(key: str) -> str:
    """Return a key with its ids replaced by *: numbers, hexadecimal, UUIDs and long random words."""
    text = RUN.sub(_part, UUID.sub("*", key))
    text = re.sub(r"\*(?:[-_.]?\*)+", "*", text)
    return text if len(text) <= MOST else text[: MOST - 1] + "…"


def _part(found: "re.Match[str]") -> str:
    part = found[0]
    if part.isdigit():
        return "*"
    digits = sum(each.isdigit() for each in part)
    hexadecimal = all(each in "0123456789abcdefABCDEF" for each in part)
    if digits and ((hexadecimal and len(part) >= 6) or len(part) >= 16):
        return "*"
    return re.sub(r"\d+$", "*", part)  # user123 → user*


def command_shape(words: Sequence[str]) -> str:
    """Return the command's name and its key's pattern; values are never part of it."""
    if not words:
        return ""
    name = words[0].upper()
    rest = list(words[1:])
    if name in CONTAINERS and rest:
        name = f"{name} {rest.pop(0).upper()}"
        if name not in CONTAINED_KEY:
            return name
    if name in SCRIPTS:
        return _script(name, rest)
    key = _key(name, rest)
    if not key:
        return name
    several = " …" if name in SEVERAL and len(rest) > 1 else ""
    return f"{name} {key_pattern(key)}{several}"


def _key(name: str, rest: Sequence[str]) -> str:
    """The first key, or the pattern of a search; "" for none."""
    if name == "SCAN":
        upper = [word.upper() for word in rest]
        place = upper.index("MATCH") + 1 if "MATCH" in upper else len(rest)
    elif name in KEYLESS:
        return ""
    elif name in ("XREAD", "XREADGROUP"):
        upper = [word.upper() for word in rest]
        place = upper.index("STREAMS") + 1 if "STREAMS" in upper else len(rest)
    else:
        place = LATER.get(name, 2 if name in COUNTED else 1) - 1
    return rest[place] if place < len(rest) else ""


def _script(name: str, rest: Sequence[str]) -> str:
    """A script by its beginning (EVALSHA: its digest, FCALL: its function), and its first key's pattern."""
    script = " ".join(rest[0].split()) if rest else ""
    script = script if len(script) <= SCRIPT else script[: SCRIPT - 1] + "…"
    keys = rest[2:] if len(rest) > 2 and rest[1].isdigit() and int(rest[1]) else []
    return " ".join((name, script, *map(key_pattern, keys[:1]))).rstrip()
