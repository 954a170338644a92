"""Steps of a rotation on a server without an ACL file: its users live in redis.conf, by CONFIG REWRITE.

Only hashes travel, but for requirepass, which the server takes as text alone.
"""

from keywright.secret import Secret
from keywright_ops.facts.acl import parse_acl_list
from keywright_ops.facts.canonical import canonical
from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import Facts
from keywright_ops.model.login import ADMIN
from keywright_ops.model.step import Do, InOrder, RedisCommand, Step
from keywright_ops.steps.files import differs, write

REWRITE = RedisCommand(ADMIN, ("CONFIG", "REWRITE"))


def is_found(facts: Facts) -> bool:
    """Whether the running server has no ACL file, on disk as it lives."""
    if isinstance(facts.config, Missing) or isinstance(facts.disk_config, Missing):
        return False
    return not facts.config.get("aclfile") and not facts.disk_config.get("aclfile")


def rotate_in_place(
    name: str, wanted: frozenset[str], unwanted: frozenset[str], named: Secret, facts: Facts
) -> list[Step]:
    """Return the steps after which the user accepts the wanted passwords (sha256, hex) and not the unwanted
    ones, in redis.conf too; other passwords that it has stay. `named` is what requirepass must say as soon
    as it is the only one."""
    assert not isinstance(facts.users, Missing) and not isinstance(facts.config, Missing)
    live = facts.users[name].hashes
    add, drop = wanted - live, live & unwanted
    doings, undoings = _set_user(name, add, drop), _set_user(name, drop, add)
    old = facts.config.get("requirepass", "") if name == "default" else ""
    if old and len(wanted) == 1 and old != canonical("requirepass", named.reveal()):
        # it forgets all other passwords of the default user; those that are not ours come back
        others = tuple(f"#{each}" for each in sorted((live - drop) | wanted))
        doings = (_require(named), RedisCommand(ADMIN, ("ACL", "SETUSER", name, *others)))
        before = tuple(f"#{each}" for each in sorted(live))
        undoings = (
            _require(Secret(old)),
            RedisCommand(ADMIN, ("ACL", "SETUSER", name, "resetpass", *before)),
        )
    if not doings and _persisted(name, live, old, facts):
        return []
    return [
        Step(
            id=f"set-user-{name}",
            title=_title(name, wanted, bool(doings)),
            do=InOrder((*doings, REWRITE)),
            undo=InOrder((*undoings, REWRITE)),
        )
    ]


def write_dotenv(dotenv: WholeFile, facts: Facts) -> list[Step]:
    """Return the step that lets the application's .env name what the vault names."""
    return [write(dotenv, facts)] if differs(dotenv, facts) else []


def _require(secret: Secret) -> RedisCommand:
    return RedisCommand(ADMIN, ("CONFIG", "SET", "requirepass", secret))


def _set_user(name: str, add: frozenset[str], drop: frozenset[str]) -> tuple[Do, ...]:
    words = (*(f"#{each}" for each in sorted(add)), *(f"!{each}" for each in sorted(drop)))
    return (RedisCommand(ADMIN, ("ACL", "SETUSER", name, *words)),) if words else ()


def _persisted(name: str, live: frozenset[str], requirepass: str, facts: Facts) -> bool:
    """Whether redis.conf says the same as the live server."""
    assert not isinstance(facts.disk_config, Missing)
    lines = facts.disk_config.get("user", "").split("\n")
    users = parse_acl_list(f"user {line}" for line in lines)
    if name == "default" and facts.disk_config.get("requirepass", "") != requirepass:
        return False
    return name not in users or users[name].hashes == live


def _title(name: str, wanted: frozenset[str], changes: bool) -> str:
    if not changes:
        return f"keep the passwords of {name} in redis.conf (CONFIG REWRITE)"
    how = "both passwords" if len(wanted) > 1 else "one password only"
    return f"let {name} log in with {how}, and keep that in redis.conf (CONFIG REWRITE)"
