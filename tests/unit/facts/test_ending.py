"""A server that was asked to end is told apart from one that runs, by its log."""

import pytest

from keywright_ops.facts.ending import is_ending

READY = "52:M 23 Nov 2026 04:45:40.100 * Ready to accept connections tcp"
ASKED = "52:signal-handler (1795409140) Received SIGTERM scheduling shutdown..."
REQUESTED = "52:M 23 Nov 2026 04:45:40.201 * User requested shutdown..."
CANNOT = "52:M 23 Nov 2026 04:45:40.305 # Error trying to save the DB, can't exit."
STARTING = "60:M 23 Nov 2026 04:46:00.000 * oO0OoO0OoO0Oo Valkey is starting oO0OoO0OoO0Oo"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), False),
        ((READY,), False),
        ((READY, ASKED), True),
        ((READY, ASKED, REQUESTED), True),
        ((READY, ASKED, REQUESTED, CANNOT), False),
        ((READY, ASKED, REQUESTED, STARTING), False),
        ((READY, ASKED, STARTING, READY), False),
    ],
)
def test_the_newest_word_counts(lines: tuple[str, ...], expected: bool) -> None:
    """Asked to end, and neither refused nor started anew since (lines of Valkey 9.1)."""
    assert expected == is_ending(lines)
