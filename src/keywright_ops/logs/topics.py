"""What the servers write about each topic, as literal phrases; and what no server ever writes, with the
command that tells it instead.

Each phrase stands in the program of Redis 7.0, Redis 8.2 or Valkey 9.1, or came from it through the C
library; tests/engines/test_log_topics.py looks.

Pure: reads no clock and asks nobody.
"""

import re
from collections.abc import Iterable

from keywright.errors import InputError
from keywright_ops.logs.pattern import Wanted, literal

TOPICS: dict[str, tuple[str, ...]] = {
    "connection": (
        "Accepted ", "Client closed connection", "Closing idle client", "Closing client that reached",
        "scheduled to be closed ASAP", "closed for overcoming of output buffer", "Reading from client",
        "Error writing to client", "Error accepting", "Accepted client connection in error state",
        "Accepting client connection", "max number of clients", "maxclients", "maximum open files",
        "Protocol error", "Connection with ", "Connection reset by peer", "ready to accept connections",
        "listening socket", "Failed listening", "not listen anywhere", "Address already in use",
        "Evicting client", "TCP backlog", "clients connected",
    ),
    "performance": (
        "Slow script detected", "fsync is taking too long", "latency", "Transparent Huge Pages",
        "TCP backlog", "clocksource", "overcommit", "Active defrag", "signal handler took",
        "DB loaded from", "overcoming of output buffer", "Fork CoW for",
        "memory used by copy-on-write", "io-threads",
    ),
    "memory": (
        "maxmemory", "overcommit", "Out Of Memory", "OOM", "oom_score_adj", "Cannot allocate memory",
        "Insufficient memory", "Transparent Huge Pages", "Fork CoW for", "memory used by copy-on-write",
        "in background: fork", "bytes in use", "Evicting client", "memory usage when created",
        "MEMORY ERROR", "memory test", "Active defrag", "no memory limit set",
    ),
    "persistence": (
        "RDB", "AOF", "append only file", "append-only", "Background saving", "seconds. Saving",
        "saved on disk", "saving DB on disk", "save the DB", "loaded from", "Can't save in background",
        "fsync", "No space left on device", "copy-on-write",
    ),
    "startup": (
        "is starting", "just started", "Configuration loaded", "no config file specified",
        "Running mode=", "Server initialized", "ready to accept connections", "monotonic clock",
        "loaded from", "Loading RDB", "Done loading", "RDB age", "memory usage when created",
        "FATAL CONFIG FILE ERROR", "maximum number of open files", "maximum open files",
        "WARNING ", "listening socket", "Failed listening", "User requested shutdown",
        "Received SIG", "final RDB snapshot", "ready to exit", "Removing the pid file", "Aborting ",
        "Module '",
    ),
    "replication": (
        "replica", "master", "primary", "resync", "psync", "diskless", "failover", "-sdown", "+sdown",
        "-odown", "+odown", "quorum",
    ),
    "security": (
        "SECURITY", "protected mode", "ACL", "AUTH", "unauthenticated", "password", "certificate", "TLS",
        "DENIED", "permission", "default user",
    ),
}  # fmt: skip

# What people look for in a log and no server writes there: a word of the pattern → the sentence.
NEVER: tuple[tuple[str, str], ...] = (
    (
        r"noauth|wrongpass|noperm|auth|denied|login|passw|unauthor|forbidden",
        "the server never logs a failed login or a denied command: `keywright acl log` shows them",
    ),
    (
        r"slow|latency|\btook\b|timeout",
        "the server never logs slow commands: `keywright slowlog` and `keywright latency` show them",
    ),
    (
        r"session|[a-z0-9_-]+:[a-z0-9*{]|\b(get|set|setex|getex|del|hget|hset|expire|incr|scan|keys)\b",
        "the server never logs commands or keys: `keywright monitor` shows them as they come",
    ),
    (r"\binfo\b", "the servers have no level info: notice is it (--level notice)"),
    (r"^\^?\\?\{", "the servers write no JSON (RedisInsight does): --json gives it of any log"),
    (
        r"error|fatal|critical|\berr\b|warn",
        "the servers mark what is grave by #, not by a word: --level warning finds it",
    ),
)
TOPIC_NOTES = {
    "security": NEVER[0][1],
    "performance": NEVER[1][1],
    "connection": NEVER[0][1],
}


def topic(names: Iterable[str]) -> Wanted:
    """Return the pattern of one or more topics. Raises InputError with the nearest name."""
    phrases: list[str] = []
    for name in names:
        if name not in TOPICS:
            raise InputError(f"there is no topic {name!r}", _nearest(name))
        phrases += TOPICS[name]
    return literal(phrases)


def _nearest(name: str) -> str:
    from difflib import get_close_matches  # only for who mistyped

    near = get_close_matches(name, TOPICS, 1)
    return f"did you mean --about {near[0]}?" if near else f"topics are {', '.join(TOPICS)}"


def never(patterns: Iterable[str], topics: Iterable[str]) -> list[str]:
    """Return the sentences about what was looked for and no server writes."""
    found = [TOPIC_NOTES[name] for name in topics if name in TOPIC_NOTES]
    for pattern in patterns:
        found += [told for words, told in NEVER if re.search(words, pattern, re.IGNORECASE)]
    return list(dict.fromkeys(found))
