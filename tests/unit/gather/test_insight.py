"""What RedisInsight says of itself: only its own word counts as health."""

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from keywright_ops.gather import insight
from keywright_ops.gather.insight import insight_health
from keywright_ops.model.absence import Missing


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    answer: bytes = b'{"status":"up"}'
    code = 200


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        code = server.code if self.path == "/api/health/" else 404
        self.send_response(code)
        self.send_header("Content-Length", str(len(server.answer)))
        self.end_headers()
        self.wfile.write(server.answer)


@pytest.fixture
def server() -> Iterator[_Server]:
    """A real HTTP server on loopback that answers /api/health/ alone."""
    with _Server(("127.0.0.1", 0), _Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join(5)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of somebody who accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_its_own_word_is_returned(server: _Server) -> None:
    """The status that it tells is the answer, whatever it is."""
    assert "up" == insight_health(server.server_port)
    server.answer = b'{"status":"starting"}'
    assert "starting" == insight_health(server.server_port)


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"status":null}', b"up", b"\xff"])
def test_another_program_is_never_healthy(server: _Server, answer: bytes) -> None:
    """Whatever answers something else there is not RedisInsight."""
    server.answer = answer
    port = server.server_port
    expected = Missing(f"/api/health/ on port {port} is not RedisInsight's")
    assert expected == insight_health(port)


def test_a_failure_is_named_by_its_code(server: _Server) -> None:
    """An HTTP error is never health, even with a fine body."""
    server.code = 503
    expected = Missing(f"/api/health/ on port {server.server_port} answers HTTP 503")
    assert expected == insight_health(server.server_port)


def test_nobody_there_is_missing() -> None:
    """A closed port is told as such."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert Missing(f"127.0.0.1:{port}: connection refused") == insight_health(port)


def test_silence_ends(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who accepts and says nothing is given up on."""
    monkeypatch.setattr(insight, "LIMIT", 0.1)
    assert Missing(f"port {silent} gave no answer within 0.1 s") == insight_health(silent)


def test_another_protocol_is_told(silent: int) -> None:
    """A server that speaks first, and not HTTP, is no RedisInsight."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"-NOAUTH Authentication required.\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        port = listener.getsockname()[1]
        expected = Missing(f"port {port} does not speak HTTP: it is not RedisInsight")
        assert expected == insight_health(port)
        thread.join(5)
