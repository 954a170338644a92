"""password status: who keeps each password, how old it is, and which rotation is unfinished."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright_ops.actions.environment import Opened, given_password, open_environment
from keywright_ops.facts.dates import days_between
from keywright_ops.model.plan import Plan
from keywright_ops.vault.file import OLD_DAYS, today


class Password(NamedTuple):
    """One user's password.

    `source` is who keeps it: `vault`, `variable`, `guide`, or `nobody` as long as it is not made.
    `since` is a UTC date, "" when not known; `age` in days; `phase` of an unfinished rotation, or "".
    """

    user: str
    enabled: bool
    source: str
    since: str
    age: int | None
    phase: str
    held: bool

    @property
    def old(self) -> bool:
        """Whether it is time for another one."""
        return self.age is not None and self.age > OLD_DAYS


class PasswordReport(NamedTuple):
    """The passwords of an environment, in the plan's order of users, that of RedisInsight's site last;
    never one of them itself."""

    plan: Plan
    passwords: tuple[Password, ...]


def password_status(
    file: str | None, environment: str | None, environ: Mapping[str, str]
) -> PasswordReport:
    """Read the vault; the server is not asked."""
    opened = open_environment(file, environment, environ)
    now = today()
    wanted = [(user.name, user.secret, user.enabled) for user in opened.plan.users]
    insight = opened.plan.insight
    if insight is not None and insight.secret:  # no user of the server, but a password all the same
        wanted.append((insight.secret, insight.secret, True))
    rows = []
    for name, secret, enabled in wanted:
        turn = opened.vault.turns.get(secret)
        source = _source(opened, secret, environ)
        since = opened.vault.since(secret) if source == "vault" else ""
        age = days_between(since, now)
        phase, held = (turn.phase, turn.held) if turn else ("", False)
        rows.append(Password(name, enabled, source, since, age, phase, held))
    return PasswordReport(opened.plan, tuple(rows))


def _source(opened: Opened, name: str, environ: Mapping[str, str]) -> str:
    given = given_password(opened.plan, opened.place, environ) if name == "default" else None
    if given is not None and given == opened.secrets[name]:
        return "variable"
    if opened.vault.keeps(name):
        return "vault"
    return "nobody" if name in opened.vault.drafted else "guide"
