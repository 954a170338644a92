"""What every test may ask for."""

from collections.abc import Iterator

import pytest
from tests import purity

NOT_RUN: list[str] = []  # the examples of the docs that no test runs, each with its reason


@pytest.fixture
def pure():
    """Call into a pure room under the waterline's guard: `pure(resolve, profile, "dev", …)`."""
    return purity.pure


@pytest.fixture(autouse=True)
def no_redis_variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test reads the settings of the person who runs it."""
    import os

    for name in tuple(os.environ):
        if name.startswith(("REDIS_", "CACHE_", "LOCK_", "KEYWRIGHT_", "ENABLE_REDIS")):
            monkeypatch.delenv(name)
    return


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the documentation's examples that are only read, so that their number is seen."""
    if NOT_RUN:
        terminalreporter.write_sep("-", f"examples in the docs that no test runs: {len(NOT_RUN)}")
        for line in NOT_RUN:
            terminalreporter.write_line(line)
