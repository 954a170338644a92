"""Proofs judged with well and sick facts: passed, failed with what was read, unknown stays unknown."""

from typing import Any

import pytest
from tests.unit.steps.states import declared_of, facts_of, plan_of

from keywright_ops.checks.judge import (
    judge_attempt,
    judge_denied,
    judge_listens,
    judge_settings,
    judge_users,
)
from keywright_ops.checks.proofs import proofs
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import AclUser
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import (
    FAILED,
    PASSED,
    UNKNOWN,
    Attempt,
    Denied,
    LiveEquals,
    LoadsFromCopy,
    Proof,
    SurvivesRestart,
)

PROOF = Proof("id", "title", "this host", LiveEquals())
SILENT = Missing("nobody listens")
PLAN = plan_of("appendonly = true\n")
DECLARED = declared_of(PLAN)
WELL = facts_of(DECLARED)


def told(outcome: Any) -> tuple[str, bool]:
    """The verdict, and whether there is evidence."""
    return outcome.verdict, bool(outcome.evidence)


def test_settings(pure: Any) -> None:
    """Equal: passed; other or unknown to the server: failed, by name; not asked: unknown."""
    assert (PASSED, True) == told(pure(judge_settings, PROOF, PLAN, WELL))
    assert isinstance(WELL.config, dict)
    other = judge_settings(PROOF, PLAN, WELL._replace(config={**WELL.config, "maxmemory": "1"}))
    assert (FAILED, True) == (other.verdict, "maxmemory is 1" in other.evidence)
    fewer = {name: value for name, value in WELL.config.items() if name != "maxmemory"}
    absent = judge_settings(PROOF, PLAN, WELL._replace(config=fewer))
    assert (FAILED, True) == (absent.verdict, "maxmemory is unknown" in absent.evidence)
    assert UNKNOWN == judge_settings(PROOF, PLAN, WELL._replace(config=SILENT)).verdict
    refused = WELL._replace(config=Missing("WRONGPASS invalid"))
    assert FAILED == judge_settings(PROOF, PLAN, refused).verdict


def test_users() -> None:
    """Exactly the declared: passed; one more, one less, another password or right: failed."""
    declared = DECLARED.users
    assert PASSED == judge_users(PROOF, declared, WELL).verdict
    viewer = declared["viewer"]
    sick: list[dict[str, Any]] = [
        {**declared, "guest": viewer},
        {name: user for name, user in declared.items() if name != "viewer"},
        {**declared, "viewer": viewer._replace(hashes=frozenset({"0" * 64}))},
        {**declared, "viewer": viewer._replace(nopass=True)},
        {**declared, "viewer": viewer._replace(enabled=False)},
        {**declared, "viewer": viewer._replace(commands=("+@all",))},
    ]
    for users in sick:
        outcome = judge_users(PROOF, declared, WELL._replace(users=users))
        assert (FAILED, True) == (outcome.verdict, "user" in outcome.evidence)
    assert UNKNOWN == judge_users(PROOF, declared, WELL._replace(users=SILENT)).verdict


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("NOPERM this user has no permissions", PASSED),
        ("NOAUTH Authentication required.", FAILED),
        ("value", FAILED),
        ("", FAILED),
        (SILENT, UNKNOWN),
    ],
)
def test_attempts(answer: str | Missing, verdict: str) -> None:
    """The first word is the expected one, or it failed; silence is unknown."""
    attempt = Attempt("appuser", ("GET", "key"), "NOPERM")
    assert verdict == judge_attempt(PROOF, attempt, answer).verdict


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("User appuser has no permissions to run the 'flushall' command", PASSED),
        ("OK", FAILED),
        ("ERR User 'appuser' not found", FAILED),
        ("ERR unknown subcommand 'DRYRUN'. Try ACL HELP.", UNKNOWN),
        (SILENT, UNKNOWN),
    ],
)
def test_dry_runs(answer: str | Missing, verdict: str) -> None:
    """No permission: passed; anything else the server says: failed; a server that cannot: unknown."""
    silent = WELL._replace(users=SILENT)
    assert verdict == judge_denied(PROOF, "appuser", ("FLUSHALL",), answer, silent).verdict


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [(("+@all", "-@dangerous"), PASSED), (("+@all",), FAILED), (("-@all", "+flushall"), FAILED)],
)
def test_without_a_dry_run_the_rights_are_counted_out(rules: tuple[str, ...], verdict: str) -> None:
    """Redis 6.2 has no ACL DRYRUN: what ACL LIST and ACL CAT say decides; an unknown user fails."""
    answer = "ERR Unknown subcommand or wrong number of arguments for 'DRYRUN'. Try ACL HELP."
    user = AclUser("appuser", True, False, frozenset(), ("~*",), (), rules)
    categories = {"all": frozenset({"get", "flushall"}), "dangerous": frozenset({"flushall"})}
    facts = WELL._replace(users={"appuser": user}, categories=categories)
    assert verdict == judge_denied(PROOF, "appuser", ("FLUSHALL",), answer, facts).verdict
    assert FAILED == judge_denied(PROOF, "viewer", ("FLUSHALL",), answer, facts).verdict


@pytest.mark.parametrize(
    ("bind", "listening", "verdict"),
    [
        ("", ("127.0.0.1", "::1"), PASSED),
        ("", ("127.0.0.1",), PASSED),  # -::1 only where it exists
        ("", ("::1",), FAILED),
        ("", ("0.0.0.0",), FAILED),
        ("", ("127.0.0.1", "10.0.0.1"), FAILED),
        ("", (), FAILED),
        ("", SILENT, UNKNOWN),
        ('bind = ["*"]\n', ("0.0.0.0", "::"), PASSED),
        ('bind = ["*"]\n', ("127.0.0.1",), FAILED),
    ],
)
def test_listening(bind: str, listening: Any, verdict: str) -> None:
    """Exactly the declared addresses; more or fewer failed; a kernel that was not asked: unknown."""
    assert verdict == judge_listens(PROOF, plan_of(bind), listening, "127.0.0.2 refused").verdict


def test_the_list_of_proofs() -> None:
    """Ids are unique; only the restart disturbs; persistence is proven exactly where it is promised."""

    def kinds(plan: Plan, restarts: bool) -> set[type]:
        found = proofs(plan, "canary", restarts)
        assert len({proof.id for proof in found}) == len(found)
        assert {SurvivesRestart} >= {type(proof.probe) for proof in found if proof.disturbs}
        return {type(proof.probe) for proof in found}

    assert SurvivesRestart in kinds(PLAN, True)
    assert LoadsFromCopy not in kinds(PLAN, True)
    assert LoadsFromCopy in kinds(PLAN, False)
    memory = plan_of("appendonly = false\nsave = []\n")
    assert not {SurvivesRestart, LoadsFromCopy} & (kinds(memory, True) | kinds(memory, False))


def test_nothing_that_destroys_is_tried_in_earnest() -> None:
    """What is sent for real is harmless even to a server that would allow it."""
    harmless = {("PING",), ("CONFIG", "GET", "maxmemory")}
    for proof in proofs(PLAN, "canary", False):
        if isinstance(proof.probe, Attempt):
            argv = proof.probe.argv
            assert argv in harmless or argv[0] == "GET" or argv[:2] == ("SET", "canary")
            assert argv[0] != "SET" or "EX" in argv
    assert "FLUSHALL" in [
        p.probe.argv[0] for p in proofs(PLAN, "c", False) if isinstance(p.probe, Denied)
    ]
