"""Says in words what an ACL user may do, and whether a single command is among it."""

from collections.abc import Iterable, Mapping

from keywright_ops.facts.acl import permitted
from keywright_ops.model.facts import AclUser

FEW = 6  # commands that are named instead of counted
FREE = frozenset({"auth", "hello", "quit", "reset"})  # everybody may, also before logging in
EVERY = ("+@all",)
# The commands that the guide uses, as it writes them.
GUIDE = (
    "PING", "INFO", "DBSIZE", "SELECT", "GET", "SET", "DEL", "KEYS", "SCAN", "TTL", "TYPE",
    "MEMORY USAGE", "MEMORY STATS", "SLOWLOG GET", "CLIENT LIST", "MONITOR", "CONFIG GET",
    "CONFIG SET", "CONFIG REWRITE", "CONFIG RESETSTAT", "ACL LIST", "ACL SETUSER", "ACL WHOAMI",
    "BGSAVE", "LASTSAVE", "SAVE", "FLUSHDB", "FLUSHALL", "SHUTDOWN", "DEBUG",
)  # fmt: skip


def may(allowed: frozenset[str], command: str) -> bool:
    """Whether `CONFIG GET` or `get` is among the permitted; on 6.2 a right is of a whole command, unless
    the rule itself names the subcommand."""
    name = command.lower().replace(" ", "|")
    parent = name.partition("|")[0]
    if name in allowed or parent in allowed or f"+{name}" in allowed:
        return True
    return "|" not in name and any(each.lstrip("+").startswith(f"{name}|") for each in allowed)


def rights_in_words(user: AclUser, categories: Mapping[str, frozenset[str]]) -> str:
    """Return what the user may do, in a few words."""
    allowed = permitted(user.commands, categories)
    every = permitted(EVERY, categories)
    odd = frozenset(each for each in allowed if each[0] in "+-(")
    plain = allowed - odd - FREE
    more = f", and {len(odd)} rule{'' if len(odd) == 1 else 's'} beside" if odd else ""
    if allowed >= every:
        return "everything"
    if not plain:
        return f"nothing{more}"
    dangerous = permitted(("-@all", "+@dangerous"), categories) - FREE
    if allowed >= every - dangerous:
        some = len(plain & dangerous)
        return f"all but the dangerous{f'; {some} of those too' if some else ''}{more}"
    if len(plain) <= FEW:
        return ", ".join(sorted(each.replace("|", " ") for each in plain)) + more
    writes = plain & permitted(("-@all", "+@write"), categories)
    parts = (
        f"{len(plain)} of {len(every)} commands",
        "writes" if writes else "no writes",
        "reads values" if "get" in plain else "sees no values",
    )
    return ", ".join(parts) + more


def patterns_in_words(patterns: Iterable[str], everything: str) -> str:
    """Return keys or channels as people say them: all, none, or the patterns."""
    found = list(patterns)
    if everything in found:
        return "all"
    return " ".join(each[1:] if each[0] in "~&" else each for each in found) or "none"


def rules(user: AclUser) -> tuple[str, ...]:
    """Return the user's rules without a password: on or off, keys, channels, commands."""
    state = ("on" if user.enabled else "off", *(("nopass",) if user.nopass else ()))
    channels = user.channels or ("resetchannels",)
    return (*state, *user.keys, *channels, *user.commands)
