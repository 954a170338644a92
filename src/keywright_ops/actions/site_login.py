"""The login of RedisInsight's site: told to whoever asks for it, and renewed."""

from typing import NamedTuple

from keywright.errors import InputError, Refused
from keywright.secret import Secret
from keywright_ops.actions.declared import declare, file_paths
from keywright_ops.actions.environment import Opened
from keywright_ops.actions.taking_back import apply_or_undo
from keywright_ops.actions.up import Ask, home_of, open_for_change, workshop
from keywright_ops.apply.lock import lock
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.plan import Insight
from keywright_ops.model.step import KeepSecret, Step
from keywright_ops.render.nginx import LOGIN, PASSWORDS
from keywright_ops.steps.diff import diff
from keywright_ops.steps.files import write_id


class SiteLogin(NamedTuple):
    """Where the site is, who logs in there, and with which password (Missing until `up` has made it)."""

    url: str
    user: str
    password: Secret | Missing


def site_login(opened: Opened) -> SiteLogin | Missing:
    """Return the site's login; Missing where no site, or none with a login of Keywright's, is declared."""
    insight = opened.plan.insight
    if insight is None or not insight.secret:
        return Missing("no site is declared")
    password: Secret | Missing = Missing("not made yet")
    if opened.vault.keeps(insight.secret):
        password = opened.secrets[insight.secret]
    return SiteLogin(f"https://{insight.site}", LOGIN, password)


def renew_steps(opened: Opened) -> tuple[Opened, tuple[Step, ...]]:
    """Return the environment with another password of the site, and the steps that make it hold.

    Raises InputError without a site, Refused where the site is not as declared.
    """
    insight = _demand_site(opened)
    before = _diff(opened)
    if before or not opened.vault.keeps(insight.secret):
        first = before[0].title if before else "the login was not made yet"
        raise Refused(
            f"environment {opened.plan.environment} is not as declared: {first}",
            "`keywright up` brings it there first",
        )
    password = opened.vault.draft_anew(insight.secret)
    opened = opened._replace(secrets={**opened.secrets, insight.secret: password})
    wanted = write_id(PASSWORDS)
    steps = (each for each in _diff(opened) if isinstance(each.do, KeepSecret) or each.id == wanted)
    return opened, tuple(steps)


def renew_login(ask: Ask) -> tuple[Opened, tuple[Step, ...]]:
    """Give the site's login another password; the old one ends at once, as nginx reads the file anew."""
    with lock(f"{home_of(ask)}/lock", "keywright insight renew"):
        opened, steps = renew_steps(open_for_change(ask))
        apply_or_undo(steps, workshop(opened, ask))
    return opened, steps


def _diff(opened: Opened) -> tuple[Step, ...]:
    declared = declare(opened)
    return diff(declared, gather(opened.target, opened.plan, EVERYTHING, file_paths(declared)))


def _demand_site(opened: Opened) -> Insight:
    insight, environment = opened.plan.insight, opened.plan.environment
    if insight is None or not insight.secret:
        raise InputError(
            f"environment {environment} has no site of RedisInsight with a login of Keywright's",
            f'env.{environment}.insight.site = "insight.example.com" declares one, for a Linux host',
        )
    return insight
