"""Plan → firewall rules: ufw on the host, and the cloud's own firewall around it.

Rules of this room. No rule opens SSH to the world. ufw takes the first rule that matches, so what
is let in stands before what is refused. Docker's published ports pass by ufw: it protects a server
of the host, and what Docker publishes is published on loopback.
"""

from keywright.errors import InputError
from keywright_ops.model.absence import Discovered
from keywright_ops.model.artefact import Rule
from keywright_ops.model.plan import Firewall, Plan

BRIDGE = "docker0"  # where RedisInsight's container comes from; the name is Docker's constant
OURS = "keywright:"  # what the comment of every rule of ours begins with
NSG_FIRST = 100  # Azure's lowest priority number; the smallest wins
NSG_LAST = 4096


def firewall_rules(plan: Plan) -> tuple[Rule, ...]:
    """Return every firewall's rules in the order in which they must stand; () without a firewall.

    A `systemd` environment has ufw, and both clouds' firewalls for the machine it may run on;
    `azure` and `aws` have their own. Raises InputError where a rule would open SSH to the world.
    """
    if plan.firewall is None:
        return ()
    if plan.kind == "azure":
        return _cloud_rules(plan, plan.firewall, "azure-nsg")
    if plan.kind == "aws":
        return _cloud_rules(plan, plan.firewall, "aws-security-group")
    return (
        _ufw_rules(plan, plan.firewall)
        + _cloud_rules(plan, plan.firewall, "azure-nsg")
        + _cloud_rules(plan, plan.firewall, "aws-security-group")
    )


def server_port(plan: Plan) -> int:
    """Return the port that clients use: TLS's own where only TLS listens."""
    if plan.kind in ("azure", "aws"):
        return plan.application.port
    if not plan.listen.port and plan.listen.tls is not None:
        return plan.listen.tls.port
    return plan.listen.port


def _ufw_rules(plan: Plan, firewall: Firewall) -> tuple[Rule, ...]:
    port = server_port(plan)
    rules = _let_in(plan, firewall, "ufw")
    if plan.insight is not None:
        why = "RedisInsight in its container"
        rules.append(Rule("ufw", "redis-bridge", "allow", "any", port, why, interface=BRIDGE))
    rules.append(Rule("ufw", "redis-deny", "deny", "any", port, "Redis: nobody else"))
    return tuple(rules)


def _cloud_rules(plan: Plan, firewall: Firewall, name: str) -> tuple[Rule, ...]:
    rules = _let_in(plan, firewall, name)
    if name == "azure-nsg":
        # Azure lets the whole virtual network in by itself (priority 65000): this comes first.
        rules.append(
            Rule(name, "redis-deny", "deny", "any", server_port(plan), "Redis: nobody else")
        )
    # A security group of AWS has no deny: what no rule lets in is refused.
    return tuple(rules)


def _let_in(plan: Plan, firewall: Firewall, name: str) -> list[Rule]:
    for source in firewall.admin_from:
        if source.endswith("/0"):
            raise InputError(
                f"firewall.admin_from: {source} would open SSH to the world",
                "name the networks that administrators come from",
            )
    for source in firewall.allow_from:
        if source.endswith("/0"):
            raise InputError(
                f"allow_from: {source} would open Redis to the world",
                "name the networks that its clients come from",
            )
    rules: list[Rule] = []
    if plan.kind == "systemd":  # a managed service has no SSH and no RedisInsight beside it
        ssh = firewall.ssh_port
        port: int | str = str(ssh) if isinstance(ssh, Discovered) else ssh
        for at, source in enumerate(firewall.admin_from, 1):
            rules.append(Rule(name, f"ssh-{at}", "allow", source, port, "SSH for administrators"))
        if plan.insight is not None and plan.insight.site:
            for web in (80, 443):
                rules += [
                    Rule(name, f"web-{web}-{at}", "allow", source, web, "RedisInsight over nginx")
                    for at, source in enumerate(firewall.admin_from, 1)
                ]
    rules += [
        Rule(name, f"redis-{at}", "allow", source, server_port(plan), "Redis clients")
        for at, source in enumerate(firewall.allow_from, 1)
    ]
    return rules


# --- ufw ----------------------------------------------------------------------------------------


