"""The ways in for our own connections: TLS, users, credentials that change, sentinels."""

import os
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.app.conftest import Make, emptied, start
from tests.engines.servers import ENGINES, Server, running
from tests.ports import free_port

from keywright.endpoint import Credentials, Endpoint, Sentinels, Tls
from keywright.errors import KeywrightError, ReplyError, TimedOut, Unreachable
from keywright.flows import one
from keywright.secret import Secret
from keywright.talkers.blocking import BlockingTalker

PASSWORD = "pä ss'\"w#$%@:/\\ rd"


# --- TLS ------------------------------------------------------------------------------------------


class Encrypted(NamedTuple):
    """A server that speaks TLS alone and asks its clients for a certificate, and where the files are."""

    server: Server
    folder: Path


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    """A server with TLS: certificate for localhost, an authority of its own, clients with certificates."""
    engine = next((each for each in ENGINES if each.program and each.tls), None)
    if engine is None:
        pytest.skip("no server with TLS is installed")
    folder, port = tmp_path_factory.mktemp("tls"), free_port()

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ("req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2")
    openssl(*new, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Tests")
    openssl(*new, "-keyout", "x.key", "-out", "other.crt", "-subj", "/CN=Others")
    (folder / "names").write_text("subjectAltName = DNS:localhost")
    for name in ("server", "client"):
        openssl("req", "-new", "-nodes", "-newkey", "rsa:2048", "-keyout", f"{name}.key",
                "-out", f"{name}.csr", "-subj", "/CN=localhost")  # fmt: skip
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days",
                "2", "-CAcreateserial", "-extfile", "names", "-out", f"{name}.crt")  # fmt: skip
    (folder / "redis.conf").write_text(
        f'port 0\ntls-port {port}\nbind 127.0.0.1\nsave ""\ndir {folder}\n'
        f"tls-cert-file {folder}/server.crt\ntls-key-file {folder}/server.key\n"
        f"tls-ca-cert-file {folder}/ca.crt\ntls-auth-clients yes\n"
    )
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "client.crt", folder / "client.key")
    with running(engine, folder, port, context) as server:
        yield Encrypted(server, folder)


def secured(encrypted: Encrypted, host: str = "localhost", **named: Any) -> Endpoint:
    """Its endpoint, with our certificate."""
    files = encrypted.folder
    tls = Tls(f"{files}/ca.crt", certificate=f"{files}/client.crt", key=f"{files}/client.key")
    return Endpoint(host=host, port=encrypted.server.port, timeout=1.0, tls=tls._replace(**named))


def test_tls(talker: Make, encrypted: Encrypted) -> None:
    """Over TLS, with a client's certificate, what goes in comes out, also when it is large."""
    held = talker(secured(encrypted))
    value = os.urandom(3 << 20)
    assert held.run(one("SET", "big", value)) == b"OK"
    assert held.run(one("GET", "big")) == value


def test_tls_refusals(talker: Make, encrypted: Encrypted) -> None:
    """Another authority, another name, no certificate of ours: refused, with a sentence."""
    for place in (
        secured(encrypted, ca_certs=f"{encrypted.folder}/other.crt"),
        secured(encrypted, host="127.0.0.1"),
        secured(encrypted, certificate="", key=""),
        secured(encrypted)._replace(tls=None),
        secured(encrypted, ca_certs="/nowhere.crt"),
    ):
        held = talker(place, patience=0)
        with pytest.raises(KeywrightError) as refused:
            held.run(one("PING"))
        assert "Traceback" not in str(refused.value)
    held = talker(secured(encrypted, host="127.0.0.1", check_hostname=False))
    assert held.run(one("PING")) == b"PONG"


