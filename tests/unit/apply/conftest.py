"""The fake world has no clock, so nothing is waited for."""

import pytest

from keywright_ops.apply import apply


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once: the fake moves on when it is asked."""
    monkeypatch.setattr(apply.time, "sleep", lambda seconds: None)
