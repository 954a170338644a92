"""Which commands a person is asked about before they are sent: each with one reason, and what to use
instead.

Pure. Judged by command and subcommand and by what they do, not by the server's @dangerous category:
that one holds INFO and knows neither EVAL nor a flush's size.
"""

from collections.abc import Sequence
from typing import NamedTuple

MANY_KEYS = 10_000  # KEYS of fewer takes less than 2 ms


class Danger(NamedTuple):
    """`reason` is one sentence; `instead` a command that serves as well, "" where there is none.

    `loses` says that data is lost, and `from_keys` that so few keys do no harm.
    """

    reason: str
    instead: str = ""
    loses: bool = False
    from_keys: int = 0


_REPLICA = Danger("this server gives up its own data and takes another's", loses=True)
_SLOTS = Danger("clients are sent elsewhere, and the cluster may stop serving")
_FLUSH = "deletes every key of {where}"
_SCRIPTS = Danger(
    "applications that send EVALSHA or FCALL fail until they load their scripts again"
)
_USERS = Danger(
    "users change until the next `up`, which puts them back as declared", "`keywright acl`"
)
_SHARDED = Danger("every key changes its place at once, for all clients", loses=True)

DANGERS = {
    "FLUSHALL": Danger(_FLUSH.format(where="every database"), "`keywright flush`", True),
    "FLUSHDB": Danger(_FLUSH.format(where="this database"), "`keywright flush`", True),
    "SHUTDOWN": Danger("the server ends, and every client with it", "`keywright down`"),
    "DEBUG": Danger("it can crash, freeze or empty the server", "", True),
    "CONFIG SET": Danger(
        "the setting no longer is as declared, and is gone after a restart",
        "keywright.toml and `keywright up`",
    ),
    "CONFIG REWRITE": Danger("the declared redis.conf is written over", "`keywright up`"),
    "CONFIG RESETSTAT": Danger(
        "every counter of INFO starts at 0, and graphs break", "`keywright stats`"
    ),
    "KEYS": Danger(
        "it walks every key in one go, and nobody else is served meanwhile",
        "`keywright keys PATTERN`",
        from_keys=MANY_KEYS,
    ),
    "MONITOR": Danger(
        "it tells every command of every client, and costs them about a sixth of their speed",
        "`keywright monitor`, which ends by itself",
    ),
    "REPLICAOF": _REPLICA,
    "SLAVEOF": _REPLICA,
    "FAILOVER": Danger("this server becomes a replica, and writes to it are refused"),
    "ACL SETUSER": _USERS,
    "ACL DELUSER": _USERS._replace(reason="its clients are hung up on at once"),
    "ACL LOAD": _USERS._replace(
        reason="users become what the ACL file says, and clients may be hung up on"
    ),
    "CLIENT KILL": Danger(
        "clients lose their connection in the middle of what they do", "`keywright clients`"
    ),
    "CLIENT PAUSE": Danger("every client waits until the pause ends"),
    "SCRIPT FLUSH": _SCRIPTS,
    "SCRIPT KILL": Danger("a script ends in its middle"),
    "FUNCTION FLUSH": _SCRIPTS,
    "FUNCTION DELETE": _SCRIPTS,
    "FUNCTION RESTORE": _SCRIPTS,
    "FUNCTION KILL": Danger("a function ends in its middle"),
    "SWAPDB": _SHARDED._replace(
        reason="every client of both databases sees the other's keys at once", loses=False
    ),
    "MIGRATE": Danger("keys leave this server, and it waits for the other one meanwhile", "", True),
    "SAVE": Danger("nobody is served until the snapshot is written", "BGSAVE"),
    "MODULE LOAD": Danger("foreign code runs inside the server"),
    "MODULE LOADEX": Danger("foreign code runs inside the server"),
    "MODULE UNLOAD": Danger("commands and types of the module are gone"),
    "CLUSTER RESET": _SLOTS._replace(loses=True),
    "CLUSTER FAILOVER": _SLOTS,
    "CLUSTER FORGET": _SLOTS,
    "CLUSTER MEET": _SLOTS,
    "CLUSTER REPLICATE": _REPLICA,
    "CLUSTER FLUSHSLOTS": _SLOTS,
    "CLUSTER DELSLOTS": _SLOTS,
    "CLUSTER DELSLOTSRANGE": _SLOTS,
    "CLUSTER ADDSLOTS": _SLOTS,
    "CLUSTER ADDSLOTSRANGE": _SLOTS,
    "CLUSTER SETSLOT": _SLOTS,
}
# What a connection of ours cannot follow, by its first words: why, and what serves instead.
IMPOSSIBLE = {
    "SYNC": ("it makes a replica of the connection", "`keywright persist now`"),
    "PSYNC": ("it makes a replica of the connection", "`keywright persist now`"),
    "CLIENT REPLY OFF": ("the server would answer nothing from then on", "leave it out"),
    "CLIENT REPLY SKIP": ("the server would not answer the next command", "leave it out"),
    "SCRIPT DEBUG YES": ("the debugger speaks another language", "redis-cli --ldb"),
    "SCRIPT DEBUG SYNC": ("the debugger speaks another language", "redis-cli --ldb"),
}
# Of a command that is named whole, these parts only look.
HARMLESS = frozenset({"DEBUG OBJECT", "DEBUG HELP", "DEBUG JMAP", "DEBUG STRINGMATCH-LEN"})


def danger(words: Sequence[str]) -> Danger | None:
    """Return why to ask before this command is sent; None when there is no need to."""
    if not words:
        return None
    first = words[0].upper()
    both = f"{first} {words[1].upper()}" if len(words) > 1 else first
    if both in HARMLESS:
        return None
    found = DANGERS.get(both) or DANGERS.get(first)
    return _sharpened(found, first, [each.upper() for each in words]) if found else None


def impossible(words: Sequence[str]) -> tuple[str, str] | None:
    """Return why this command cannot be sent from here, and what to use; None when it can."""
    upper = [each.upper() for each in words[:3]]
    return IMPOSSIBLE.get(" ".join(upper)) or IMPOSSIBLE.get(upper[0] if upper else "")


def _sharpened(found: Danger, first: str, upper: Sequence[str]) -> Danger | None:
    """What the words besides the name change about it."""
    if first == "SHUTDOWN" and "ABORT" in upper:
        return None
    if first == "SHUTDOWN" and "NOSAVE" in upper:
        return found._replace(reason="the server ends without saving its data", loses=True)
    if first in ("REPLICAOF", "SLAVEOF") and upper[1:] == ["NO", "ONE"]:
        return found._replace(
            reason="this replica stops following and takes writes of its own", loses=False
        )
    return found