def test_silence_over_tls(talker: Make, encrypted: Encrypted) -> None:
    """Time-outs hold on TLS sockets, and the connection is made anew afterwards."""
    held = talker(secured(encrypted)._replace(timeout=0.4))
    held.run(one("PING"))
    os.kill(encrypted.server.process.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(TimedOut):
            held.run(one("PING"))
        assert time.monotonic() - begun < 2
    finally:
        os.kill(encrypted.server.process.pid, signal.SIGCONT)
    assert held.run(one("ECHO", "x")) == b"x"


# --- users and credentials ------------------------------------------------------------------------


def with_user(server: Server, *rules: str) -> None:
    """Give the server the user `app` with these rules."""
    with server.line() as line:
        assert line.ask("ACL", "SETUSER", "app", "reset", "on", "+@all", "~*", *rules) == "OK"


def test_any_password_and_a_wrong_one(talker: Make, debian: Server) -> None:
    """A password with every awkward character logs in; a wrong one is said, and not shown."""
    emptied(debian)
    with_user(debian, f">{PASSWORD}")
    place = Endpoint(port=debian.port, username="app", password=Secret(PASSWORD), database=3)
    held = talker(place, name="tests")
    assert held.run(one("ACL", "WHOAMI")) == b"app"
    assert b" db=3 " in held.run(one("CLIENT", "INFO"))
    assert b" name=tests " in held.run(one("CLIENT", "INFO"))
    held = talker(place._replace(password=Secret("wrong-4711")))
    with pytest.raises(ReplyError) as refused:
        held.run(one("PING"))
    assert refused.value.code == "WRONGPASS"
    assert "4711" not in repr(refused.value) + refused.value.hint


def test_rotation_of_the_password(talker: Make, debian: Server) -> None:
    """Credentials are asked for at every connect: after a rotation nothing has to be started again."""
    emptied(debian)
    with_user(debian, ">old")
    given = ["old"]
    place = Endpoint(port=debian.port, credentials=lambda: Credentials("app", Secret(given[0])))
    held = talker(place)
    assert held.run(one("SET", "a", "1")) == b"OK"
    with_user(debian, ">old", ">new")
    given[0] = "new"
    with_user(debian, ">new")
    with debian.line() as line:
        line.ask("CLIENT", "KILL", "USER", "app")
    assert held.run(one("GET", "a")) == b"1"


def test_credentials_are_renewed_before_they_end(talker: Make, debian: Server) -> None:
    """A token that is good for a while is replaced on the standing connection (AUTH again)."""
    emptied(debian)
    with_user(debian, ">t0", ">t1", ">t2")
    turns: list[str] = []

    def source() -> Credentials:
        turns.append(f"t{min(len(turns), 2)}")
        return Credentials("app", Secret(turns[-1]), good_for=1.0)

    held = talker(Endpoint(port=debian.port, credentials=source))
    first = held.run(one("CLIENT", "ID"))
    deadline = time.monotonic() + 5
    while len(turns) < 2 and time.monotonic() < deadline:
        getattr(held, "pause", time.sleep)(0.2)
        held.run(one("PING"))
    assert held.run(one("CLIENT", "ID")) == first
    assert ["t0", "t1"] == turns[:2]


# --- sentinels ------------------------------------------------------------------------------------


class Watched(NamedTuple):
    """A master, its replica and three sentinels."""

    servers: dict[int, Server]
    endpoint: Endpoint


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """Real sentinels that watch a real pair."""
    engine = next(each for each in ENGINES if each.program)
    first, second = free_port(), free_port()
    with ExitStack() as stack:
        servers = {}
        for port, lines in ((first, ()), (second, (f"replicaof 127.0.0.1 {first}",))):
            folder = tmp_path / str(port)
            folder.mkdir()
            servers[port] = stack.enter_context(
                start(engine, folder, port, "repl-diskless-sync-delay 0", *lines)
            )
        nodes = []
        for _ in range(3):
            port, folder = free_port(), tmp_path / f"sentinel{len(nodes)}"
            folder.mkdir()
            (folder / "redis.conf").write_text(
                f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
                f"sentinel monitor main 127.0.0.1 {first} 2\n"
                "sentinel down-after-milliseconds main 400\nsentinel failover-timeout main 3000\n"
            )
            process = subprocess.Popen(
                [str(engine.program), str(folder / "redis.conf"), "--sentinel"],
                stdout=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            nodes.append(("127.0.0.1", port))
        _wait(lambda: _knows(nodes[0][1]), "the sentinels know each other and the replica")
        place = Endpoint(
            timeout=1.0, connect_timeout=1.0, sentinels=Sentinels(tuple(nodes), "main")
        )
        yield Watched(servers, place)


def _knows(port: int) -> bool:
    try:
        with BlockingTalkerOf(port) as ask:
            row = ask.run(one("SENTINEL", "MASTER", "main"))
            facts = dict(zip(row[::2], row[1::2], strict=True))
            return facts[b"num-other-sentinels"] == b"2" and facts[b"num-slaves"] == b"1"
    except KeywrightError:
        return False


class BlockingTalkerOf:
    """A talker to a port of this machine, closed afterwards."""

    def __init__(self, port: int) -> None:
        self._talker = BlockingTalker(Endpoint(port=port), patience=0)

    def __enter__(self) -> BlockingTalker:
        return self._talker

    def __exit__(self, *_: object) -> None:
        self._talker.close()


def _wait(question: Callable[[], bool], what: str, limit: float = 20.0) -> None:
    deadline = time.monotonic() + limit
    while not question():
        assert time.monotonic() < deadline, f"it was not so: {what}"
        time.sleep(0.05)


def test_failover(talker: Make, watched: Watched) -> None:
    """The master is killed: within the failover the same talker speaks to the new one."""
    held = talker(watched.endpoint, patience=15.0)
    assert held.run(one("SET", "a", "1")) == b"OK"
    held.run(one("WAIT", 1, 1000))
    master = int(held.run(one("CONFIG", "GET", "port"))[1])
    watched.servers[master].process.kill()
    assert held.run(one("SET", "b", "2")) == b"OK"
    assert held.run(one("GET", "a")) == b"1"
    assert int(held.run(one("CONFIG", "GET", "port"))[1]) != master


def test_a_demoted_master_is_left(talker: Make, watched: Watched) -> None:
    """A master that became a replica says READONLY: the sentinels are asked again."""
    held = talker(watched.endpoint, patience=15.0)
    assert held.run(one("SET", "a", "1")) == b"OK"
    master = int(held.run(one("CONFIG", "GET", "port"))[1])
    with BlockingTalkerOf(watched.endpoint.sentinels.nodes[0][1]) as ask:  # type: ignore[union-attr]
        _wait(lambda: _asked_for(ask), "the sentinels begin a failover")
    other = next(port for port in watched.servers if port != master)
    _wait(lambda: _role(watched, other) == b"master", "the replica is the master")
    with BlockingTalkerOf(master) as old:  # what the sentinels do too, ten seconds later
        old.run(one("REPLICAOF", "127.0.0.1", other))
    assert held.run(one("SET", "b", "2")) == b"OK"
    assert int(held.run(one("CONFIG", "GET", "port"))[1]) != master


def _asked_for(ask: BlockingTalker) -> bool:
    try:
        return bool(ask.run(one("SENTINEL", "FAILOVER", "main")) == b"OK")
    except ReplyError:
        return False


def _role(watched: Watched, port: int) -> bytes:
    with BlockingTalkerOf(port) as ask:
        role: bytes = ask.run(one("ROLE"))[0]
        return role


def test_no_sentinel_knows(talker: Make, watched: Watched) -> None:
    """A name that they do not watch is said in one sentence."""
    sentinels = watched.endpoint.sentinels
    assert sentinels is not None
    held = talker(
        watched.endpoint._replace(sentinels=sentinels._replace(master="other")), patience=0
    )
    with pytest.raises(Unreachable, match="no sentinel names a master of other"):
        held.run(one("PING"))
