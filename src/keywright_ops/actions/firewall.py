"""firewall: who may come in from outside, as rules and as the clouds' own commands."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright.errors import InputError
from keywright_ops.actions.environment import open_plan
from keywright_ops.model.artefact import Rule
from keywright_ops.model.plan import Plan
from keywright_ops.render.cloud_commands import aws_commands, az_commands
from keywright_ops.render.firewall import firewall_rules


class FirewallReport(NamedTuple):
    """The plan's rules in order, and the lines that make them in a cloud (() for the host's own)."""

    plan: Plan
    rules: tuple[Rule, ...]
    commands: tuple[str, ...]


FIREWALLS = {"show": "ufw", "az": "azure-nsg", "aws": "aws-security-group"}


def firewall(
    file: str | None, environment: str | None, environ: Mapping[str, str], verb: str
) -> FirewallReport:
    """Return the rules of one firewall; nothing is asked and nothing is changed.

    Raises InputError for an environment that has no such firewall.
    """
    _, plan = open_plan(file, environment, environ)
    wanted = FIREWALLS[verb]
    if verb == "show" and plan.kind in ("azure", "aws"):
        wanted = FIREWALLS["az" if plan.kind == "azure" else "aws"]
    if plan.firewall is None or plan.kind == {"az": "aws", "aws": "azure"}.get(verb):
        raise InputError(
            f"environment {plan.environment} ({plan.kind}) has no such firewall",
            "`keywright firewall -e linux`, `firewall az -e azure`, `firewall aws -e aws`",
        )
    rules = tuple(rule for rule in firewall_rules(plan) if rule.firewall == wanted)
    commands = {"az": az_commands, "aws": aws_commands}
    return FirewallReport(plan, rules, commands[verb](plan) if verb in commands else ())
