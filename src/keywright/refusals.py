"""What a server's refusal means: its code found in whatever a client made of it, a sentence, a hint.

redis-py takes the code off most replies and keeps some in its exceptions' kinds; here it is found again.
"""

from collections.abc import Iterator

from keywright.endpoint import Endpoint
from keywright.errors import KeywrightError, ReplyError

_REPLY_CODES = (
    "NOAUTH", "WRONGPASS", "NOPERM", "DENIED", "LOADING", "MISCONF", "MOVED", "CLUSTERDOWN",
    "MASTERDOWN", "READONLY", "OOM",
)  # fmt: skip
# The same replies where the client has taken the code off.
_REPLY_TEXTS = {
    "HELLO must be called with the client already authenticated": "NOAUTH",
    "Authentication required": "NOAUTH",
    "invalid username-password pair": "WRONGPASS",
    "AUTH called without any password configured": "NOPASSWORD",
    "AUTH <password> called without any password": "NOPASSWORD",
    "max number of clients": "MAXCLIENTS",
    "running in protected mode": "DENIED",
    "loading the dataset in memory": "LOADING",
    "has no permissions": "NOPERM",
    "User default has no permissions": "NOPERM",
    "DB index is out of range": "DATABASE",
    "invalid DB index": "DATABASE",
    "SELECT is not allowed in cluster mode": "CLUSTERDATABASE",
    "Invalid Database": "DATABASE",
    "unable to persist": "MISCONF",
}
# Kinds of exceptions that carry a server's reply in redis-py's tree, by name, where text does not say.
_REPLY_NAMES = {
    "BusyLoadingError": "LOADING", "NoPermissionError": "NOPERM", "MovedError": "MOVED",
    "AuthorizationError": "NOPERM", "ReadOnlyError": "READONLY",
    "OutOfMemoryError": "OOM",
}  # fmt: skip


# By code: the sentence, and what to do.
_MEANINGS = {
    "NOAUTH": (
        "{at} asks for a password, and none was sent",
        ("set REDIS_PASSWORD, or write it into REDIS_URL (redis://default:password@host:6379/0, "
        "percent-encoded), then make the container anew: a restart keeps the old environment"),
    ),
    "WRONGPASS": (
        "{at} does not take the password of {user}, or the user is off or unknown",
        ("compare the password with the server's (`keywright check` does); was it rotated, is it "
        "percent-encoded in REDIS_URL, and does REDIS_USERNAME name the right user?"),
    ),
    "NOPASSWORD": (
        "{at} has no password, and one was sent",
        "give the server its password (requirepass or an ACL user), or take it out of the settings",
    ),
    "NOPERM": (
        "{at} does not let {user} do that",
        ("look at `ACL GETUSER`: are the command and the keys (CACHE_PREFIX) allowed, and is it "
        "the user that was meant?"),
    ),
    "DENIED": (
        "{at} is in protected mode: it has no password, and serves only its own machine",
        "give the server a password and connect with it; do not switch protected-mode off",
    ),
    "MAXCLIENTS": (
        "{at} has as many clients as it allows",
        ("look who they are with CLIENT LIST; lower REDIS_POOL_MAX_CONNECTIONS times the number of "
        "processes, or raise maxclients"),
    ),
    "LOADING": (
        "{at} is still loading its data",
        "wait and ask again; how much is left is in INFO persistence",
    ),
    "MISCONF": (
        "{at} refuses writes, because it could not save its data to disk",
        "look at the disk (full, read-only, wrong owner) and the server's log, then run BGSAVE",
    ),
    "DATABASE": (
        "{at} has no database {database}",
        "set REDIS_DB (or the number at the end of REDIS_URL) to less than `CONFIG GET databases`",
    ),
    "CLUSTERDATABASE": (
        "{at} is a cluster, which has database 0 only, and {database} was asked for",
        "set REDIS_DB=0",
    ),
    "MOVED": (
        "{at} is one node of a cluster, and the client knows only this one",
        "connect with cluster=True: connect(…, cluster=True)",
    ),
    "CLUSTERDOWN": (
        "{at} belongs to a cluster that does not serve",
        "look at CLUSTER INFO: are all slots assigned, and are their nodes up?",
    ),
    "MASTERDOWN": (
        "{at} is a replica that has lost its master",
        "connect to the master, or look at INFO replication",
    ),
    "OOM": (
        "{at} is full, and evicts nothing",
        "raise maxmemory, shorten what is kept, or let it evict (maxmemory-policy)",
    ),
    "READONLY": (
        "{at} is a replica, which takes no writes",
        "connect to the master; with Sentinel write redis+sentinel:// and let it be asked",
    ),
}  # fmt: skip


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, and those that it was raised from or while handling: the innermost first."""
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or at.__context__
    return reversed(found)


def code_of(error: BaseException) -> str:
    """The code of the server's refusal, "" when the server refused nothing."""
    if isinstance(error, KeywrightError) and not isinstance(error, ReplyError):
        return ""
    for each in chain(error):
        text = str(each)
        first = text.split(" ", 1)[0].removeprefix("-")
        given = getattr(each, "code", None) or getattr(each, "status_code", None)
        for code in (given, first, _REPLY_NAMES.get(type(each).__name__)):
            if code in _REPLY_CODES:
                return str(code)
        for words, code in _REPLY_TEXTS.items():
            if words in text:
                return code
    return ""


def refusal(code: str, endpoint: Endpoint) -> ReplyError:
    """Return the error of a refusal with this code; its `code` is the server's own word."""
    user = f"user {endpoint.username}" if endpoint.username else "the default user"
    sentence, hint = _MEANINGS[code]
    refused = ReplyError(
        sentence.format(at=endpoint.address, user=user, database=endpoint.database), hint
    )
    refused.code = code if code in _REPLY_CODES else "ERR"
    return refused


def hint_for(reply: ReplyError) -> str:
    """What to do about the server's own refusal, "" when that is not known."""
    code = code_of(reply)
    return _MEANINGS[code][1] if code else ""
