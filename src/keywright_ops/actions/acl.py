"""acl: the users and their rights in words, whether one may, who was refused. Never a hash in full."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from keywright.errors import InputError, ReplyError
from keywright.wire import Reply, Word
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.acl import parse_acl_list, permitted
from keywright_ops.facts.acl_log import Group, grouped, parse_acl_log
from keywright_ops.facts.rights import GUIDE, may, patterns_in_words, rights_in_words, rules
from keywright_ops.facts.setting_danger import HIDDEN
from keywright_ops.model.facts import AclUser

SENDS = ("ACL LIST", "ACL CAT", "ACL DRYRUN", "ACL LOG", "ACL WHOAMI", "CLIENT LIST", "INFO")
MARK = 8  # characters of a password's hash by which it can be told from another


class UserRow(NamedTuple):
    """One user in words. `passwords` is how many hold; `age` in days of the vault's, None not known.

    `nopass` says that any password is taken. `connections` are those of this moment. `purpose` is the
    plan's, "" for a user whom it does not know.
    """

    name: str
    enabled: bool
    nopass: bool
    rights: str
    keys: str
    channels: str
    passwords: int
    since: str
    age: int | None
    connections: int | None
    purpose: str


class UserReport(NamedTuple):
    """One user in detail: the row, its rules, the marks of its passwords, and which of the guide's
    commands it may and may not use."""

    row: UserRow
    rules: tuple[str, ...]
    marks: tuple[str, ...]
    allowed: tuple[str, ...]
    refused: tuple[str, ...]


class Verdict(NamedTuple):
    """Whether a user may: the server's own words, or (`judged`) read from the rights of its command, where
    the server has no ACL DRYRUN."""

    may: bool
    why: str
    judged: bool


class LogReport(NamedTuple):
    """Who was refused, and how many of the refusals are Keywright's own doing."""

    groups: tuple[Group, ...]
    own: int


def acl_list(reached: Reached) -> tuple[UserRow, ...]:
    """Return every user, those of the plan first. Raises ReplyError."""
    users, categories, connections = _ask(reached)
    known = [user.name for user in reached.plan.users]
    order = [name for name in known if name in users] + sorted(set(users) - set(known))
    return tuple(_row(reached, users[name], categories, connections) for name in order)


def acl_show(reached: Reached, name: str) -> UserReport:
    """Return one user in detail. Raises InputError for one that is not there."""
    users, categories, connections = _ask(reached)
    user = _known(users, name)
    allowed = permitted(user.commands, categories)
    return UserReport(
        _row(reached, user, categories, connections),
        rules(user),
        tuple(sorted(each[:MARK] for each in user.hashes)),
        tuple(each for each in GUIDE if may(allowed, each)),
        tuple(each for each in GUIDE if not may(allowed, each)),
    )


def _ask(
    reached: Reached,
) -> tuple[dict[str, AclUser], dict[str, frozenset[str]], dict[str, int] | None]:
    """ACL LIST, every category with its commands, and connections by user."""
    listed, names, clients = reached.ask([("ACL", "LIST"), ("ACL", "CAT"), ("CLIENT", "LIST")])
    _demand(reached, listed, ("ACL", "LIST"))
    _demand(reached, names, ("ACL", "CAT"))
    members = reached.ask([("ACL", "CAT", name) for name in names])
    found = {name: frozenset(each) for name, each in zip(names, members, strict=True)}
    categories = found | {"all": frozenset().union(*found.values())}
    return parse_acl_list(listed), categories, _connections(clients)


def _connections(reply: Reply) -> dict[str, int] | None:
    if isinstance(reply, ReplyError):
        return None
    from keywright_ops.facts.clients import parse_client_list

    count: dict[str, int] = {}
    for client in parse_client_list(reply):
        count[client.user] = count.get(client.user, 0) + 1
    return count


def _demand(reached: Reached, reply: Reply, words: Sequence[Word]) -> None:
    if isinstance(reply, ReplyError):
        raise reached.explain(reply, words)


