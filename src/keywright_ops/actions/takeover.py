"""A server found with another configuration than Keywright's: its password is learnt, nobody is locked out.

Such a server has no ACL file: requirepass, or users that CONFIG REWRITE wrote into redis.conf.
"""

from keywright.errors import Refused
from keywright.secret import Secret
from keywright_ops.facts.acl import parse_acl_list
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.login import REFUSALS
from keywright_ops.model.plan import Plan
from keywright_ops.steps.declared import Declared
from keywright_ops.targets.target import Transport
from keywright_ops.vault.file import Vault
from keywright_ops.vault.kept import sha256


def found_password(transport: Transport, plan: Plan) -> Secret | None:
    """Return the default user's password as a redis.conf without an ACL file tells it; None when it tells
    none, or one that is not valid because a `user default` line overrules requirepass."""
    content = transport.read(plan.conf_path)
    if isinstance(content, Missing):
        return None
    conf = parse_redis_conf(content.decode("utf-8", "surrogateescape"))
    if conf.get("aclfile"):
        return None
    lines = [line for line in conf.get("user", "").split("\n") if line.startswith("default ")]
    plain = [word[1:] for line in lines for word in line.split(" ") if word.startswith(">")]
    told = Secret((plain or [conf.get("requirepass", "")])[-1])
    valid = parse_acl_list(f"user {line}" for line in lines)
    if not told or (valid and sha256(told) not in valid["default"].hashes):
        return None
    return told


def refuse_lockout(
    declared: Declared, facts: Facts, adopt: bool, ours: frozenset[str] = frozenset()
) -> None:
    """Whoever can log in at a found server must be able to afterwards. Raises Refused otherwise.

    `ours` are hashes of passwords that Keywright itself is rotating away.
    """
    if not _is_found(facts):
        return
    if isinstance(facts.users, Missing):
        if facts.users.why.startswith(REFUSALS):
            variable = declared.plan.password_variable or "REDIS_PASSWORD"
            key = f"env.{declared.plan.environment}.password_variable"
            raise Refused(
                f"the server has a password that Keywright does not know ({facts.users.why})",
                f'give it: {key} = "{variable}" in keywright.toml, and export {variable}',
            )
        return
    losers = locked_out(declared, facts, ours)
    if losers and not adopt:
        raise Refused(
            f"taking this server over would lock out {', '.join(losers)}",
            "let them log in as a user of the plan first; or accept it: `keywright up --adopt`",
        )


def _is_found(facts: Facts) -> bool:
    """Whether a server runs from a redis.conf without an ACL file."""
    disk = {} if isinstance(facts.disk_config, Missing) else facts.disk_config
    return not isinstance(facts.process, Missing) and bool(disk) and not disk.get("aclfile")


def locked_out(declared: Declared, facts: Facts, ours: frozenset[str]) -> list[str]:
    """Return who can log in at a found server and could not afterwards, as words of a sentence."""
    if not _is_found(facts) or isinstance(facts.users, Missing):
        return []
    found = [
        f"user {name}"
        for name, user in facts.users.items()
        if name not in declared.users and user.enabled
    ]
    for name, user in facts.users.items():
        planned = declared.users.get(name)
        if planned is None or not user.enabled:
            continue
        if user.nopass and not planned.nopass:
            found.append(f"who logs in as {name} without a password")
        elif user.hashes - planned.hashes - ours:
            found.append(f"who logs in as {name} with another password")
    return found


def rotated_by_us(vault: Vault) -> frozenset[str]:
    """Return the hashes of the passwords that are being rotated."""
    return frozenset(sha256(turn.other) for turn in vault.turns.values())
