"""Why a connection failed, said to a person: one sentence, and what to do next.

`explained` is a pure function. It takes whatever was raised (redis-py's exceptions, the operating
system's, Keywright's own), the endpoint, and whether this process runs in a container; it returns one
of Keywright's errors, for the caller to raise. Exceptions are known by their names and texts, so that
nothing is loaded for it. No sentence holds a password.
"""

import errno
from typing import NamedTuple

from keywright.endpoint import Endpoint
from keywright.errors import (
    Busy,
    ConnectionLost,
    KeywrightError,
    NotThere,
    ProtocolError,
    TimedOut,
    Unreachable,
)
from keywright.refusals import chain, code_of, refusal
from keywright.secret import MASK

LOOPBACK = ("localhost", "127.", "::1", "0.0.0.0")  # noqa: S104 - what people write, not what is bound


class _Said(NamedTuple):
    kind: type[KeywrightError]
    sentence: str
    hint: str


def explained(
    error: BaseException, endpoint: Endpoint, *, in_container: bool = False
) -> KeywrightError:
    """Return the error to raise instead of `error`: what happened at `endpoint`, what to do.

    A ReplyError keeps the server's code (`NOAUTH`, `WRONGPASS` …); what is not known keeps its own
    words, with every password masked. Costs no round trip.
    """
    code = code_of(error)
    if code:
        return refusal(code, endpoint)
    # A client says of a time-out whether it was reading; the exception behind it does not.
    told = [each for each in chain(error) if _told(each)] if _timed_out(error) else chain(error)
    for each in told:
        said = _judged(each, endpoint, in_container)
        if said is not None:
            return said.kind(said.sentence, said.hint)
    if isinstance(error, KeywrightError):
        return error
    return Unreachable(f"cannot reach {endpoint.address}: {_words(error, endpoint)}")


def _timed_out(error: BaseException) -> bool:
    return type(error).__name__ == "TimeoutError" and not isinstance(error, OSError)


def _told(error: BaseException) -> bool:
    return _timed_out(error) or "handshake" in str(error)


def masked(text: str, endpoint: Endpoint) -> str:
    """Hide the endpoint's passwords in a text that somebody else wrote."""
    secrets = [endpoint.password, endpoint.sentinels.password if endpoint.sentinels else None]
    for secret in filter(None, secrets):
        text = text.replace(secret.reveal(), MASK)
    return text


def _words(error: BaseException, endpoint: Endpoint) -> str:
    """What an exception says of itself, in one line without a full stop."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return masked(" ".join(str(text).split()).rstrip("."), endpoint)


# --- what never got to the server, or broke on the way ----------------------------------------------


def _judged(error: BaseException, endpoint: Endpoint, in_container: bool) -> _Said | None:
    """What one exception of the chain says, None when it says nothing by itself."""
    name, text = type(error).__name__, str(error)
    number = getattr(error, "errno", None)
    if isinstance(error, TimedOut | Busy) or name in ("MasterNotFoundError", "MaxConnectionsError"):
        return _named(error, endpoint)
    if "certificate" in text.lower() or name.startswith("SSL"):
        return _tls(error, text, endpoint)
    if name == "gaierror" or "Name or service not known" in text or "name resolution" in text:
        return _unknown_name(endpoint, in_container)
    if endpoint.unix_path and not endpoint.relay:
        found = _socket_file(error, text, endpoint)
        if found is not None:
            return found
    if number == errno.ECONNREFUSED or "Connect call failed" in text or "Error 111" in text:
        return _refused(endpoint, in_container)
    if name in ("TimeoutError", "timeout") or number == errno.ETIMEDOUT:
        return _silent(error, endpoint)
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return _Said(
            Unreachable, f"no route leads to {endpoint.address}",
            "is the address right, and is the VPN or the network of the containers there?",
        )  # fmt: skip
    if "No connection available" in text:
        return _busy(endpoint)
    if name in ("InvalidResponse", "ProtocolError"):
        return _Said(
            ProtocolError, f"{endpoint.address} does not speak the Redis protocol",
            "is this another service's port (RedisInsight, a web server), or does one side expect TLS?",
        )  # fmt: skip
    if "Cluster mode is not enabled" in text or "unknown command 'SENTINEL'" in text:
        return _named(error, endpoint)
    if number in (errno.ECONNRESET, errno.EPIPE) or "closed" in text or "reset by peer" in text:
        return _hung_up(endpoint)
    return None


def _named(error: BaseException, endpoint: Endpoint) -> _Said | None:
    """Errors that say themselves what happened, once the hint is added."""
    name, text = type(error).__name__, str(error)
    if isinstance(error, KeywrightError):
        return _Said(type(error), str(error), error.hint)
    if name == "MasterNotFoundError":
        return _no_master(text, endpoint)
    if name == "MaxConnectionsError":
        return _busy(endpoint)
    if "'SENTINEL'" in text:
        return _Said(
            Unreachable, f"{endpoint.address} is a Redis server, not a sentinel",
            "name the sentinels' port (26379), or write redis:// instead of redis+sentinel://",
        )  # fmt: skip
    if "Cluster mode is not enabled" in text:
        return _Said(
            Unreachable, f"{endpoint.address} is no cluster, and cluster=True was asked for",
            "leave cluster=True away, or connect to a node of the cluster",
        )  # fmt: skip
    return None


def _busy(endpoint: Endpoint) -> _Said:
    return _Said(
        Busy, f"all connections to {endpoint.address} are in use",
        "raise REDIS_POOL_MAX_CONNECTIONS, or look for slow commands",
    )  # fmt: skip


def _no_master(text: str, endpoint: Endpoint) -> _Said:
    known = endpoint.sentinels
    asked = ", ".join(f"{host}:{port}" for host, port in known.nodes) if known else endpoint.address
    master = known.master if known else "that name"
    sentence, hint = f"no sentinel names a master of {master} (asked: {asked})", (
        "are the sentinels up, is a failover under way, and is the name what `SENTINEL MASTERS` shows?"
    )  # fmt: skip
    if "auth" in text.lower().replace("password=<redacted>", ""):
        hint = (
            "a sentinel refused the login: set sentinel_username and sentinel_password in REDIS_URL"
        )
    return _Said(NotThere, sentence, hint)


def local(host: str) -> bool:
    """Whether a host's name means the machine, or the container, that asks."""
    return host.lower().startswith(LOOPBACK)


