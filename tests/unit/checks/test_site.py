"""What a visitor's answer proves of RedisInsight's site, and what it does not."""

from typing import Any

import pytest
from tests.unit.steps.test_nginx import RUNS, STOPPED, machine_of, plan_of

from keywright_ops.checks.proofs import proofs
from keywright_ops.checks.site import judge_loopback, judge_site, parse_head
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.machine import Beside
from keywright_ops.model.proof import FAILED, PASSED, UNKNOWN

PLAN = plan_of()
PROOFS = {proof.id: proof for proof in proofs(PLAN, "c", False)}
THERE = machine_of()._replace(insight=Beside("made", "running"))
UP = 'HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n{"status":"up"}'
ASKS = "HTTP/1.1 401 Unauthorized\r\nServer: nginx\r\n\r\n<html>"
GONE = "HTTP/1.1 502 Bad Gateway\r\n\r\n"
MOVED = "HTTP/1.1 301 Moved Permanently\r\nlocation: https://insight.example.com/api/\r\n\r\n"


@pytest.mark.parametrize(
    ("proof", "answer", "verdict"),
    [
        ("site-nobody", ASKS, PASSED),
        ("site-nobody", UP, FAILED),
        ("site-nobody", "HTTP/1.1 403 Forbidden\r\n\r\n", FAILED),
        ("site-stranger", ASKS, PASSED),
        ("site-stranger", UP, FAILED),
        ("site", UP, PASSED),
        ("site", ASKS, FAILED),
        ("site", GONE, FAILED),
        ("site", UP.replace('"up"', '"down"'), FAILED),
        ("site", UP.replace("{", "<"), FAILED),
        ("site-plain", MOVED, PASSED),
        ("site-plain", MOVED.replace("https://insight", "https://other"), FAILED),
        ("site-plain", MOVED.replace("https://insight.example.com/", "https://insight.example.comx"), FAILED),
        ("site-plain", UP, FAILED),
        ("site-plain", "", FAILED),
        ("site-plain", "SSH-2.0-x\r\n", FAILED),
    ],
)  # fmt: skip
def test_an_answer_is_judged(pure: Any, proof: str, answer: str, verdict: str) -> None:
    """401 is the only refusal that shows a login, 301 to this very site the only answer without TLS."""
    assert PLAN.insight is not None
    assert verdict == pure(judge_site, PROOFS[proof], PLAN.insight, THERE, answer).verdict


def test_what_is_not_there_is_never_passed() -> None:
    """A stopped nginx and a silent port fail; an unseen host, and RedisInsight that was left out, are
    unknown."""
    insight = PLAN.insight
    assert insight is not None
    for proof in ("site-nobody", "site-stranger", "site", "site-plain"):
        asked = PROOFS[proof]
        assert FAILED == judge_site(asked, insight, machine_of(unit=STOPPED), UP).verdict
        assert FAILED == judge_site(asked, insight, machine_of(unit=None), ASKS).verdict
        assert FAILED == judge_site(asked, insight, THERE, Missing("refused")).verdict
        assert UNKNOWN == judge_site(asked, insight, Missing("no"), UP).verdict
    left_out = machine_of(unit=RUNS)._replace(insight=Missing(NOT_THERE))
    assert UNKNOWN == judge_site(PROOFS["site"], insight, left_out, GONE).verdict


@pytest.mark.parametrize(
    ("published", "listening", "verdict"),
    [
        (("127.0.0.1",), ("127.0.0.1",), PASSED),
        (("127.0.0.1",), (), PASSED),
        ((), ("127.0.0.1", "::1"), PASSED),
        (("0.0.0.0",), ("127.0.0.1",), FAILED),
        (("127.0.0.1",), ("127.0.0.1", "::"), FAILED),
        (("10.0.0.5",), (), FAILED),
        ((), (), UNKNOWN),
        (("127.0.0.1",), Missing("not told"), UNKNOWN),
    ],
)
def test_its_own_port_is_on_loopback(
    pure: Any, published: tuple[str, ...], listening: Any, verdict: str
) -> None:
    """Docker's word and the kernel's are both asked; another port's publication is not ours."""
    assert PLAN.insight is not None
    rows = tuple(("redisinsight", each, 6380) for each in published)
    machine = THERE._replace(published=(*rows, ("web", "0.0.0.0", 8080)))  # noqa: S104
    outcome = pure(judge_loopback, PROOFS["site-port"], PLAN.insight, machine, listening)
    assert verdict == outcome.verdict


def test_proofs_are_asked_where_a_site_is() -> None:
    """Five for a site with a login of Keywright's, none without a site."""
    assert {"site", "site-nobody", "site-stranger", "site-plain", "site-port"} <= set(PROOFS)
    assert not [each.id for each in proofs(plan_of(""), "c", False) if each.id.startswith("site")]


def test_heads_are_read() -> None:
    """Status and place, and nothing of a body."""
    assert ("301", "https://insight.example.com/api/") == parse_head(MOVED)
    assert ("200", "") == parse_head("HTTP/1.1 200 OK\r\n\r\nLocation: https://x/")
    assert ("", "") == parse_head("")
