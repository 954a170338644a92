"""The lines for `az` and `aws`, run by sh with stand-ins of those names that record their arguments."""

import shutil
import subprocess
from typing import Any

import pytest
from tests.unit.render.plans import HOST, built_in, guarded

from keywright_ops.model.plan import Firewall, Plan
from keywright_ops.render.cloud_commands import aws_commands, az_commands
from keywright_ops.render.firewall import firewall_rules

# A stand-in: it writes its arguments, each ended by a zero, and a newline after the last.
STAND_INS = r"""
record() { printf '%s\0' "$@"; printf '\n'; }
az() { record az "$@"; }
aws() { record aws "$@"; }
"""
ACCOUNT = {"RESOURCE_GROUP": "my group", "NSG": "nsg*", "GROUP_ID": "sg-1 'x'"}
SHELLS = [shell for shell in ("sh", "bash") if shutil.which(shell)]


def calls(lines: tuple[str, ...], shell: str = "sh", **variables: str) -> list[list[str]]:
    """What the stand-ins were called with."""
    done = subprocess.run(
        [shell, "-euc", STAND_INS + "\n".join(lines)],
        env={"PATH": "/usr/bin:/bin"} | ACCOUNT | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "" == done.stderr
    return [call.split("\0")[:-1] for call in done.stdout.split("\n") if call]


def options(call: list[str]) -> dict[str, str]:
    """The options of one call of az: each has one value."""
    words = call[call.index("create") + 1 :]
    return dict(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("plan", [guarded(), guarded(None), built_in("azure")])
def test_az_is_told_every_rule_as_it_stands(shell: str, plan: Plan) -> None:
    """One call a rule, its words whole through the shell, priorities in order, the refusal last."""
    found = [options(call) for call in calls(az_commands(plan), shell, SSH_PORT="2222")]
    rules = [rule for rule in firewall_rules(plan) if rule.firewall == "azure-nsg"]
    assert [f"keywright-{rule.name}" for rule in rules] == [each["--name"] for each in found]
    assert [rule.comment for rule in rules] == [each["--description"] for each in found]
    sources = ["*" if rule.source == "any" else rule.source for rule in rules]
    assert sources == [each["--source-address-prefixes"] for each in found]
    ports = [str(rule.port) if isinstance(rule.port, int) else "2222" for rule in rules]
    assert ports == [each["--destination-port-ranges"] for each in found]
    assert {("my group", "nsg*")} == {(e["--resource-group"], e["--nsg-name"]) for e in found}
    priorities = [int(each["--priority"]) for each in found]
    assert priorities == sorted(set(priorities))
    assert (4096, "Deny") == (priorities[-1], found[-1]["--access"])


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("plan", [guarded(), guarded(None)])
def test_aws_is_told_every_rule_as_one_word(shell: str, plan: Plan) -> None:
    """One call a rule; its permission is one argument, blanks and braces in it; IPv6 in its own list."""
    found = calls(aws_commands(plan), shell, SSH_PORT="2222")
    rules = [rule for rule in firewall_rules(plan) if rule.firewall == "aws-security-group"]
    head = ["aws", "ec2", "authorize-security-group-ingress", "--group-id", "sg-1 'x'"]
    assert [head + ["--ip-permissions"]] * len(rules) == [call[:-1] for call in found]
    for rule, call in zip(rules, found, strict=True):
        port = rule.port if isinstance(rule.port, int) else 2222
        six = ":" in rule.source
        ranges = f"{'Ipv6Ranges=[{CidrIpv6' if six else 'IpRanges=[{CidrIp'}={rule.source},"
        expected = f"IpProtocol=tcp,FromPort={port},ToPort={port},{ranges}"
        assert f"{expected}Description={rule.comment}}}]" == call[-1]
    assert {True, False} == {":" in rule.source for rule in rules}


def test_the_port_of_ssh_is_22_unless_it_is_said() -> None:
    """Where nobody has asked sshd the shell's variable decides; where it is known, it is written."""
    plan = guarded(None)
    for told, expected in (({}, "22"), ({"SSH_PORT": "2200"}, "2200")):
        az = options(calls(az_commands(plan), **told)[0])
        assert ("keywright-ssh-1", expected) == (az["--name"], az["--destination-port-ranges"])
        assert f"FromPort={expected},ToPort={expected}," in calls(aws_commands(plan), **told)[0][-1]
    known = "\n".join((*az_commands(guarded(HOST)), *aws_commands(guarded(HOST))))
    assert (False, True) == ("SSH_PORT" in known, "2222" in known)


def test_the_lines_are_the_same_every_time(pure: Any) -> None:
    """Names and priorities depend on the rules alone, so that Azure finds its rules again."""
    for commands in (az_commands, aws_commands):
        assert pure(commands, guarded()) == pure(commands, guarded())
    fewer = guarded()
    fewer = fewer._replace(firewall=Firewall(("10.0.0.0/24",), ("203.0.113.7/32",), 22))
    assert set(az_commands(fewer)) - set(az_commands(guarded())) == {
        line.replace("2222", "22") for line in az_commands(guarded()) if "ssh-1" in line
    }
    assert () == pure(az_commands, built_in("dev")) == pure(aws_commands, built_in("dev"))
