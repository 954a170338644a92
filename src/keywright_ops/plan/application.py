"""What the application is told: under which name it finds the server, and its own settings."""

from keywright_ops.model.absence import Discovered
from keywright_ops.model.plan import Application, Container, Listen
from keywright_ops.plan.certificate import authority_for_application
from keywright_ops.plan.listen import BRIDGE, door
from keywright_ops.profile.declared import Values

AZURE_HOST = Discovered("the cache's host name", "<CACHE_NAME>.redis.cache.windows.net")
AWS_HOST = Discovered("the cluster's primary endpoint", "<CLUSTER_ENDPOINT>")


def decide_application(
    values: Values,
    listen: Listen,
    container: Container | None,
    bridge: str | Discovered,
    home: str,
    folder: str = "",
) -> Application:
    """Decide every variable of the application's .env; `folder` is the project's ("" unknown)."""
    host, port = find_server(values, listen, container, bridge)
    username = values.text("app.username")
    dotenv = values.text("app.dotenv")
    if values.kind == "local" and not dotenv.startswith("/"):
        dotenv = f"{home}/{dotenv}"
    return Application(
        runs_in=values.text("app.runs_in"),
        dotenv=dotenv,
        host=values.text("app.host") or host,
        port=values.number("app.port") or port,
        database=values.number("app.database"),
        username=username,
        secret="default" if values.kind in ("azure", "aws") else username or "default",
        tls=values.kind in ("azure", "aws") or listen.tls is not None,
        cert_reqs=values.text("app.ssl_cert_reqs"),
        ca_certs=values.text("app.ssl_ca_certs")
        or authority_for_application(values, listen, container, folder),
        prefix=values.prefix,
        pool_max_connections=values.number("app.pool_max_connections"),
        socket_timeout=values.fraction("app.socket_timeout"),
        socket_connect_timeout=values.fraction("app.socket_connect_timeout"),
        cache_ttl=values.number("app.cache_ttl"),
        cache_ttl_short=values.number("app.cache_ttl_short"),
        cache_ttl_long=values.number("app.cache_ttl_long"),
        lock_prefix=values.text("app.lock_prefix"),
        lock_ttl=values.number("app.lock_ttl"),
        healthcheck_on_start=values.flag("app.healthcheck_on_start"),
        healthcheck_key=values.text("app.healthcheck_key"),
    )


def find_server(
    values: Values, listen: Listen, container: Container | None, bridge: str | Discovered
) -> tuple[str | Discovered, int]:
    """Return the host and port under which the application finds the server."""
    port = door(listen)
    inside = values.text("app.runs_in") == "container"
    if values.kind == "azure":
        return AZURE_HOST, port
    if values.kind == "aws":
        return AWS_HOST, port
    if container is not None:
        if inside or not container.publish:
            return container.service, port
        address, _, published = container.publish.rpartition(":")
        address = address.strip("[]")
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
        both = listen.tls is not None and listen.port  # then TLS is published beside
        return everywhere.get(address, address), port if both else int(published)
    if inside:
        return (bridge if values.kind == "systemd" else BRIDGE), port
    first = listen.bind[0] if listen.bind else "127.0.0.1"
    address = first.removeprefix("-") if isinstance(first, str) else "127.0.0.1"
    return {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address), port  # noqa: S104