def _refused(endpoint: Endpoint, in_container: bool) -> _Said:
    sentence = f"nobody listens on {endpoint.address}"
    if in_container and local(endpoint.host):
        return _Said(
            NotThere, f"{sentence} in this container, where localhost is the container itself",
            "set REDIS_HOST to the service's name in the compose file (redis), or to "
            "host.docker.internal for a server on the host, and make the container anew",
        )  # fmt: skip
    return _Said(
        NotThere, sentence,
        "is the server running (`docker compose ps`, `systemctl status redis-server`), on this port, "
        "and does its `bind` name this address?",
    )  # fmt: skip


def _unknown_name(endpoint: Endpoint, in_container: bool) -> _Said:
    hint = "is the name spelt right, and is the private DNS zone or the VPN there?"
    if in_container:
        hint = "is the container in the same Docker network as the server, and is the name its service's?"
    elif "." not in endpoint.host:
        hint = (
            "a compose service's name is known inside its containers only: on the host use "
            "127.0.0.1 and the published port"
        )
    return _Said(Unreachable, f"no address is known for the name {endpoint.host}", hint)


def _silent(error: BaseException, endpoint: Endpoint) -> _Said:
    """A time-out: of the handshake, of an answer, or of connecting (what nothing else is said of)."""
    text = str(error).lower()
    if "handshake" in text:
        return _Said(
            Unreachable,
            f"{endpoint.address} did not finish the TLS handshake within {endpoint.connect_timeout:g} s",
            "does the port speak TLS? if not, write redis:// (one s) or REDIS_SSL=false",
        )
    if "reading" in text or "writing" in text:
        return _Said(
            TimedOut,
            f"{endpoint.address} did not answer within {endpoint.timeout:g} s",
            "is the server busy, stopped (SIGSTOP) or behind a firewall that drops?",
        )
    return _Said(
        Unreachable,
        f"{endpoint.address} did not answer within {endpoint.connect_timeout:g} s",
        "a time-out means dropped packets: look at firewalls, security groups and routes"
        + ("; or the port does not speak TLS" if endpoint.tls else ""),
    )


def _socket_file(error: BaseException, text: str, endpoint: Endpoint) -> _Said | None:
    number = getattr(error, "errno", None)
    if number == errno.ENOENT or "No such file" in text:
        return _Said(
            NotThere, f"there is no socket {endpoint.unix_path}",
            "is the server running, does its `unixsocket` name this path, and is the folder "
            "mounted into this container?",
        )  # fmt: skip
    if number in (errno.EACCES, errno.EPERM) or "Permission denied" in text:
        return _Said(
            Unreachable, f"this process may not use the socket {endpoint.unix_path}",
            "add its user to the server's group (redis) and set `unixsocketperm 770`",
        )  # fmt: skip
    return None


def _hung_up(endpoint: Endpoint) -> _Said:
    hint = (
        "does the server ask for a client certificate (ssl_certfile, ssl_keyfile)? otherwise look at "
        "its log"
    )
    if endpoint.tls is None:
        hint = (
            "does the port expect TLS? then write rediss:// (two s) or REDIS_SSL=true; otherwise "
            "look at the server's log"
        )
    return _Said(ConnectionLost, f"{endpoint.address} closed the connection", hint)


def _tls(error: BaseException, text: str, endpoint: Endpoint) -> _Said:
    at, words = endpoint.address, text.lower()
    if "expired" in words:
        return _Said(
            Unreachable, f"the certificate of {at} has expired",
            "renew it (`keywright tls renew`) and let the server read it anew",
        )  # fmt: skip
    if "not yet valid" in words:
        return _Said(
            Unreachable, f"the certificate of {at} is not valid yet", "are both clocks right?"
        )
    if "mismatch" in words or "not valid for" in words:
        return _Said(
            Unreachable, f"the certificate of {at} was made for another name than {endpoint.host}",
            "connect by a name that stands in the certificate, or make one that names this host too",
        )  # fmt: skip
    if "verify failed" in words:
        return _Said(
            Unreachable, f"the certificate of {at} was signed by an authority that is not known here",
            "set REDIS_SSL_CA_CERTS to the authority's file (ca.crt); do not switch the check off",
        )  # fmt: skip
    if "certificate_required" in words or "certificate required" in words:
        return _Said(
            Unreachable, f"{at} asks for a client certificate, and none was shown",
            "give ssl_certfile and ssl_keyfile, or set `tls-auth-clients no` on the server",
        )  # fmt: skip
    if any(
        each in words
        for each in ("wrong_version", "wrong version", "record_layer", "eof", "record layer")
    ):
        return _Said(
            ProtocolError, f"{at} does not speak TLS, and TLS was asked for",
            "write redis:// (one s) or REDIS_SSL=false, or connect to the server's TLS port; a server "
            "that asks for a client certificate hangs up in the same way",
        )  # fmt: skip
    return _Said(
        Unreachable,
        f"TLS with {at} failed: {_words(error, endpoint)}",
        "look at both sides' certificates",
    )