def render_ufw(plan: Plan) -> str:
    """Return ufw.sh: the ufw rules as commands that a person can read and run, more than once.

    The real sshd is asked for its ports. ufw is switched on only where a rule lets SSH in.
    """
    rules = [rule for rule in firewall_rules(plan) if rule.firewall == "ufw"]
    deny = [rule for rule in rules if rule.action == "deny"]
    allow = [rule for rule in rules if rule.action == "allow"]
    taken = "".join(f"ufw delete {ufw_words(rule)} || true\n" for rule in deny)
    # The last `prepend` ends on top, so the list is walked from its end.
    opened = "".join(_ufw_allow(rule) for rule in reversed(allow))
    closed = "".join(f"ufw {ufw_words(rule)} comment '{ufw_comment(rule)}'\n" for rule in deny)
    return f"""\
#!/bin/sh
# ufw for the environment `{plan.environment}` of {plan.app}; written by Keywright. Run it as root.
# The first rule that matches wins: what is let in is put on top, the refusal at the end.
set -eu

{taken}{opened}{closed}
{_ufw_end(plan)}"""


def ufw_words(rule: Rule) -> str:
    """Return the rule as ufw takes it, and as `ufw show added` shows it."""
    if rule.action == "deny":
        return f"deny {rule.port}/tcp"
    # ufw shows a network of one address as the address
    source = rule.source.removesuffix("/128" if ":" in rule.source else "/32")
    where = f"in on {rule.interface} to any" if rule.interface else f"from {source} to any"
    return f"allow {where} port {rule.port} proto tcp"


def _ufw_allow(rule: Rule) -> str:
    if not isinstance(rule.port, str):
        return f"ufw prepend {ufw_words(rule)} comment '{ufw_comment(rule)}'\n"
    asked = ufw_words(rule._replace(port='"$port"'))
    return (
        "for port in $(sshd -T | awk '$1 == \"port\" { print $2 }'); do  # usually 22\n"
        f"    ufw prepend {asked} comment '{ufw_comment(rule)}'\n"
        "done\n"
    )


def _ufw_end(plan: Plan) -> str:
    if plan.firewall is not None and plan.firewall.admin_from:
        return "ufw --force enable\nufw status numbered\n"
    return (
        "# ufw is not switched on here: no rule above lets SSH in, and you could lock yourself\n"
        "# out. Name your network in firewall.admin_from, or allow SSH yourself, and then run:\n"
        "#   ufw enable\n"
        "ufw status verbose\n"
    )


def ufw_comment(rule: Rule) -> str:
    """Return the comment by which Keywright knows its own rules."""
    return f"{OURS} {rule.comment}"


# --- the clouds ---------------------------------------------------------------------------------


def render_nsg(plan: Plan) -> str:
    """Return azure-nsg.json: `securityRules` as Azure's resource templates and REST take them."""
    import json  # here, since `env` and `status` load this room and never need it

    rules = [rule for rule in firewall_rules(plan) if rule.firewall == "azure-nsg"]
    allowed = [rule for rule in rules if rule.action == "allow"]
    listed = [_nsg_rule(rule, NSG_FIRST + at) for at, rule in enumerate(allowed)]
    listed += [_nsg_rule(rule, NSG_LAST) for rule in rules if rule.action == "deny"]
    return json.dumps({"securityRules": listed}, indent=2) + "\n"


def _nsg_rule(rule: Rule, priority: int) -> dict[str, object]:
    return {
        "name": f"keywright-{rule.name}",
        "properties": {
            "description": rule.comment,
            "priority": priority,
            "direction": "Inbound",
            "access": "Allow" if rule.action == "allow" else "Deny",
            "protocol": "Tcp",
            "sourceAddressPrefix": "*" if rule.source == "any" else rule.source,
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": str(rule.port),
        },
    }


def render_security_group(plan: Plan) -> str:
    """Return aws-security-group.json: a list of `ip-permissions` for the AWS command line.

    A port of SSH that is not known yet stands there as its placeholder, which AWS refuses.
    """
    import json  # here, since `env` and `status` load this room and never need it
    from ipaddress import ip_network

    listed = []
    for rule in firewall_rules(plan):
        if rule.firewall != "aws-security-group":
            continue
        network = ip_network(rule.source, strict=False)
        six = network.version == 6
        source = {"CidrIpv6" if six else "CidrIp": str(network), "Description": rule.comment}
        listed.append(
            {
                "IpProtocol": "tcp",
                "FromPort": rule.port,
                "ToPort": rule.port,
                "Ipv6Ranges" if six else "IpRanges": [source],
            }
        )
    return json.dumps(listed, indent=2) + "\n"
