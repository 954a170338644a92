"""ufw brought to the plan's rules from whatever is there, under a model held to the real one by tests/lab."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.steps.machines import FRESH, RUNS, plan_of
from tests.unit.steps.ufw import UfwModel, apply_steps

from keywright_ops.model.absence import Missing
from keywright_ops.model.machine import Machine, Ufw, UfwRule
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Danger, LineComesBack, RunCommand, Step
from keywright_ops.steps.firewall import (
    ROLLBACK,
    in_order,
    lets_ssh_in,
    locked_out,
    opened_to_all,
    tend_firewall,
    wanted_rules,
)

CLIENT, CLIENT6, ADMIN, ADMIN6 = "10.0.0.9", "2001:db8::9", "203.0.113.7", "2001:db8:ad::7"
GUARDED = plan_of(
    'allow_from = ["10.0.0.0/24", "2001:db8::/48"]\n'
    'admin_from = ["203.0.113.7/32", "2001:db8:ad::/64"]'
)
# Rules as a host may have them, in the words of `ufw show added`.
NARROW = (
    "allow 22/tcp",
    "allow OpenSSH",
    "limit 2222/tcp",
    "allow 80,443/tcp",
    "allow 53/udp",
    "deny out 25",
    "reject from 198.51.100.9",
    "allow from 10.1.0.0/16 to any port 6379 proto tcp",
    "allow from 2001:db8:9::/48 to any port 22 proto tcp",
    "allow in on wg0 to any port 6379",
)
WIDE = ("allow 6379", "allow 6379/tcp", "limit 6379/tcp", "allow log 6379")
REFUSALS = ("deny 6379", "deny 6379/tcp", "reject 6379/tcp", "deny log 6379", "deny 22/tcp")
OLD = (
    "allow from 10.7.0.0/16 to any port 6379 proto tcp",
    "deny 6380/tcp",
)  # ours, of another plan


def ufw_words_of(plan: Plan) -> list[str]:
    """Our own rules, some of which may be there already."""
    model = UfwModel()
    apply_steps(model, tend_firewall(plan, FRESH))
    return [rule.words for rule in model.shown().rules]


OURS = ufw_words_of(GUARDED)
HOSTS = st.lists(st.sampled_from((*NARROW, *WIDE, *REFUSALS, *OLD, *OURS)), unique=True, max_size=9)


def host(rules: list[str], active: bool = False) -> UfwModel:
    """A ufw to which these rules were added in this order, ours with our comment."""
    model = UfwModel()
    model.active = active
    for words in rules:
        ours = ("comment", "keywright: it") if words in (*OURS, *OLD) else ()
        model.run(("ufw", *words.split(), *ours))
    return model


def seen(model: UfwModel, machine: Machine = FRESH) -> Machine:
    """The machine with that ufw."""
    return machine._replace(ufw=model.shown())


def titles(steps: list[Step]) -> str:
    """What a person reads."""
    return "\n".join(step.title for step in steps)


@given(HOSTS, st.booleans())
@example(["deny 6379/tcp", "allow 6379"], True)
@example(["allow 22/tcp", "deny 22/tcp", *reversed(OURS)], False)
def test_from_any_rules_one_pass_leads_to_the_plans(rules: list[str], active: bool) -> None:
    """After the steps the rules stand in order and no step is left; whoever was declared comes in and
    nobody else does by a rule for all; no rule of a stranger is lost but those that opened the port."""
    model = host(rules, active)
    apply_steps(model, tend_firewall(GUARDED, seen(model)))
    after = seen(model, FRESH._replace(units={}))
    assert isinstance(after.ufw, Ufw)
    assert in_order(after.ufw, wanted_rules(GUARDED, after))
    assert [] == tend_firewall(GUARDED, after)
    assert () == opened_to_all(after.ufw, 6379)
    left = [rule.words for rule in after.ufw.rules]
    strangers = [words for words in rules if words not in (*OURS, *OLD, *WIDE)]
    assert strangers == [words for words in rules if words in left and words in strangers]
    assert [] == [words for words in (*OLD, *WIDE) if words in left and words not in OURS]
    doors = [(CLIENT, 6379, "eth1"), (ADMIN, 22, "eth0"), ("172.17.0.2", 6379, "docker0")]
    assert ["allow"] * 3 == [model.answers(*door) for door in doors]
    assert "refuse" == model.answers("192.0.2.1", 6379)
    assert "refuse" == model.answers("2001:db8:ffff::1", 6379)


@given(st.lists(st.sampled_from((*NARROW, *WIDE, *REFUSALS)), unique=True, max_size=7))
def test_over_ipv6_too_what_is_declared_comes_in(rules: list[str]) -> None:
    """Networks of IPv6 stand above older refusals, which ufw shows before them all the same."""
    model = host(rules)
    apply_steps(model, tend_firewall(GUARDED, seen(model)))
    doors = [(CLIENT6, 6379), (ADMIN6, 22)]
    assert ["allow"] * 2 == [model.answers(*door) for door in doors]
    assert "refuse" == model.answers(ADMIN6, 6379)
    assert [] == tend_firewall(GUARDED, seen(model, FRESH))


def test_every_step_is_taken_back_by_its_undo() -> None:
    """Undone from the end, the rules are what they were, but for places and comments."""
    model = host(["allow 6379", "allow 22/tcp", *OLD])
    before = {rule.words for rule in model.shown().rules}
    steps = tend_firewall(GUARDED, seen(model))
    apply_steps(model, steps)
    assert before != {rule.words for rule in model.shown().rules}
    for step in reversed(steps):
        assert isinstance(step.undo, RunCommand) or step.id == "ufw-disarm"
        if isinstance(step.undo, RunCommand) and step.undo.argv[0] == "ufw":
            model.run(step.undo.argv)
    assert before == {rule.words for rule in model.shown().rules}
    assert model.active is False


def test_who_has_a_door_closed_is_asked_first(pure: Any) -> None:
    """Taking away a rule that lets in is asked about; what is only put on top is not."""
    allow_all, stale = host(["allow 6379"]), host([OLD[0]])
    for model in (allow_all, stale):
        steps = pure(tend_firewall, GUARDED, seen(model))
        assert 1 == len([step for step in steps if step.danger == Danger.CLIENTS_FOLLOW])
    moved = host(["deny 6379", *OURS])
    steps = pure(tend_firewall, GUARDED, seen(moved))
    assert {Danger.SAFE} == {step.danger for step in steps}
    assert "to be put on top" in titles(steps)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("allow 6379", True),
        ("allow 6379/tcp", True),
        ("limit 6379", True),
        ("allow log 6379/tcp", True),
        ("allow 6000:7000/tcp", True),
        ("allow 80,6379/tcp", True),
        ("allow 6379/udp", False),
        ("allow 63790", False),
        ("allow 6380:6390/tcp", False),
        ("allow OpenSSH", False),
        ("allow out 6379", False),
        ("deny 6379", False),
        ("allow from 10.0.0.0/8 to any port 6379", False),
        ("allow in on eth1 to any port 6379", False),
        ("", False),
    ],
)
def test_what_opens_the_port_to_all(pure: Any, words: str, found: bool) -> None:
    """A rule for everybody is told from one for a network, an interface, another port or protocol."""
    ufw = Ufw(True, (UfwRule(words, ""),), "deny")
    assert ((words,) if found else ()) == pure(opened_to_all, ufw, 6379)


def test_a_rule_for_many_ports_is_told_and_left() -> None:
    """Others' ports go with it: nothing takes it away, and below the port's refusal it opens nothing."""
    model = host(["allow 6000:7000/tcp"])
    apply_steps(model, tend_firewall(GUARDED, seen(model)))
    assert ("allow 6000:7000/tcp",) == opened_to_all(model.shown(), 6379)
    assert [] == tend_firewall(GUARDED, seen(model))
    model = host(["deny 6379/tcp", "allow 6000:7000/tcp"])
    assert () == opened_to_all(model.shown(), 6379)


def test_several_ports_of_sshd_are_each_let_in() -> None:
    """One rule for every network and port of the real sshd; without an sshd none, and no placeholder."""
    two = FRESH._replace(ssh_ports=(22, 2222))
    model = UfwModel()
    apply_steps(model, tend_firewall(plan_of('admin_from = ["203.0.113.7"]', two), two))
    assert ["allow", "allow"] == [model.answers(ADMIN, port) for port in (22, 2222)]
    none = FRESH._replace(ssh_ports=(), came_from="")
    plan = plan_of('admin_from = ["203.0.113.7"]', none)
    assert ["redis-bridge", "redis-deny"] == [rule.name for rule in wanted_rules(plan, none)]
    commands = [
        step.do.argv for step in tend_firewall(plan, none) if isinstance(step.do, RunCommand)
    ]
    assert "<" not in str(commands)


# --- switching it on ----------------------------------------------------------------------------


def is_enabled(plan: Plan, machine: Machine) -> bool:
    """Whether a step switches ufw on."""
    return any(step.id == "ufw-enable" for step in tend_firewall(plan, machine))


@given(HOSTS, st.sampled_from([(22,), (2222,), (22, 2222), ()]))
def test_it_is_switched_on_only_where_ssh_comes_in(
    rules: list[str], ports: tuple[int, ...]
) -> None:
    """Without administrators it stays off unless somebody's rules let SSH in at every port of sshd."""
    machine = FRESH._replace(ssh_ports=ports)
    plan = plan_of("", machine)
    model = host(rules)
    apply_steps(model, tend_firewall(plan, seen(model, machine)))
    reached = bool(ports) and all(model.answers("192.0.2.1", port) == "allow" for port in ports)
    assert reached == model.active
    assert reached == lets_ssh_in(plan, seen(host(rules), machine))


