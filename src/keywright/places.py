"""From settings to an endpoint, and from an endpoint with sentinels to the master that they name."""

from keywright.address import Address
from keywright.endpoint import Credentials, Endpoint, Sentinels, Tls
from keywright.errors import KeywrightError, NotThere, ReplyError
from keywright.settings import Settings
from keywright.wire import Wire


def endpoint_of(settings: Settings) -> Endpoint:
    """Return the one place that the settings name (with Sentinel: whom to ask for it)."""
    address = settings.address
    tls = Tls(
        settings.ssl_ca_certs,
        verify=settings.ssl_cert_reqs != "none",
        check_hostname=settings.ssl_cert_reqs == "required",
    )
    return Endpoint(
        host=settings.host,
        port=settings.port,
        unix_path=address.path,
        username=address.username,
        password=address.password,
        tls=tls if address.tls else None,
        connect_timeout=settings.socket_connect_timeout,
        timeout=settings.socket_timeout,
        database=address.database,
        sentinels=_sentinels(address) if address.sentinel else None,
    )


def _sentinels(address: Address) -> Sentinels:
    return Sentinels(
        tuple((node.host, node.port) for node in address.nodes),
        address.master,
        address.sentinel_username,
        address.sentinel_password,
    )


def resolved(endpoint: Endpoint) -> tuple[Endpoint, Credentials]:
    """Return the endpoint as it is to be knocked at now, and its credentials.

    Asks the sentinels (one round trip each, until one answers) and the source of credentials, so
    it may block. Raises NotThere when no sentinel knows a master that is one.
    """
    given = Credentials(endpoint.username, endpoint.password)
    if endpoint.credentials is not None:
        given = endpoint.credentials()
    endpoint = endpoint._replace(username=given.username, password=given.password)
    if endpoint.sentinels is not None:
        host, port = _master(endpoint, endpoint.sentinels)
        endpoint = endpoint._replace(host=host, port=port)
    return endpoint, given


def _master(endpoint: Endpoint, sentinels: Sentinels) -> tuple[str, int]:
    """Ask each sentinel in turn; the first whose master says of itself that it is one is believed.

    A sentinel that was cut off names the master of before: the server's own word is what tells.
    """
    said: list[str] = []
    for host, port in sentinels.nodes:
        ask = endpoint._replace(
            host=host, port=port, username=sentinels.username, password=sentinels.password,
            database=0, sentinels=None, credentials=None, unix_path="",
        )  # fmt: skip
        try:
            with Wire(ask) as wire:
                found = wire.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", sentinels.master)
            if not found:
                said.append(f"{ask.address} knows no {sentinels.master}")
                continue
            place = str(found[0]), int(found[1])
            with Wire(endpoint._replace(host=place[0], port=place[1], database=0)) as wire:
                role = _role(wire)
            if role == "master":
                return place
            said.append(f"{ask.address} names {place[0]}:{place[1]}, which is a {role}")
        except ReplyError as error:
            if error.code in ("WRONGPASS", "NOAUTH", "NOPERM"):
                raise
            said.append(f"{ask.address}: {error}")
        except KeywrightError as error:
            said.append(str(error))
    raise NotThere(
        f"no sentinel names a master of {sentinels.master}: {'; '.join(said)}",
        "is a failover under way, and is the name what `SENTINEL MASTERS` shows?",
    )


def _role(wire: Wire) -> str:
    """What the server says it is. By HELLO: ROLE is a right that an application's user lacks."""
    said = wire.call("HELLO")
    return str(dict(zip(said[::2], said[1::2], strict=True))["role"])
