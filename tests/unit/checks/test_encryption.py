"""What a handshake proves, what it does not, and when the end of a certificate is told."""

from typing import Any

import pytest
from tests.unit.steps.test_tls import BOTH, NEW, OLD, ON, PLAIN, plan_of

from keywright_ops.checks.encryption import (
    DAY,
    judge_certificate,
    judge_closed,
    judge_expiry,
    judge_plain,
)
from keywright_ops.checks.proofs import certificate_proof, proofs
from keywright_ops.model.absence import Missing
from keywright_ops.model.proof import FAILED, PASSED, UNKNOWN

PROOF, PLAN = certificate_proof(), plan_of(ON)
SILENT = Missing("nobody listens")


def test_certificate(pure: Any) -> None:
    """The declared one, accepted by a client: passed. Another, or a refused one: failed. Else unknown."""
    assert PASSED == pure(judge_certificate, PROOF, PLAN, OLD, OLD).verdict
    other = judge_certificate(PROOF, PLAN, NEW, OLD)
    assert (FAILED, True) == (other.verdict, "declared new" in other.evidence)
    expired = judge_certificate(PROOF, PLAN, OLD, OLD._replace(doubt="certificate has expired"))
    assert (FAILED, True) == (expired.verdict, "certificate has expired" in expired.evidence)
    assert UNKNOWN == judge_certificate(PROOF, PLAN, OLD, SILENT).verdict
    assert UNKNOWN == judge_certificate(PROOF, PLAN, SILENT, OLD).verdict
    lax = PLAN._replace(application=PLAN.application._replace(cert_reqs="none"))
    doubted = judge_certificate(PROOF, lax, OLD, OLD._replace(doubt="self-signed"))
    assert (PASSED, True) == (doubted.verdict, "not verified" in doubted.evidence)


def test_plain_text_and_closed_port(pure: Any) -> None:
    """An answer without TLS, or another socket of the server, fails; silence of ours is unknown."""
    assert [PASSED, FAILED, UNKNOWN] == [
        pure(judge_plain, PROOF, 6380, answered).verdict for answered in (False, True, SILENT)
    ]
    alone, too = (("127.0.0.1", 6380), ("::1", 6380)), (("127.0.0.1", 6380), ("127.0.0.1", 6379))
    assert [PASSED, FAILED, UNKNOWN] == [
        pure(judge_closed, PROOF, PLAN, heard).verdict for heard in (alone, too, SILENT)
    ]


def test_which_proofs_there_are() -> None:
    """With TLS alone three more, with both ports two, without TLS none."""
    counts = [len(proofs(plan_of(each), "c", False)) for each in (PLAIN, BOTH, ON)]
    assert [0, 2, 3] == [count - counts[0] for count in counts]


@pytest.mark.parametrize(
    ("days", "words"),
    [(31, ""), (30, ""), (29.9, "in 29 days"), (0.5, "in 0 days"), (-1, "expired on")],
)
def test_expiry(days: float, words: str, pure: Any) -> None:
    """30 days before its end it is told of, with what mends it; a person's own by putting another."""
    now = OLD.not_after - days * DAY
    found = pure(judge_expiry, PLAN, OLD, now)
    assert bool(words) == bool(found)
    if found:
        assert (True, True) == (words in found[0].text, "tls renew -e local" in found[0].text)
        mine = "tls.cert_file='/c/a.crt'\ntls.key_file='/c/a.key'\ntls.ca_cert_file='/c/ca.crt'"
        (told,) = judge_expiry(plan_of(mine), OLD, now)
        assert ("env.local.tls.cert_file", False) == (told.path, "renew" in told.text)
    assert () == judge_expiry(plan_of(PLAIN), OLD, now)
    assert () == judge_expiry(PLAN, SILENT, now)
