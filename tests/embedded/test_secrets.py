"""No secret leaves its files: not in output, argv, journal or log; and no file is open to others."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from tests.embedded.stranger import Person, processes

VERBS = (["up"], ["up", "--json"], ["status"], ["status", "--json"], ["check"], ["check", "--json"],
         ["diff"], ["diff", "--json"], ["info"], ["info", "--json"], ["env"], ["env", "--json"],
         ["env", "--write", "out.env"], ["render", "-o", "out"], ["render"], ["restart"],
         ["check", "--restart", "--yes"], ["explain", "env.local"], ["compare"], ["down"],
         ["up", "--dry-run"], ["up"], ["password", "rotate", "--dry-run"],
         ["password", "rotate", "--all", "--hold"], ["password", "status"],
         ["password", "rotate", "--finish"],
         ["password", "status", "--json"], ["password", "rotate", "--json"])  # fmt: skip


@pytest.fixture
def argvs() -> Iterator[set[str]]:
    """Every command line of this machine that is seen while the test runs."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.update(" ".join(argv) for _, argv in processes())
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    yield seen
    over.set()
    thread.join()


def test_all_verbs(stranger: Person, argvs: set[str]) -> None:
    """Law: after all verbs no secret stands in output (held at every say), argv, journal or log."""
    for words in VERBS:
        said = stranger.say(*words)
        assert said.code == 0, (words, said)
    secrets = stranger.secrets
    assert len(set(secrets.values())) == 5
    assert any("valkey-server" in line for line in argvs)
    for secret in secrets.values():
        assert not any(secret in line for line in argvs)
        for name in ("journal.jsonl", "server.log", "choices.json", "redis.conf", "proofs.json"):
            assert secret not in (stranger.state / name).read_text(), name
    for path in (stranger.state, *stranger.state.rglob("*"), stranger.project / "out.env"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_umask_zero(stranger: Person) -> None:
    """Law: with umask 000 no file or folder that `up` makes is open to others."""
    assert stranger.say("up", preexec_fn=lambda: os.umask(0)).code == 0
    assert stranger.say("restart", preexec_fn=lambda: os.umask(0)).code == 0
    for path in stranger.home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("moment", [0.1, 0.15, 0.2, 0.3])
def test_interrupted(stranger: Person, moment: float) -> None:
    """Law: Ctrl-C ends `up` with 130 and a sentence (or it was done already); the next `up` goes on."""
    child = stranger.start("up", start_new_session=True)
    time.sleep(moment)
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=60)
    # Python ends by the signal itself, which a shell calls 130 too, when it was not up yet (and says
    # nothing) or when Ctrl-C struck in code that an exec() made, as a dataclass is; caught or not.
    by_signal = child.returncode == -signal.SIGINT and ("interrupted" in err or not out + err)
    assert child.returncode in (0, 130) or by_signal, err
    assert "Traceback" not in out + err
    assert not any(secret in out + err for secret in stranger.secrets.values())
    said = stranger.say("up")
    assert said.code == 0, said
    assert len(stranger.pids()) == 1


def test_given_by_a_variable(stranger: Person, argvs: set[str]) -> None:
    """Law: a password from the environment is used, never kept, and in no argv."""
    password = "pa ss'\"w#ör$d-4711"
    stranger.declare('password_variable = "REDIS_PASSWORD"')
    stranger.environ["REDIS_PASSWORD"] = password
    for words in (["up"], ["check"], ["restart"], ["up"]):
        said = stranger.say(*words)
        assert said.code == 0, said
        assert password not in said.text
    assert "default" not in stranger.secrets
    assert not any(password in line for line in argvs)
    del stranger.environ["REDIS_PASSWORD"]
    said = stranger.say("check")
    assert said.code in (1, 2)
