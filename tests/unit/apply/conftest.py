"""The fake world has no clock, so nothing is waited for; and what is read often is parsed once."""

from functools import cache

import pytest

from keywright_ops.actions import locate
from keywright_ops.apply import apply


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once: the fake moves on when it is asked."""
    monkeypatch.setattr(locate, "parse_redis_conf", cache(locate.parse_redis_conf))
    monkeypatch.setattr(apply.time, "sleep", lambda seconds: None)
