"""The claims about a Linux host: passed, failed with what was seen, unknown where it cannot be said."""

from typing import Any

import pytest
from tests.unit.steps.machines import FRESH, RUNS, as_declared, plan_of
from tests.unit.steps.test_firewall import host

from keywright_ops.checks.machine import (
    huge_pages,
    judge_bridge,
    judge_closed_outside,
    judge_firewall,
    judge_folders,
    judge_insight_there,
    judge_kernel,
    judge_service,
)
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.machine import Beside, Folder, Machine
from keywright_ops.model.plan import Tls
from keywright_ops.model.proof import FAILED, PASSED, UNKNOWN, LiveEquals, Outcome, Proof
from keywright_ops.render.firewall import firewall_rules, ufw_words
from keywright_ops.render.kernel import KERNEL_FILES, THP_FILE
from keywright_ops.steps.insight import made_from

PROOF = Proof("id", "title", "this host", LiveEquals())
PLAN = plan_of('allow_from = ["10.0.0.0/24"]\nadmin_from = ["203.0.113.0/24"]')
WELL = as_declared(PLAN)
SILENT = Missing("the host did not answer")
SERVICE = "redis-server.service"


def told(outcome: Outcome, *words: str) -> str:
    """The verdict, when there is evidence and these words are in it."""
    assert outcome.evidence
    assert [] == [word for word in words if word not in outcome.evidence], outcome.evidence
    return outcome.verdict


@pytest.mark.parametrize(
    "judge",
    [judge_service, judge_folders, judge_kernel, judge_firewall],
)
def test_a_host_that_is_silent_is_unknown(pure: Any, judge: Any) -> None:
    """Nothing passes unasked, and nothing crashes."""
    assert Outcome(PROOF, UNKNOWN, SILENT.why) == pure(judge, PROOF, PLAN, SILENT)
    bare = Machine(*FRESH)._replace(units={}, folders={}, kernel={}, ufw=SILENT, packages={})
    assert pure(judge, PROOF, PLAN, bare).verdict in (FAILED, UNKNOWN)


def test_what_needs_no_machine_is_unknown_without_one(pure: Any) -> None:
    """From outside, over the bridge, of RedisInsight: unknown, with the reason."""
    insight = pure(judge_insight_there, PROOF, PLAN, SILENT, "up")
    assert Outcome(PROOF, UNKNOWN, SILENT.why) == insight
    assert UNKNOWN == told(pure(judge_bridge, PROOF, PLAN, SILENT, "PONG"))
    assert UNKNOWN == told(
        pure(judge_closed_outside, PROOF, PLAN, SILENT, {6379: SILENT}), SILENT.why
    )
    assert PASSED == told(pure(judge_closed_outside, PROOF, PLAN, SILENT, {6379: "refused"}))


@pytest.mark.parametrize(
    ("state", "verdict", "words"),
    [
        (RUNS, PASSED, "active"),
        (RUNS._replace(file="static"), PASSED, "static"),
        (RUNS._replace(active="failed", sub="failed"), FAILED, "it is failed (failed)"),
        (RUNS._replace(file="disabled"), FAILED, "does not start with the machine (disabled)"),
        (RUNS._replace(file=""), FAILED, "(no unit file)"),
        (RUNS._replace(stale=True), FAILED, "its files changed"),
    ],
)
def test_service(pure: Any, state: Any, verdict: str, words: str) -> None:
    """Active, started with the machine, its files read; else it is said what not."""
    machine = WELL._replace(units={SERVICE: state})
    assert verdict == told(pure(judge_service, PROOF, PLAN, machine), words)


@pytest.mark.parametrize(
    ("folder", "verdict", "words"),
    [
        (Folder("redis", "redis", 0o750), PASSED, "closed to others"),
        (Folder("root", "redis", 0o2770), PASSED, "closed to others"),
        (Folder("redis", "redis", 0o755), FAILED, "/var/lib/redis is open to others (755)"),
        (Folder("redis", "redis", 0o751), FAILED, "open to others"),
        (Folder("www-data", "redis", 0o750), FAILED, "belongs to www-data"),
        (None, FAILED, "/var/lib/redis is not there"),
        (Missing("x"), FAILED, "/var/lib/redis is not there"),
    ],
)
def test_folders(pure: Any, folder: Any, verdict: str, words: str) -> None:
    """Each belongs to the account or root, and is closed to others."""
    folders = {path: each for path, each in WELL.folders.items() if path != "/var/lib/redis"}
    folders |= {"/var/lib/redis": folder} if folder is not None else {}
    outcome = pure(judge_folders, PROOF, PLAN, WELL._replace(folders=folders))
    assert verdict == told(outcome, words)


@pytest.mark.parametrize(
    ("values", "verdict", "words"),
    [
        (("1", "4096", "always [madvise] never"), PASSED, "huge pages madvise"),
        (("1", "4096", "always madvise [never]"), PASSED, "somaxconn 4096"),
        (("1", "4096", Missing(NOT_THERE)), PASSED, "huge pages not there"),
        (("0", "4096", "[never]"), FAILED, "vm.overcommit_memory is 0, declared 1"),
        (("2", "4096", "[never]"), FAILED, "vm.overcommit_memory is 2"),
        (("1", "128", "[never]"), FAILED, "net.core.somaxconn is 128"),
        (("1", "odd", "[never]"), FAILED, "net.core.somaxconn is odd"),
        (("1", "4096", "[always] madvise never"), FAILED, "always on"),
        ((Missing("gone"), "4096", "[never]"), UNKNOWN, "gone"),
    ],
)
def test_kernel(pure: Any, values: Any, verdict: str, words: str) -> None:
    """As declared or larger; where the kernel is another host's it is not this one's fault."""
    machine = WELL._replace(kernel=dict(zip(KERNEL_FILES, values, strict=True)))
    assert verdict == told(pure(judge_kernel, PROOF, PLAN, machine), words)
    another = machine._replace(writable=frozenset(), container="docker")
    expected = UNKNOWN if verdict == FAILED else verdict
    assert expected == told(pure(judge_kernel, PROOF, PLAN, another), words)
    assert UNKNOWN == judge_kernel(PROOF, plan_of("kernel.tune = false"), machine).verdict


