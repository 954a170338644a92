"""Where the server answers: port, addresses, TLS; and where others find it."""

from collections.abc import Mapping

from keywright.errors import ProfileError
from keywright_ops.model.absence import NOT_THERE, Discovered, Missing
from keywright_ops.model.host import HostFacts
from keywright_ops.model.plan import Listen, Tls
from keywright_ops.plan.certificate import FOLDER
from keywright_ops.plan.directives import config_directory
from keywright_ops.profile.declared import Values

# What `port = "auto"` tries, in this order. Neither 6380 (TLS, RedisInsight on linux), 16379 (the
# cluster bus of 6379) nor 26379 (Sentinel) is among them.
PORT_CANDIDATES = (6379, 6389, 6399, 6409, 6419, 6429, 6439, 6449)
# docker0, the bridge over which containers reach their host, and what it is usually called.
BRIDGE = Discovered("the address of docker0", "172.17.0.1")


def decide_listen(
    values: Values, host: HostFacts | None, kept: Mapping[str, str], home: str
) -> Listen:
    """Decide where the server answers; a managed one answers where the application is told."""
    if values.kind in ("azure", "aws"):
        return Listen(values.number("app.port"), (), True)
    tls = decide_tls(values, home)
    bind: tuple[str | Discovered, ...] = values.words("bind")
    if values.kind == "systemd" and not values.changed("bind"):
        # With a minus, so that a start does not fail when an interface comes up later.
        bind = (*bind, *(f"-{each}" if isinstance(each, str) else each for each in outer(host)))
    if values.kind == "systemd":
        named = [each.removeprefix("-") for each in bind if isinstance(each, str)]
        private = _private(values, host)  # an address twice, and the server would not start
        bind = (*bind, *(each for each in private if str(each).removeprefix("-") not in named))
    return Listen(decide_port(values, host, kept, tls), bind, values.flag("protected_mode"), tls)


def outer(host: HostFacts | None) -> tuple[str | Discovered, ...]:
    """Return docker0's address; () on a host that says it has no such bridge."""
    if host is not None and host.bridge == Missing(NOT_THERE):
        return ()
    return (bridge(host),)


def _private(values: Values, host: HostFacts | None) -> tuple[str | Discovered, ...]:
    """Return the addresses of the interfaces that the file names; IPv6's too."""
    found: list[str | Discovered] = []
    machine = host.machine if host is not None else Missing("not asked")
    for interface in values.words("interfaces"):
        if isinstance(machine, Missing):
            found.append(Discovered(f"the address of {interface}"))
            continue
        addresses = machine.address_of(interface)
        if not addresses:
            seen = dict.fromkeys(each.interface for each in machine.addresses)
            raise ProfileError(
                f"env.{values.environment}.interfaces: {interface} has no address on that host",
                f"there are: {', '.join(seen)}",
            )
        found += [f"-{each}" for each in addresses]
    return tuple(found)


def decide_tls(values: Values, home: str) -> Tls | None:
    """Decide TLS: with a person's certificate, else with one that Keywright's authority makes."""
    if not values.encrypted():
        return None
    certificate = values.text("tls.cert_file")
    if not certificate:
        folder = f"{config_directory(values, home)}/{FOLDER}"
        return Tls(
            port=values.number("tls.port"),
            cert_file=f"{folder}/server.crt",
            key_file=f"{folder}/server.key",
            ca_cert_file=f"{folder}/ca.crt",
            own=True,
        )
    return Tls(
        port=values.number("tls.port"),
        cert_file=certificate,
        key_file=values.text("tls.key_file"),
        ca_cert_file=values.text("tls.ca_cert_file"),
        auth_clients=values.flag("tls.auth_clients"),
    )


def decide_port(
    values: Values, host: HostFacts | None, kept: Mapping[str, str], tls: Tls | None
) -> int:
    """Decide the port without TLS: declared, else closed by TLS, else kept, else the first free.

    When no candidate is free the first one is planned, and starting says who holds it.
    """
    declared = values.any("port")
    if values.origin("port") and declared != "auto":
        return int(declared)
    if tls is not None:
        return 0
    if declared != "auto":
        return int(declared)
    remembered = kept.get("port", "")
    if remembered.isascii() and remembered.isdigit() and 0 < int(remembered) < 65536:
        return int(remembered)
    if host is not None and isinstance(host.free_port, int):
        return host.free_port
    return PORT_CANDIDATES[0]


def bridge(host: HostFacts | None) -> str | Discovered:
    """Return docker0's address, when the host has told it."""
    if host is not None and isinstance(host.bridge, str):
        return host.bridge
    return BRIDGE


def door(listen: Listen) -> int:
    """Return the port that clients are sent to: TLS's where there is one."""
    return listen.tls.port if listen.tls else listen.port
