"""Writes users.acl: one line per user, passwords as SHA-256 only.

No comment stands in it: servers before Redis 8.8 refuse an ACL file with one. Words are separated
by single blanks and there is no quoting, so a rule that holds a blank cannot be written at all.
"""

from collections.abc import Mapping

from keywright.errors import InputError
from keywright.secret import Secret
from keywright_ops.facts.acl import parse_acl_list
from keywright_ops.model.facts import AclUser
from keywright_ops.model.plan import Plan, User


def render_acl(
    plan: Plan, secrets: Mapping[str, Secret], beside: Mapping[str, Secret] | None = None
) -> str:
    """Return the ACL file of all the plan's users; never a plaintext password.

    `beside` are second passwords, accepted too while they are rotated.

    A user whose secret is missing or empty is an error when it is enabled (it would be a user that
    nobody can be), and is written `off` without a password otherwise. Raises InputError.
    """
    more = beside or {}
    return "".join(
        _line(user, secrets.get(user.secret), more.get(user.secret)) + "\n" for user in plan.users
    )


def declared_users(
    plan: Plan, secrets: Mapping[str, Secret], beside: Mapping[str, Secret] | None = None
) -> dict[str, AclUser]:
    """Return the plan's users as ACL LIST would tell them, to compare with the live ones."""
    return parse_acl_list(render_acl(plan, secrets, beside).split("\n"))


def _line(user: User, secret: Secret | None, beside: Secret | None) -> str:
    for rule in (user.name, *user.rules):
        selector = rule.startswith("(") and rule.endswith(")") and rule is not user.name
        if not rule or any(c in rule for c in ("\n\r\t\0" if selector else " \n\r\t\v\f\0")):
            raise InputError(
                f"user {user.name!r} has the rule {rule!r}, and an ACL file cannot hold blanks",
                "choose a prefix and a user name without spaces",
            )
    words = ["user", user.name, "on" if user.enabled else "off"]
    if secret:
        # in a fixed order, so that the file stays as it is when the two change places
        words += sorted({"#" + _sha256(each) for each in (secret, beside) if each})
    elif user.enabled:
        raise InputError(
            f"user {user.name!r} is enabled and has no password",
            f"give the secret {user.secret!r} a value, or turn the user off",
        )
    return " ".join([*words, *user.rules])


def _sha256(secret: Secret) -> str:
    # Imported here: hashlib loads OpenSSL, which a command that renders nothing should not pay.
    from hashlib import sha256

    try:
        return sha256(secret.reveal().encode("utf-8", "surrogateescape")).hexdigest()
    except UnicodeEncodeError:  # its text would hold the password
        raise InputError("a password holds half a character (a lone surrogate)") from None
