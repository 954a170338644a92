"""The containers of an environment: the server's, RedisInsight's; and the systemd unit."""

from keywright_ops.model.absence import Discovered, Missing
from keywright_ops.model.host import HostFacts
from keywright_ops.model.plan import Container, Firewall, Insight, Limits, Listen, Plan, Unit
from keywright_ops.plan.listen import door
from keywright_ops.profile.declared import Values

CERTIFICATES = "/etc/letsencrypt/live"
SITE_SECRET = "insight-site"  # noqa: S105 - what the vault calls it
SSH_PORT = Discovered("the port of sshd", "22")


def decide_limits(values: Values, table: str) -> Limits:
    """Decide what a container may use; 0 in the file is no limit."""
    return Limits(
        cpus=values.fraction(f"{table}.cpus") or None,
        memory=values.number(f"{table}.memory") or None,
    )


def decide_container(values: Values) -> Container | None:
    """Decide the server's container, for the Docker kinds."""
    if not values.kind.startswith("docker-"):
        return None
    return Container(
        name=values.text("container.name"),
        service=values.text("container.service"),
        compose_file=values.text("container.compose_file"),
        volume=values.text("container.volume"),
        network=values.text("container.network"),
        restart=values.text("container.restart"),
        publish=values.text("publish"),
        limits=decide_limits(values, "container"),
        log_max_size=values.number("container.log_max_size") or None,
        log_max_files=values.number("container.log_max_files") or None,
        health_interval=values.number("container.health_interval"),
        project=values.text("container.project"),
        host=values.text("container.host"),
    )


def publications(plan: Plan) -> tuple[tuple[str, int, int], ...]:
    """Return what the host's engine publishes: address, port, and port inside.

    While both ports are open TLS has its own number outside as well.
    """
    if plan.container is None or not plan.container.publish:
        return ()
    address, _, port = plan.container.publish.rpartition(":")
    tls = plan.listen.tls
    first = (address, int(port), plan.listen.port or (tls.port if tls else 0))
    if tls is None or not plan.listen.port:
        return (first,)
    return (first, (address, tls.port, tls.port))


def decide_unit(values: Values) -> Unit | None:
    """Decide the systemd side."""
    if values.kind != "systemd":
        return None
    return Unit(
        name=values.text("unit.name"),
        config_directory=values.text("unit.config_directory"),
        account=values.text("unit.account"),
        drop_in=values.text("unit.drop_in"),
        backup_directory=values.text("unit.backup_directory"),
        version=values.text("unit.version"),
        host=values.text("host"),
        key=values.text("ssh_key"),
        package=f"{values.engine()}-server",
        tools=f"{values.engine()}-tools",
        conf=f"{values.text('unit.config_directory')}/{values.engine()}.conf",
    )


def decide_insight(
    values: Values,
    listen: Listen,
    container: Container | None,
    bridge: str | Discovered,
    host: HostFacts | None = None,
) -> Insight | None:
    """Decide RedisInsight; its container reaches a systemd server over docker0."""
    if not values.takes("insight.enabled") or not values.flag("insight.enabled"):
        return None
    if values.kind == "systemd" and without_docker(host):
        return None
    site = values.text("insight.site")
    live = f"{CERTIFICATES}/{site}"
    return Insight(
        name=values.text("insight.name"),
        image=values.text("insight.image"),
        port=values.number("insight.port"),
        volume=values.text("insight.volume"),
        limits=decide_limits(values, "insight"),
        redis_host=container.service if container else bridge,
        redis_port=door(listen),
        user=values.text("insight.user"),
        restart=values.text("insight.restart"),
        site=site,
        site_cert_file=values.text("insight.site_cert_file") or (site and f"{live}/fullchain.pem"),
        site_key_file=values.text("insight.site_key_file") or (site and f"{live}/privkey.pem"),
        secret=SITE_SECRET if site and values.kind == "systemd" else "",
    )


def without_docker(host: HostFacts | None) -> bool:
    """Say whether a Linux host was asked and has no Docker Engine: RedisInsight cannot be there."""
    machine = host.machine if host is not None else Missing("not asked")
    return not isinstance(machine, Missing) and isinstance(machine.docker, Missing)


def decide_firewall(values: Values, host: HostFacts | None) -> Firewall | None:
    """Decide who may come in from outside; a managed service has clients, and no SSH of ours."""
    if not values.takes("allow_from"):
        return None
    if values.kind != "systemd":
        return Firewall(values.words("allow_from"), (), 22)
    ssh_port = host.ssh_port if host is not None else SSH_PORT
    return Firewall(
        values.words("allow_from"),
        values.words("admin_from"),
        ssh_port if isinstance(ssh_port, int) else SSH_PORT,
        kept=values.text("firewall") == "ufw",
    )
