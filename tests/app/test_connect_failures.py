"""What a first failed connection says: every failure on a real server or socket."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.app.clients import Knock
from tests.app.clients import knock as knock
from tests.app.conftest import start
from tests.app.test_doors import with_user
from tests.engines.servers import ENGINES, Server, running
from tests.ports import free_port

from keywright import connecting
from keywright.errors import ConnectionLost, KeywrightError, ProtocolError, ReplyError, Unreachable


def failure(knock: Knock, kind: type[KeywrightError], url: str, **named: Any) -> KeywrightError:
    """What knocking at a URL raises; its sentence is one line without a full stop."""
    with pytest.raises(kind) as caught:
        knock(url, **named)
    said = str(caught.value)
    assert said == " ".join(said.split()) and not said.endswith(".")
    assert caught.value.hint
    return caught.value


def outside(monkeypatch: pytest.MonkeyPatch, container: bool) -> None:
    """Pretend that this process runs in a container, or that it does not."""
    monkeypatch.setattr(connecting, "in_container", lambda: container)


def test_localhost_in_a_container(knock: Knock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide's first trouble: inside a container localhost is the container."""
    outside(monkeypatch, container=True)
    for host in ("localhost", "127.0.0.1", "[::1]"):
        error = failure(knock, Unreachable, f"redis://{host}:{free_port()}/0")
        assert "localhost is the container itself" in str(error)
        assert "REDIS_HOST" in error.hint


def test_refused(knock: Knock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens: is it running, and on this address?"""
    outside(monkeypatch, container=False)
    port = free_port()
    error = failure(knock, Unreachable, f"redis://127.0.0.1:{port}/0")
    assert str(error) == f"nobody listens on 127.0.0.1:{port}"
    assert "is the server running" in error.hint


def test_a_name_that_nobody_knows(knock: Knock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service's name on the host, and a wrong one in a container, get different hints."""
    outside(monkeypatch, container=False)
    error = failure(knock, Unreachable, "redis://no-such-service:6379/0")
    assert str(error) == "no address is known for the name no-such-service"
    assert "on the host use 127.0.0.1" in error.hint
    outside(monkeypatch, container=True)
    error = failure(knock, Unreachable, "redis://no-such.invalid:6379/0")
    assert "same Docker network" in error.hint


@contextmanager
def listener(accept: bool = False, say: bytes = b"", hang_up: bool = False) -> Iterator[int]:
    """A socket that listens: deaf (its queue full), silent, talking nonsense, or hanging up."""
    with socket.socket() as door, socket.socket() as first, socket.socket() as second:
        port = free_port()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))
        door.listen(16 if accept else 0)
        if not accept:
            for each in (first, second):
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
        thread = threading.Thread(target=_serve, args=(door, say, hang_up), daemon=True)
        if accept:
            thread.start()
        yield port
        door.shutdown(socket.SHUT_RDWR)


def _serve(door: socket.socket, say: bytes, hang_up: bool) -> None:
    kept = []
    while True:
        try:
            link, _ = door.accept()
        except OSError:
            return
        kept.append(link)
        if say or hang_up:
            link.recv(4096)
            link.sendall(say) if say else None
            link.close()


def test_a_firewall_that_drops(knock: Knock) -> None:
    """No answer to connecting is a time-out of the firewall's kind."""
    with listener() as port:
        error = failure(
            knock, Unreachable, f"redis://127.0.0.1:{port}/0", socket_connect_timeout=0.2
        )
    assert "did not answer within 0.2 s" in str(error)
    assert "firewalls" in error.hint


def test_a_server_that_is_silent(knock: Knock) -> None:
    """Connected, and then nothing: stopped or busy."""
    with listener(accept=True) as port:
        error = failure(knock, KeywrightError, f"redis://127.0.0.1:{port}/0", socket_timeout=0.2)
    assert "did not answer within 0.2 s" in str(error)


