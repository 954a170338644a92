"""What a person is told when the server does not let them: which command, whose right it is, what else
answers the question.

Pure: reads no clock and asks nobody.
"""

from collections.abc import Sequence

from keywright.errors import InputError, KeywrightError, ReplyError
from keywright_ops.model.login import ADMIN

# What managed services keep to themselves, and where the answer stands instead.
AZURE = {
    "CONFIG": "az redis update --set redisConfiguration… (or the portal's Advanced settings)",
    "ACL": "the portal: Data Access Configuration",
    "BGSAVE": "az redis export, or the portal's Data persistence",
    "BGREWRITEAOF": "the service rewrites it by itself",
    "SAVE": "az redis export",
    "MONITOR": "`keywright slowlog` and `keywright commandstats`; the portal's Metrics",
    "DEBUG": "nothing: the service has no such door",
    "SHUTDOWN": "az redis force-reboot",
}
AWS = {
    "CONFIG": "aws elasticache modify-cache-parameter-group",
    "ACL": "aws elasticache create-user, modify-user-group",
    "BGSAVE": "aws elasticache create-snapshot",
    "BGREWRITEAOF": "the service keeps data by replicas and snapshots",
    "SAVE": "aws elasticache create-snapshot",
    "MONITOR": "`keywright slowlog` and `keywright commandstats`; CloudWatch",
    "DEBUG": "nothing: the service has no such door",
    "SHUTDOWN": "aws elasticache reboot-cache-cluster",
}
INSTEAD = {"azure": AZURE, "aws": AWS}
CONTAINERS = frozenset(
    "ACL CLIENT CLUSTER COMMAND COMMANDLOG CONFIG FUNCTION LATENCY MEMORY MODULE OBJECT SCRIPT SLOWLOG "
    "XINFO".split()
)
TYPES = "string, list, set, zset, hash, stream, and those of modules"
UNKNOWN = ("unknown command", "unknown subcommand", "Unknown subcommand")


def named(words: Sequence[object]) -> str:
    """Return a command's name with its subcommand, as people write it: CONFIG GET, MEMORY USAGE."""
    first = str(words[0]).upper()
    second = str(words[1]).upper() if len(words) > 1 else ""
    return f"{first} {second}" if first in CONTAINERS and second else first


def refused(
    reply: ReplyError, words: Sequence[object], login: str, kind: str, version: str = ""
) -> KeywrightError:
    """Return what to raise for a server's refusal of a command.

    `login` is as whom it was sent, `kind` the environment's. What is neither a missing right nor an
    unknown command is returned as it came.
    """
    if "unknown type name" in str(reply):
        return InputError(
            f"the server knows no such type: {str(reply).removeprefix('ERR ')}",
            f"types are {TYPES}",
        )
    missing = any(each in str(reply) for each in UNKNOWN)
    if reply.code != "NOPERM" and not missing:
        return reply
    command = named(words)
    if kind in INSTEAD:
        where = INSTEAD[kind].get(command.partition(" ")[0], "the service's own console and tools")
        error = ReplyError(f"the managed service does not allow {command}", f"instead: {where}")
    elif missing:
        of = f" of this version ({version})" if version else " of this version"
        error = ReplyError(
            f"the server{of} has no {command}",
            "is it written right? `keywright info server` tells the version",
        )
    else:
        hint = "" if login == ADMIN else "leave out --as: Keywright's own user may"
        error = ReplyError(f"user {login} may not use {command}", hint)
    error.code = reply.code
    return error
