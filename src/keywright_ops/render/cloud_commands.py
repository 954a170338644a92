"""Plan → the lines that open a cloud's own firewall to those that the plan names, for `az` and `aws`.

What only the account knows stands as a shell variable: $RESOURCE_GROUP and $NSG, $GROUP_ID; so does
$SSH_PORT, which is 22 unless it is set.
"""

from shlex import join, quote

from keywright_ops.model.artefact import Rule
from keywright_ops.model.plan import Plan
from keywright_ops.render.firewall import NSG_FIRST, NSG_LAST, firewall_rules

NSG = '--resource-group "$RESOURCE_GROUP" --nsg-name "$NSG"'
GROUP = '--group-id "$GROUP_ID"'


def az_commands(plan: Plan) -> tuple[str, ...]:
    """Return the lines for Azure's network security group; run again they change nothing."""
    rules = _rules(plan, "azure-nsg")
    allowed = [rule for rule in rules if rule.action == "allow"]
    numbered = [(NSG_FIRST + at, rule) for at, rule in enumerate(allowed)]
    numbered += [(NSG_LAST, rule) for rule in rules if rule.action == "deny"]
    return tuple(
        _with_port(
            f"az network nsg rule create {NSG} "
            + join(
                (
                    *("--name", f"keywright-{rule.name}", "--priority", str(priority)),
                    *("--direction", "Inbound", "--protocol", "Tcp"),
                    *("--access", rule.action.capitalize()),
                    *("--source-address-prefixes", "*" if rule.source == "any" else rule.source),
                    *("--destination-port-ranges", _port(rule), "--description", rule.comment),
                )
            )
        )
        for priority, rule in numbered
    )


def aws_commands(plan: Plan) -> tuple[str, ...]:
    """Return the lines for a security group at AWS, which has no deny: what no rule names is refused.

    AWS says InvalidPermission.Duplicate of a rule that is there already.
    """
    start = f"aws ec2 authorize-security-group-ingress {GROUP} --ip-permissions"
    return tuple(
        _with_port(f"{start} {quote(_permission(rule))}")
        for rule in _rules(plan, "aws-security-group")
    )


def _permission(rule: Rule) -> str:
    """AWS' shorthand for one rule."""
    kind, address = ("Ipv6Ranges", "CidrIpv6") if ":" in rule.source else ("IpRanges", "CidrIp")
    ports = f"IpProtocol=tcp,FromPort={_port(rule)},ToPort={_port(rule)}"
    return f"{ports},{kind}=[{{{address}={rule.source},Description={rule.comment}}}]"


UNKNOWN = "SSH-PORT"


def _port(rule: Rule) -> str:
    return str(rule.port) if isinstance(rule.port, int) else UNKNOWN


def _with_port(line: str) -> str:
    """The line with the shell's variable where nobody has asked sshd; in quotes these are left first."""
    head, quoted, tail = line.partition("'")
    variable = '"${SSH_PORT:-22}"'
    inside = f"'{variable}'"
    return head.replace(UNKNOWN, variable) + quoted + tail.replace(UNKNOWN, inside)


def _rules(plan: Plan, firewall: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in firewall_rules(plan) if rule.firewall == firewall)