def test_another_service(knock: Knock) -> None:
    """A web server's answer is no reply."""
    with listener(accept=True, say=b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        error = failure(knock, ProtocolError, f"redis://127.0.0.1:{port}/0")
    assert "does not speak the Redis protocol" in str(error)
    assert "RedisInsight" in error.hint


def test_hanging_up(knock: Knock) -> None:
    """A peer that closes at the first word may expect TLS."""
    with listener(accept=True, hang_up=True) as port:
        error = failure(knock, ConnectionLost, f"redis://127.0.0.1:{port}/0")
    assert "TLS" in error.hint


# --- what a server refuses --------------------------------------------------------------------------


def test_no_password_and_a_wrong_one(knock: Knock, server: Server) -> None:
    """NOAUTH and WRONGPASS are different troubles; the user is named when one was."""
    with server.line() as line:
        line.ask("ACL", "SETUSER", "default", "resetpass", ">right-4711")
        url = f"127.0.0.1:{server.port}/0"
        try:
            error = failure(knock, ReplyError, f"redis://{url}")
            assert (error.code, "none was sent" in str(error)) == ("NOAUTH", True)
            error = failure(knock, ReplyError, f"redis://:wrong-4712@{url}")
            assert (error.code, "the default user" in str(error)) == ("WRONGPASS", True)
            error = failure(knock, ReplyError, f"redis://nobody:wrong-4712@{url}")
            assert (error.code, "of user nobody" in str(error)) == ("WRONGPASS", True)
            assert "4712" not in f"{error}{error.hint}{error!r}"
        finally:
            line.ask("ACL", "SETUSER", "default", "nopass")


def test_no_right(knock: Knock, server: Server) -> None:
    """NOPERM names the user."""
    with_user(server, ">pw", "-ping", "-hello")
    error = failure(knock, ReplyError, f"redis://app:pw@127.0.0.1:{server.port}/0")
    assert error.code == "NOPERM"
    assert "user app" in str(error)


def test_a_database_that_is_not_there(knock: Knock, server: Server) -> None:
    """The number is said, and where it is set."""
    error = failure(knock, ReplyError, f"redis://127.0.0.1:{server.port}/99")
    assert "has no database 99" in str(error)
    assert "REDIS_DB" in error.hint


def test_too_many_clients(knock: Knock, tmp_path: Path) -> None:
    """A full server says so before anything else."""
    with started(tmp_path, "maxclients 1") as server, server.line():
        error = failure(knock, ReplyError, f"redis://127.0.0.1:{server.port}/0")
    assert "as many clients as it allows" in str(error)
    assert "REDIS_POOL_MAX_CONNECTIONS" in error.hint


@contextmanager
def started(folder: Path, *lines: str) -> Iterator[Server]:
    """A server of one engine with these lines in its redis.conf."""
    engine = next(each for each in ENGINES if each.program)
    with start(engine, folder, free_port(), *lines) as server:
        yield server


def test_writes_that_are_refused(knock: Knock, tmp_path: Path) -> None:
    """After a failed snapshot the server answers PING with MISCONF."""
    with started(tmp_path, "save 900 1", "stop-writes-on-bgsave-error yes") as server:
        with server.line() as line:
            (tmp_path / "dump.rdb").mkdir()
            line.ask("SET", "a", "1")
            line.ask("BGSAVE")
            for _ in range(200):
                if line.ask("PING") != "PONG":
                    break
                threading.Event().wait(0.02)
        error = failure(knock, ReplyError, f"redis://127.0.0.1:{server.port}/0")
    assert error.code == "MISCONF"
    assert "look at the disk" in error.hint


def test_a_server_that_loads(knock: Knock, tmp_path: Path) -> None:
    """LOADING lasts longer than the retries: wait."""
    slow = ("key-load-delay 1000", "loading-process-events-interval-bytes 1024")
    with started(tmp_path, "enable-debug-command local", *slow) as server:
        with server.line() as line:
            assert line.ask("DEBUG", "POPULATE", "20000") == "OK"
            assert line.ask("SAVE") == "OK"
            threading.Thread(target=_reload, args=(server.port,), daemon=True).start()
            for _ in range(200):
                if str(line.ask("PING")).startswith("LOADING"):
                    break
                threading.Event().wait(0.02)
            error = failure(knock, ReplyError, f"redis://127.0.0.1:{server.port}/0")
        server.process.kill()
    assert error.code == "LOADING"


def _reload(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(b"DEBUG RELOAD NOSAVE\r\n")
        try:
            link.recv(64)
        except OSError:
            pass


def test_protected_mode(knock: Knock, tmp_path: Path) -> None:
    """From another address than loopback a server without a password says DENIED."""
    address = _own_address()
    with started(tmp_path, f"bind 127.0.0.1 {address}", "protected-mode yes") as server:
        error = failure(knock, ReplyError, f"redis://{address}:{server.port}/0")
    assert error.code == "DENIED"
    assert "do not switch protected-mode off" in error.hint


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        address: str = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    return address


# --- sockets and certificates -----------------------------------------------------------------------


def test_a_socket_that_is_missing_or_closed(knock: Knock, tmp_path: Path) -> None:
    """A path without a socket, and one that is left over from a server that is gone."""
    error = failure(knock, Unreachable, f"unix://{tmp_path}/none")
    assert str(error) == f"there is no socket {tmp_path}/none"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{tmp_path}/left")
    error = failure(knock, Unreachable, f"unix://{tmp_path}/left")
    assert "nobody listens" in str(error)


def test_a_certificate_that_expired(knock: Knock, tmp_path: Path) -> None:
    """Its time is over: renew it."""
    engine = next((each for each in ENGINES if each.program and each.tls), None)
    if engine is None:
        pytest.skip("no server with TLS is installed")
    _expired(tmp_path)
    port = free_port()
    (tmp_path / "redis.conf").write_text(
        f'port 0\ntls-port {port}\nbind 127.0.0.1\nsave ""\ndir {tmp_path}\n'
        f"tls-cert-file {tmp_path}/x.crt\ntls-key-file {tmp_path}/x.key\n"
        f"tls-ca-cert-file {tmp_path}/x.crt\ntls-auth-clients no\n"
    )
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with running(engine, tmp_path, port, context):
        error = failure(
            knock, Unreachable, f"rediss://localhost:{port}/0", ssl_ca_certs=f"{tmp_path}/x.crt"
        )
    assert "has expired" in str(error)
    assert "keywright tls renew" in error.hint


def _expired(folder: Path) -> None:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now - timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "x.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "x.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