def _known(users: Mapping[str, AclUser], name: str) -> AclUser:
    if name in users:
        return users[name]
    from difflib import get_close_matches  # only for those who misspell

    near = get_close_matches(name, users, 1)
    hint = f"did you mean {near[0]}?" if near else f"users are {', '.join(users)}"
    raise InputError(f"the server has no user {name!r}", hint)


def _row(
    reached: Reached,
    user: AclUser,
    categories: Mapping[str, frozenset[str]],
    connections: dict[str, int] | None,
) -> UserRow:
    since, age = _age(reached, user.name)
    planned = next((each for each in reached.plan.users if each.name == user.name), None)
    return UserRow(
        user.name,
        user.enabled,
        user.nopass,
        rights_in_words(user, categories),
        patterns_in_words(user.keys, "~*"),
        patterns_in_words(user.channels, "&*"),
        len(user.hashes),
        since,
        age,
        None if connections is None else connections.get(user.name, 0),
        planned.purpose if planned is not None else "",
    )


def _age(reached: Reached, name: str) -> tuple[str, int | None]:
    """Since when the vault's password of the user holds, and how many days that is."""
    planned = next((each for each in reached.plan.users if each.name == name), None)
    if reached.opened is None or planned is None:
        return "", None
    from keywright_ops.facts.dates import days_between
    from keywright_ops.vault.file import today

    since = reached.opened.vault.since(planned.secret)
    return since, days_between(since, today()) if since else None


def acl_dryrun(reached: Reached, name: str, words: Sequence[str]) -> Verdict:
    """Ask whether a user may send this; nothing is sent as that user. Raises InputError."""
    reply = reached.ask([("ACL", "DRYRUN", name, *words)])[0]
    if not isinstance(reply, ReplyError):
        return Verdict(reply == "OK", "" if reply == "OK" else str(reply), False)
    if "nknown subcommand" in str(reply) or "nknown command" in str(reply):
        return _judged(reached, name, words)
    if reply.code == "ERR":
        if "User" in str(reply) and "not found" in str(reply):
            _known(_ask(reached)[0], name)
        raise InputError(f"{' '.join(words[:2])}: {str(reply).removeprefix('ERR ')}")
    raise reached.explain(reply, ("ACL", "DRYRUN"))


def _judged(reached: Reached, name: str, words: Sequence[str]) -> Verdict:
    """Before Redis 7.0: by the rights of the command alone, since no key is looked at."""
    users, categories, _ = _ask(reached)
    user = _known(users, name)
    return judge(user, categories, words)


def judge(user: AclUser, categories: Mapping[str, frozenset[str]], words: Sequence[str]) -> Verdict:
    """Tell by the user's rules whether it may send the command; keys and channels are not looked at."""
    allowed = permitted(user.commands, categories)
    both = " ".join(words[:2])
    command = words[0]
    may_it = may(allowed, command) and (len(words) == 1 or _sub(allowed, both, command))
    why = "" if may_it else f"the rules of {user.name} do not permit {command.upper()}"
    return Verdict(may_it, why, True)


def _sub(allowed: frozenset[str], both: str, command: str) -> bool:
    """Where rights are of subcommands, the second word counts."""
    name = command.lower()
    parted = any(each.lstrip("+").startswith(f"{name}|") for each in allowed)
    return may(allowed, both) if parted and name not in allowed else True


def acl_log(reached: Reached) -> LogReport:
    """Return who was refused, grouped; a user name that is a password of ours is hidden."""
    reply = reached.call("ACL", "LOG", 1000)
    entries = parse_acl_log(reply)
    secrets = set()
    if reached.opened is not None:
        secrets = {each.reveal() for each in reached.opened.secrets.values()}
    safe = [
        each._replace(
            user=HIDDEN if each.user in secrets else each.user,
            object=HIDDEN if each.object in secrets else each.object,
        )
        for each in entries
    ]
    return LogReport(grouped(safe), sum(each.times for each in entries if each.ours))


def acl_log_reset(reached: Reached) -> None:
    """Forget the log. Raises ReplyError."""
    reached.call("ACL", "LOG", "RESET")


def acl_whoami(reached: Reached) -> str:
    """Return as whom the server knows us."""
    return str(reached.call("ACL", "WHOAMI"))