def test_huge_pages_are_the_word_in_brackets(pure: Any) -> None:
    """Or all that is there, or that nothing is."""
    found = [pure(huge_pages, text) for text in ("always [madvise] never", "odd", Missing("x"))]
    assert ["madvise", "odd", "not there"] == found
    assert THP_FILE == KERNEL_FILES[2]


RULES = [ufw_words(rule) for rule in firewall_rules(PLAN) if rule.firewall == "ufw"]


@pytest.mark.parametrize(
    ("rules", "active", "published", "verdict", "words"),
    [
        (RULES, True, (), PASSED, "4 rules in order, else deny"),
        (RULES, False, (), UNKNOWN, "ufw is off"),
        (RULES[:-1], True, (), FAILED, "rules are missing"),
        (["deny 6379", *RULES], True, (), FAILED, "a refusal stands before"),
        (["allow 6379", *RULES], True, (), FAILED, "'allow 6379' opens it to all"),
        (["allow 6000:7000/tcp", *RULES], True, (), FAILED, "opens it to all"),
        ([*RULES, "allow 6000:7000/tcp"], True, (), PASSED, "in order"),
        ([], False, (), FAILED, "ufw is off; rules are missing"),
        (RULES, True, (("x", "0.0.0.0", 6379),), FAILED, "x on 0.0.0.0:6379 passes by"),
        (RULES, True, (("x", "::", 6380),), FAILED, "x on :::6380 passes by"),
        (RULES, True, (("x", "127.0.0.1", 6380), ("y", "::1", 6379)), PASSED, "in order"),
        (RULES, True, (("x", "0.0.0.0", 8080),), PASSED, "in order"),
    ],
)
def test_firewall(
    pure: Any, rules: list[str], active: bool, published: Any, verdict: str, words: str
) -> None:
    """On, in order, nothing for all, nothing that Docker publishes past it."""
    machine = WELL._replace(ufw=host(rules, active).shown(), published=published)
    assert verdict == told(pure(judge_firewall, PROOF, PLAN, machine), words)


@pytest.mark.parametrize(
    ("came", "seen", "verdict"),
    [
        ("203.0.113.7", {6379: "refused", 6380: "no answer"}, PASSED),
        ("203.0.113.7", {6379: "open", 6380: "refused"}, FAILED),
        ("10.0.0.9", {6379: "open", 6380: "refused"}, UNKNOWN),
        ("10.0.0.9", {6379: "open", 6380: "open"}, FAILED),
        ("2001:db8::1", {6379: "refused"}, PASSED),
        ("fe80::1%eth0", {6379: "open"}, FAILED),
        ("", {6379: "refused", 6380: SILENT}, UNKNOWN),
        ("", {6379: "open"}, FAILED),
    ],
)
def test_closed_outside(pure: Any, came: str, seen: Any, verdict: str) -> None:
    """Closed, or open only to one who was let in; what was not asked is unknown."""
    machine = WELL._replace(came_from=came)
    assert verdict == told(pure(judge_closed_outside, PROOF, PLAN, machine, seen))


@pytest.mark.parametrize(
    ("seen", "verdict", "words"),
    [
        ("-NOAUTH Authentication required.", PASSED, "NOAUTH"),
        ("-DENIED Redis is running in protected mode", PASSED, "DENIED"),
        ("+PONG", FAILED, "+PONG"),
        ("", FAILED, "(nothing)"),
        (Missing("Connection refused"), FAILED, "Connection refused"),
    ],
)
def test_bridge(pure: Any, seen: Any, verdict: str, words: str) -> None:
    """A container is asked for a password: that is passed; it is let in, or does not get there: failed."""
    assert verdict == told(pure(judge_bridge, PROOF, PLAN, WELL, seen), words)
    stopped = WELL._replace(insight=Beside(made_from(PLAN), "exited"))
    assert UNKNOWN == told(judge_bridge(PROOF, PLAN, stopped, seen), "does not run")
    assert PLAN.insight is not None
    tls = PLAN._replace(listen=PLAN.listen._replace(port=0, tls=Tls(6379, "", "", "")))
    expected = FAILED if isinstance(seen, Missing) else PASSED
    assert expected == told(judge_bridge(PROOF, tls, WELL, seen))


@pytest.mark.parametrize(
    ("insight", "image", "health", "verdict", "words"),
    [
        (Beside(made_from(PLAN), "running"), "sha256:1", "up", PASSED, "127.0.0.1:6380"),
        (Beside("other", "running"), "sha256:1", "up", FAILED, "made from something else"),
        (Beside(made_from(PLAN), "running"), "sha256:1", "down", FAILED, "it is down"),
        (Beside(made_from(PLAN), "exited"), "sha256:1", SILENT, FAILED, SILENT.why),
        (Missing(NOT_THERE), "sha256:1", SILENT, FAILED, NOT_THERE),
        (Missing(NOT_THERE), Missing("no image"), SILENT, UNKNOWN, "skipped: the image"),
    ],
)
def test_insight(
    pure: Any, insight: Any, image: Any, health: Any, verdict: str, words: str
) -> None:
    """Up, and made from what is declared; without its image it is left out and said so."""
    machine = WELL._replace(insight=insight, insight_image=image)
    assert verdict == told(pure(judge_insight_there, PROOF, PLAN, machine, health), words)
