"""The guide's two comparison tables, computed from plans: what is compared is what is planned."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from keywright_ops.model.plan import Limits, Plan
from keywright_ops.plan.listen import door
from keywright_ops.profile.addresses import bare, is_everywhere

MANAGED = "set by the service"


class Table(NamedTuple):
    """A table for somebody else to show: a title, the names of its columns, and its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def compare(plans: Sequence[Plan]) -> tuple[Table, Table]:
    """Return the table of Redis' settings and the one of RedisInsight, a column for each plan."""
    columns = ("Setting", *(plan.environment for plan in plans))
    return (
        Table("Redis settings", columns, rows(REDIS_ROWS, plans)),
        Table("RedisInsight", columns, rows(INSIGHT_ROWS, plans)),
    )


Row = tuple[str, Callable[[Plan], str]]


def rows(wanted: Sequence[Row], plans: Sequence[Plan]) -> tuple[tuple[str, ...], ...]:
    """Fill the rows of a table."""
    return tuple((title, *(cell(plan) for plan in plans)) for title, cell in wanted)


def people_size(size: int, step: int = 1024) -> str:
    """Write a size as the guide does: 512MB, 1GB, 1.5GB."""
    for factor, unit in ((step**3, "GB"), (step**2, "MB"), (step, "KB")):
        if size >= factor:
            return f"{round(size / factor, 2):g}{unit}"
    return f"{size} bytes"


def people_limits(limits: Limits) -> str:
    """Write limits as the guide does: 0.5 CPU, 1.5GB RAM."""
    words = [f"{limits.cpus:g} CPU"] if limits.cpus else []
    words += [f"{people_size(limits.memory)} RAM"] if limits.memory else []
    return ", ".join(words) or "None"


def own_server(cell: Callable[[Plan], str]) -> Callable[[Plan], str]:
    """Wrap a cell so that a managed service answers for itself."""
    return lambda plan: cell(plan) if plan.directives else MANAGED


def name(plan: Plan) -> str:
    """Name the container, or what stands in its place."""
    if plan.container:
        return plan.container.name
    return f"{plan.unit.name} (systemd)" if plan.unit else "(child process)"


def password(plan: Plan) -> str:
    """Say where the password comes from."""
    if plan.default_password:
        return plan.default_password
    return f"${{{plan.password_variable}}}" if plan.password_variable else "generated"


def persistence(plan: Plan) -> str:
    """Say what survives a restart, in the guide's words."""
    kept = plan.persistence
    if kept.appendonly:
        return "RDB + AOF" if kept.save else "AOF only"
    return "RDB only" if kept.save else "None (cache profile)"


def snapshots(plan: Plan) -> str:
    """List the save points."""
    points = plan.persistence.save
    listed = ", ".join(f"save {point.seconds} {point.changes}" for point in points)
    return listed or 'Disabled (save "")'


def append_only(plan: Plan) -> str:
    """Describe the append-only file."""
    kept = plan.persistence
    return f"appendonly yes, {kept.appendfsync}" if kept.appendonly else "Disabled"


def addresses(plan: Plan) -> str:
    """List the addresses, without redis.conf's minus."""
    listed = ", ".join(bare(str(each)) for each in plan.listen.bind)
    if any(is_everywhere(str(each)) for each in plan.listen.bind):
        internal = plan.container is not None
        listed += " (internal network)" if internal else " (all interfaces)"
    return listed


def port(plan: Plan) -> str:
    """Say the port and who can reach it."""
    number = f"{door(plan.listen)}" + (" TLS" if plan.listen.tls else "")
    if plan.container:
        where = f"published on {plan.container.publish}" if plan.container.publish else ""
        return f"{number} ({where or 'internal only'})"
    if plan.kind == "local":
        return f"{number} (this host only)"
    return f"{number} (private IPs only)" if plan.directives else f"{number} TLS"


def resources(plan: Plan) -> str:
    """Say what the server may use."""
    if plan.container:
        return people_limits(plan.container.limits)
    return "None (system-managed)"


def log_driver(plan: Plan) -> str:
    """Say where the log goes."""
    if plan.container is None:
        return "systemd journal" if plan.unit else "server.log"
    size, files = plan.container.log_max_size, plan.container.log_max_files
    # Docker counts logs in powers of 1000.
    words = [people_size(size, 1000)] if size else []
    words += [f"{files} files"] if files else []
    return f"json-file ({', '.join(words) or 'default'})"


def health(plan: Plan) -> str:
    """Say how often health is asked."""
    if plan.container:
        return f"Every {plan.container.health_interval}s"
    return "N/A (systemd monitoring)" if plan.unit else "N/A"


def restart(plan: Plan) -> str:
    """Say what starts the server again."""
    if plan.container:
        return plan.container.restart
    return "systemd auto-restart" if plan.unit else "keywright up"


def volume(plan: Plan) -> str:
    """Say where the data lies."""
    return plan.container.volume if plan.container else plan.persistence.directory


REDIS_ROWS: tuple[Row, ...] = (
    ("Container Name", own_server(name)),
    ("Password", password),
    ("Max Memory", own_server(lambda plan: people_size(plan.memory.maxmemory))),
    ("Eviction Policy", own_server(lambda plan: plan.memory.policy)),
    ("Persistence", own_server(persistence)),
    ("RDB Snapshots", own_server(snapshots)),
    ("AOF", own_server(append_only)),
    ("Bind Address", own_server(addresses)),
    ("Port", port),
    ("Resource Limits", own_server(resources)),
    ("Log Driver", own_server(log_driver)),
    ("Health Check", own_server(health)),
    ("Restart Policy", own_server(restart)),
    ("Protected Mode", own_server(lambda plan: "yes" if plan.listen.protected_mode else "no")),
    ("Volume", own_server(volume)),
)


def insight_name(plan: Plan) -> str:
    """Name RedisInsight's container."""
    return plan.insight.name if plan.insight else "None"


def insight_port(plan: Plan) -> str:
    """Say RedisInsight's port."""
    return f"{plan.insight.port} (localhost)" if plan.insight else "None"


def insight_volume(plan: Plan) -> str:
    """Name RedisInsight's volume."""
    return plan.insight.volume if plan.insight else "None"


def insight_limits(plan: Plan) -> str:
    """Say what RedisInsight may use."""
    return people_limits(plan.insight.limits).replace(" RAM", "") if plan.insight else "None"


def insight_access(plan: Plan) -> str:
    """Say how a person reaches RedisInsight."""
    if plan.insight is None:
        return "None"
    if plan.insight.site:
        return f"https://{plan.insight.site} (with a login)"
    url = f"http://localhost:{plan.insight.port}"
    return f"SSH tunnel, {url}" if plan.unit else url


INSIGHT_ROWS: tuple[Row, ...] = (
    ("Container Name", insight_name),
    ("Port", insight_port),
    ("Volume", insight_volume),
    ("Resource Limits", insight_limits),
    ("Access", insight_access),
)
