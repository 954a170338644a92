"""Firewall rules: what is let in, in which order, and what never is."""

import json
from ipaddress import ip_network

import pytest
from tests.unit.render.plans import TLS, built_in, guarded

from keywright.errors import InputError
from keywright_ops.model.absence import Discovered
from keywright_ops.model.artefact import Rule
from keywright_ops.model.plan import Firewall, Plan
from keywright_ops.render.firewall import (
    firewall_rules,
    render_nsg,
    render_security_group,
    render_ufw,
)

ALL = ("local", "dev", "prod", "linux", "azure", "aws")


def ufw(plan: Plan) -> list[Rule]:
    """Return the ufw rules alone."""
    return [rule for rule in firewall_rules(plan) if rule.firewall == "ufw"]


def test_the_built_in_host_lets_only_the_bridge_in() -> None:
    """`linux` as it is built in: RedisInsight's bridge first, then nobody, and nothing for SSH."""
    assert [(rule.name, rule.action, rule.interface) for rule in ufw(built_in("linux"))] == [
        ("redis-bridge", "allow", "docker0"),
        ("redis-deny", "deny", ""),
    ]


def test_who_is_let_in_stands_before_who_is_refused() -> None:
    """With networks declared: administrators, clients, the bridge, and at the end the refusal."""
    assert [(rule.name, rule.source, rule.port) for rule in ufw(guarded())] == [
        ("ssh-1", "203.0.113.7/32", 2222),
        ("web-80-1", "203.0.113.7/32", 80),
        ("web-443-1", "203.0.113.7/32", 443),
        ("redis-1", "10.0.0.0/24", 6379),
        ("redis-2", "2001:db8::/48", 6379),
        ("redis-bridge", "any", 6379),
        ("redis-deny", "any", 6379),
    ]


@pytest.mark.parametrize("plan", [*map(built_in, ALL), guarded(), guarded(None)])
def test_no_rule_opens_ssh_to_the_world(plan: Plan) -> None:
    """Every rule that lets SSH in names a network, and none of them is everybody."""
    opened = [rule for rule in firewall_rules(plan) if rule.action == "allow"]
    doors = [rule for rule in opened if not rule.interface and rule.port not in (80, 443)]
    assert [rule for rule in doors if rule.source == "any"] == []
    assert [rule for rule in doors if ip_network(rule.source).prefixlen == 0] == []


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0"])
def test_a_network_that_is_the_world_is_refused(everybody: str) -> None:
    """Administrators "from everywhere" is an error with a hint, for every firewall."""
    plan = built_in("linux")._replace(firewall=Firewall((), (everybody,), 22))
    with pytest.raises(InputError, match="would open SSH to the world"):
        firewall_rules(plan)


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_an_environment_without_a_firewall_has_no_rules(environment: str) -> None:
    """What has no host to guard has no rules: Docker's ports are guarded by where they listen."""
    assert firewall_rules(built_in(environment)) == ()


def test_a_managed_service_has_its_own_firewall_only() -> None:
    """`aws` and `azure` get their cloud's rules, on the service's port, without SSH or ufw."""
    firewall = Firewall(("10.0.0.0/24",), ("203.0.113.7/32",), 22)
    for environment, name, port in (
        ("aws", "aws-security-group", 6379),
        ("azure", "azure-nsg", 6380),
    ):
        rules = firewall_rules(built_in(environment)._replace(firewall=firewall))
        assert {rule.firewall for rule in rules} == {name}
        assert {rule.port for rule in rules} == {port}


def test_amazon_has_no_deny_and_azure_ends_with_it() -> None:
    """A security group knows no deny; Azure's refusal has the last of all priorities, since Azure
    itself lets the whole virtual network in."""
    deny = [rule.firewall for rule in firewall_rules(guarded()) if rule.action == "deny"]
    assert deny == ["ufw", "azure-nsg"]
    rules = json.loads(render_nsg(guarded()))["securityRules"]
    order = [(rule["properties"]["priority"], rule["properties"]["access"]) for rule in rules]
    assert order == sorted(order)
    assert len({priority for priority, _ in order}) == len(order)
    assert order[-1] == (4096, "Deny")
    assert order[0] == (100, "Allow")


def test_amazon_gets_both_families_of_addresses() -> None:
    """IPv4 and IPv6 networks stand in the member of ip-permissions that is theirs."""
    found = json.loads(render_security_group(guarded()))
    redis = [each for each in found if each["FromPort"] == 6379]
    assert [each.get("IpRanges", [{}])[0].get("CidrIp") for each in redis] == ["10.0.0.0/24", None]
    assert redis[1]["Ipv6Ranges"][0]["CidrIpv6"] == "2001:db8::/48"
    allowed = set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789. _-:/()#,@[]+=&;{}!$*"
    )
    texts = [range_["Description"] for each in found for range_ in each.get("IpRanges", ())]
    assert [text for text in texts if set(text) - allowed] == []


def test_ufw_is_enabled_only_where_ssh_is_let_in() -> None:
    """ufw.sh switches ufw on with administrators named, and says what to do without."""
    with_admins, without = render_ufw(guarded()), render_ufw(built_in("linux"))
    assert "\nufw --force enable\n" in with_admins
    assert "\nufw --force enable\n" not in without
    assert "firewall.admin_from" in without


def test_an_unknown_ssh_port_is_asked_of_sshd_when_the_script_runs() -> None:
    """A port that is not known yet is never written as a number, nor as a shell redirection."""
    script = render_ufw(guarded(None))
    assert isinstance(guarded(None).firewall.ssh_port, Discovered)  # type: ignore[union-attr]
    assert "sshd -T" in script
    assert '"$port"' in script
    assert "<" not in script
    assert " 22 " not in script
    assert "sshd -T" not in render_ufw(guarded())


def test_tls_alone_moves_the_rules_to_its_port() -> None:
    """Where only TLS listens, its port is what is opened and refused."""
    plan = guarded()
    plan = plan._replace(listen=plan.listen._replace(port=0, tls=TLS))
    assert {rule.port for rule in ufw(plan) if rule.name.startswith("redis")} == {6380}
