"""What a server presents when TLS is begun with it, and whether a client would accept that.

Certificates are taken as they come, so that one that has expired, or is a stranger's, can be told of; no
password is ever sent here.
"""

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from keywright.endpoint import Endpoint
from keywright.errors import Unreachable
from keywright_ops.model.absence import Missing

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

NOBODY = "nobody listens there"
PATIENCE = 2.0  # seconds for a connection, and again for the handshake


class Presented(NamedTuple):
    """The certificate as DER, and why a client that checks would refuse it ("" when it would not)."""

    der: bytes
    doubt: str


def present(place: Endpoint, name: str, authority: str) -> Presented | Missing:
    """Begin TLS twice: as a client that checks chain, dates and `name`, and as one that looks.

    `authority` is a PEM text; "" stands for the system's authorities.
    """
    import ssl  # 13 ms: only where there is TLS

    try:
        context = ssl.create_default_context(cadata=authority or None)
    except (ssl.SSLError, ValueError):
        return Missing("the authority's file holds no certificate")
    seen = _shake(place, name, context)
    if isinstance(seen, bytes):
        return Presented(seen, "")
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    looked = _shake(place, name, context)
    return Presented(looked, seen.why) if isinstance(looked, bytes) else looked


def _shake(place: Endpoint, name: str, context: object) -> bytes | Missing:
    """The certificate as DER; Missing with the reason when the handshake does not succeed."""
    import ssl

    assert isinstance(context, ssl.SSLContext)
    try:
        with linked(place) as link, context.wrap_socket(link, server_hostname=name) as channel:
            return channel.getpeercert(True) or b""
    except ssl.SSLCertVerificationError as error:
        return Missing(error.verify_message)
    except TimeoutError:
        return Missing(f"{place.address} did not answer within {PATIENCE:g} s")
    except ssl.SSLError as error:
        return Missing(f"no TLS on {place.address}: {(error.reason or 'refused').lower()}")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        return Missing(f"no handshake with {place.address}: {why}")


@contextmanager
def linked(place: Endpoint) -> "Iterator[socket.socket]":
    """Give a connection with a time-out: through the endpoint's relay where it has one."""
    import socket

    if not place.relay:
        with socket.create_connection((place.host, place.port), PATIENCE) as link:
            yield link
        return
    from keywright.relay import Relay  # subprocess: only where a container is not reached otherwise

    relay = Relay(place.relay)
    try:
        relay.link.settimeout(PATIENCE)
        yield relay.link
    finally:
        relay.close()


def speaks_plainly(place: Endpoint) -> bool | Missing:
    """Whether the server answers a PING that is sent without TLS."""
    try:
        with linked(place) as link:
            link.sendall(b"PING\r\n")
            answer = link.recv(64)
    except ConnectionRefusedError:
        return Missing(NOBODY)
    except (ConnectionResetError, BrokenPipeError):
        return False
    except Unreachable as error:
        return Missing(str(error))
    except TimeoutError:
        return Missing(f"{place.address} did not answer within {PATIENCE:g} s")
    except OSError as error:
        return Missing(f"{place.address}: {error.strerror}")
    return answer[:1] in (b"+", b"-")  # TLS answers with an alert, or closes
