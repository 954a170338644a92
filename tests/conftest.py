"""What every test may ask for."""

import os

import pytest
from tests import purity

NOT_RUN: list[str] = []  # the examples of the docs that no test runs, each with its reason


@pytest.fixture
def pure():
    """Call into a pure room under the waterline's guard: `pure(resolve, profile, "dev", …)`."""
    return purity.pure


@pytest.fixture(autouse=True)
def no_redis_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the settings of the person who runs it."""
    for name in tuple(os.environ):
        if name.startswith(("REDIS_", "CACHE_", "LOCK_", "KEYWRIGHT_", "ENABLE_REDIS")):
            monkeypatch.delenv(name)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer --no-skips, for machines that have everything: there a skip would hide a failure."""
    parser.addoption("--no-skips", action="store_true", help="a test that is skipped has failed")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """With --no-skips report what a test skipped as a failure, with its reason."""
    made = yield
    report = made.get_result()
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of a parallel run hands over what it found."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["not run"] = NOT_RUN


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """Take over what a worker found."""
    NOT_RUN.extend(getattr(node, "workeroutput", {}).get("not run", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the documentation's examples that are only read, so that their number is seen."""
    if NOT_RUN:
        terminalreporter.write_sep("-", f"examples in the docs that no test runs: {len(NOT_RUN)}")
        for line in NOT_RUN:
            terminalreporter.write_line(line)