@example(
    ["deny 22/tcp", "allow 22/tcp", "allow from 2001:db8:ad::/64 to any port 22 proto tcp"], ADMIN6
)
@given(HOSTS, st.sampled_from([ADMIN, ADMIN6, "192.0.2.1", "2001:db8:1::1", "fe80::1%eth0", ""]))
def test_who_would_be_locked_out_is_told(rules: list[str], came: str) -> None:
    """Where nothing is said and ufw goes on, SSH from where we come is let in afterwards."""
    machine = FRESH._replace(came_from=came)
    model = host(rules)
    shut_out = locked_out(GUARDED, seen(model, machine))
    assert shut_out in ("", came)
    apply_steps(model, tend_firewall(GUARDED, seen(model, machine)))
    if came and not shut_out:
        assert (True, "allow") == (model.active, model.answers(came.partition("%")[0], 22))
    if came in (ADMIN, ADMIN6):
        assert "" == shut_out


def test_switching_on_is_armed_before_and_disarmed_after(pure: Any) -> None:
    """A timer that switches off again stands before; it ends only when a new connection came in."""
    steps = pure(tend_firewall, GUARDED, FRESH)
    assert ["ufw-arm", "ufw-enable", "ufw-disarm"] == [step.id for step in steps[-3:]]
    arm, on, disarm = steps[-3:]
    assert isinstance(arm.do, RunCommand)
    assert ("ufw", "disable") == arm.do.argv[-2:]
    assert on.until is not None
    assert (LineComesBack(),) == on.until.conditions
    assert RunCommand(("ufw", "disable")) == on.undo
    assert arm.undo == disarm.do
    left = FRESH._replace(units={f"{ROLLBACK}.timer": RUNS})
    active = host(OURS, active=True)
    assert ["ufw-disarm"] == [step.id for step in tend_firewall(GUARDED, seen(active, left))]


def test_what_is_not_ours_to_keep_is_left(pure: Any) -> None:
    """No step with `firewall = "none"` or without root; without ufw the one that installs it."""
    assert [] == pure(tend_firewall, plan_of('firewall = "none"'), FRESH)
    assert [] == pure(tend_firewall, GUARDED, FRESH._replace(root=False))
    absent = FRESH._replace(ufw=Missing("ufw does not tell"))
    assert ["install-ufw"] == [step.id for step in pure(tend_firewall, GUARDED, absent)]
    assert "" == locked_out(GUARDED, absent)
    assert lets_ssh_in(GUARDED, absent) is False
