"""From an exception to a sentence: laws that need no server."""

import socket
import ssl

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from keywright.endpoint import Endpoint, Tls
from keywright.errors import Busy, KeywrightError, ProtocolError, ReplyError, TimedOut, Unreachable
from keywright.explain import explained
from keywright.secret import Secret

HERE = Endpoint(host="cache.example", port=6379, username="app", password=Secret("pw-4711"))


def certificate(words: str) -> ssl.SSLCertVerificationError:
    """What Python's ssl raises of a certificate."""
    return ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] {words} (_ssl.c:1)")


SAID = [
    (redis.AuthenticationError("Authentication required."), "NOAUTH", "asks for a password"),
    (redis.AuthenticationError("invalid username-password pair or user is disabled."), "WRONGPASS",
     "does not take the password of user app"),
    (redis.exceptions.NoPermissionError("this user has no permissions to run 'get'"), "NOPERM", "user app"),
    (redis.exceptions.MovedError("866 127.0.0.1:7001"), "MOVED", "one node of a cluster"),
    (redis.exceptions.BusyLoadingError("Redis is loading"), "LOADING", "still loading"),
    (redis.ResponseError("MISCONF Redis is configured to save"), "MISCONF", "could not save"),
    (redis.ResponseError("DENIED Redis is running in protected mode"), "DENIED", "protected mode"),
    (redis.ConnectionError("max number of clients reached"), "ERR", "as many clients as it allows"),
    (redis.ResponseError("DB index is out of range"), "ERR", "has no database 0"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code", "words"), SAID)
def test_a_refusal_keeps_its_code(error: Exception, code: str, words: str) -> None:
    """Whatever redis-py made of a reply, its code is found again, with a sentence and a hint."""
    found = explained(error, HERE)
    assert isinstance(found, ReplyError)
    assert found.code == code
    assert words in str(found)
    assert found.hint


BROKEN = [
    (ConnectionRefusedError(111, "Connection refused"), Unreachable, "nobody listens on"),
    (socket.gaierror(-2, "Name or service not known"), Unreachable, "no address is known"),
    (TimeoutError("timed out"), Unreachable, "did not answer within 2 s"),
    (redis.TimeoutError("Timeout reading from socket"), TimedOut, "did not answer within 5 s"),
    (OSError(113, "No route to host"), Unreachable, "no route leads to"),
    (ConnectionResetError(104, "Connection reset by peer"), Unreachable, "closed the connection"),
    (redis.exceptions.InvalidResponse("Protocol Error: b'HTTP"), ProtocolError, "does not speak"),
    (redis.exceptions.MaxConnectionsError("Too many"), Busy, "are in use"),
    (redis.ConnectionError("No connection available."), Busy, "are in use"),
    (certificate("certificate verify failed: certificate has expired"), Unreachable, "has expired"),
    (certificate("certificate verify failed: self-signed certificate in certificate chain"),
     Unreachable, "authority that is not known"),
    (certificate("certificate verify failed: Hostname mismatch, certificate is not valid for 'x'"),
     Unreachable, "made for another name"),
    (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), ProtocolError, "not speak TLS"),
    (ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required"),
     Unreachable, "asks for a client certificate"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "kind", "words"), BROKEN)
def test_a_connection_that_failed(error: Exception, kind: type[KeywrightError], words: str) -> None:
    """The system's exceptions mean the same alone and inside redis-py's."""
    alone = explained(error, HERE._replace(tls=Tls()))
    assert isinstance(alone, kind)
    assert words in str(alone)
    if not isinstance(error, redis.RedisError):
        outer = redis.ConnectionError(f"Error connecting to cache.example:6379. {error}")
        outer.__cause__ = error
        assert str(explained(outer, HERE._replace(tls=Tls()))) == str(alone)


def test_localhost_means_the_container_only_in_one() -> None:
    """The same refusal reads differently inside a container, for loopback alone."""
    refused = ConnectionRefusedError(111, "Connection refused")
    for host, inside in (("localhost", True), ("127.0.0.1", True), ("::1", True), ("redis", False)):
        said = str(explained(refused, Endpoint(host=host), in_container=True))
        assert ("localhost is the container itself" in said) is inside
        assert "container" not in str(explained(refused, Endpoint(host=host)))


@given(st.text(st.characters(categories=["L", "N"]), min_size=8, max_size=20))
def test_no_sentence_holds_a_password(word: str) -> None:
    """What a stranger's exception says of the password is masked."""
    place = Endpoint(host="h", password=Secret(f"<{word}>"))
    for error in (redis.ConnectionError(f"odd <{word}> thing"), OSError(5, f"bad <{word}>")):
        found = explained(error, place)
        assert f"<{word}>" not in f"{found} {found.hint}"


def test_our_own_errors_stay_what_they_are() -> None:
    """An error of Keywright's is returned as it is; a server's refusal may be given a hint."""
    ours = TimedOut("it did not answer", "wait")
    assert str(explained(ours, HERE)) == "it did not answer"
    hint = ReplyError("WRONGPASS invalid username-password pair")
    assert (hint.code, "REDIS_USERNAME" in hint.hint) == ("WRONGPASS", True)
    assert ReplyError("ERR odd").hint == ""


def test_a_unix_socket_that_is_missing_or_not_ours() -> None:
    """A socket's path and what to do stand in the sentence (root may use any: no server here)."""
    place = Endpoint(unix_path="/run/redis/s")
    missing = explained(FileNotFoundError(2, "No such file or directory"), place)
    assert str(missing) == "there is no socket /run/redis/s"
    closed = explained(PermissionError(13, "Permission denied"), place)
    assert str(closed) == "this process may not use the socket /run/redis/s"
    assert "unixsocketperm" in closed.hint
