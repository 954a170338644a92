"""What is allowed but questionable in a plan, and what it can cost.

Pure: the plan comes in whole. Each rule returns its warnings; the list at the foot is explicit.
"""

from collections.abc import Callable, Iterator

from keywright_ops.model.plan import Plan
from keywright_ops.model.plan import Warning as Caution
from keywright_ops.profile.addresses import is_everywhere
from keywright_ops.profile.values import format_docker_size, format_redis_size

# Above this share of a container's memory, a snapshot or a rewrite of the append-only file (a
# fork: changed pages are kept twice) can take the container over its limit.
HEADROOM = 0.75
# Sessions have an expiry, which makes them what these policies choose from.
LOSES_SESSIONS = ("volatile-lru", "volatile-lfu", "volatile-random")


def judge_plan(plan: Plan) -> tuple[Caution, ...]:
    """Return the warnings of a plan, in the order of the rules below."""
    if plan.kind in ("azure", "aws"):
        return tuple(_at(plan, *each) for each in managed(plan))
    return tuple(_at(plan, *each) for rule in RULES for each in rule(plan))


def _at(plan: Plan, key: str, text: str) -> Caution:
    return Caution(f"env.{plan.environment}.{key}", text)


def eviction(plan: Plan) -> Iterator[tuple[str, str]]:
    """Eviction against what the data is for."""
    policy, size = plan.memory.policy, format_redis_size(plan.memory.maxmemory)
    key = "maxmemory_policy"
    if not plan.memory.maxmemory:
        text = (
            "without maxmemory the server grows until the kernel ends it, and with it every session"
        )
        yield "maxmemory", text
    elif plan.purpose == "cache":
        if policy == "noeviction":
            yield key, f"when {size} are full, writes are refused: a cache should evict instead"
    elif policy.startswith("allkeys-"):
        lost = "data" if plan.purpose == "durable" else "sessions"
        meant = "" if plan.purpose else '; purpose = "cache" says that this is meant'
        yield (
            key,
            (
                f"when {size} are full, {policy} deletes live {lost}, and people are logged out"
                f" without a trace; noeviction refuses new writes instead{meant}"
            ),
        )
    elif plan.purpose == "sessions" and policy in LOSES_SESSIONS:
        yield (
            key,
            (
                f"sessions have an expiry, so {policy} deletes live ones when {size} are full;"
                " noeviction, or volatile-ttl, does not or does it late"
            ),
        )


def persistence(plan: Plan) -> Iterator[tuple[str, str]]:
    """What a restart or a crash can cost."""
    keeps = plan.persistence
    if plan.purpose == "cache":
        return
    if not keeps.promised:
        yield (
            "appendonly",
            (
                "neither append-only file nor snapshots: every restart, and every update of the"
                " package, empties the server and logs everybody out"
                + ("" if plan.purpose else '; purpose = "cache" says that this is meant')
            ),
        )
    elif plan.purpose and not keeps.appendonly:
        seconds = max(point.seconds for point in keeps.save)
        text = f"snapshots alone: a crash can cost what was written in the last {seconds} seconds"
        yield "appendonly", text
    elif plan.purpose and keeps.appendfsync == "no":
        yield "appendfsync", "the kernel decides when to write: a power cut can cost half a minute"


def container(plan: Plan) -> Iterator[tuple[str, str]]:
    """The container's limits."""
    limits = plan.container.limits if plan.container else None
    if limits is None:
        return
    if limits.memory and plan.memory.maxmemory > limits.memory * HEADROOM:
        yield (
            "maxmemory",
            (
                f"{format_redis_size(plan.memory.maxmemory)} are more than three quarters of the"
                f" container's {format_docker_size(limits.memory)}: a snapshot or a rewrite of the"
                " append-only file needs room beside the data, and without it the kernel ends"
                " the server"
            ),
        )
    if limits.cpus and limits.cpus < 1:
        yield (
            "container.cpus",
            (
                f"with {limits.cpus:g} processors the kernel pauses the server in every tenth of a"
                " second that is busy: answers then take up to 100 ms longer"
            ),
        )


def exposure(plan: Plan) -> Iterator[tuple[str, str]]:
    """Who can knock."""
    published = plan.container.publish.rpartition(":")[0] if plan.container else ""
    if published and is_everywhere(published):
        yield (
            "publish",
            (
                "published on every interface of the host, and Docker's rules pass by ufw: whoever"
                " reaches the host reaches the server"
            ),
        )
    if plan.container is None and any(
        is_everywhere(each) for each in plan.listen.bind if isinstance(each, str)
    ):
        yield "bind", "the server answers on every address of the host; only passwords protect it"
    if plan.listen.tls is not None and plan.listen.port:
        yield (
            "port",
            (
                f"port {plan.listen.port} answers without TLS as well: passwords and data may cross"
                f" readable until it is closed (leave port out when all clients use"
                f" {plan.listen.tls.port})"
            ),
        )
    insight, firewall = plan.insight, plan.firewall
    if insight is not None and insight.site and firewall is not None and not firewall.admin_from:
        text = (
            f"no network is named: whoever reaches the host may try the login of {insight.site},"
            " and ufw is not opened for it"
        )
        yield "admin_from", text
    if not plan.listen.protected_mode:
        yield "protected_mode", "without it nothing protects a server that lost its password"


def logins(plan: Plan) -> Iterator[tuple[str, str]]:
    """Passwords and rights."""
    if plan.default_password:
        unless = f"unless {plan.password_variable} is set, " if plan.password_variable else ""
        yield (
            "password_variable",
            (f"{unless}the password is the guide's {plan.default_password}, which everybody knows"),
        )
    default_on = any(user.name == "default" and user.enabled for user in plan.users)
    if default_on and plan.application.username not in ("", "default"):
        yield (
            "default_user",
            (
                f"the application logs in as {plan.application.username}, and the default user"
                ' still has every right; default_user = "off" closes it'
            ),
        )
    viewer = next((user for user in plan.users if user.name == "viewer"), None)
    if viewer is not None and "+@read" in viewer.rules:
        yield "viewer_reads_values", "whoever knows the viewer's password can take over any session"
    yield from managed(plan)


def managed(plan: Plan) -> Iterator[tuple[str, str]]:
    """What also holds where the server is somebody else's."""
    if plan.application.tls and plan.application.cert_reqs != "required":
        yield (
            "app.ssl_cert_reqs",
            (
                "without checking the certificate the application sends its password to whoever"
                " answers"
            ),
        )


RULES: tuple[Callable[[Plan], Iterator[tuple[str, str]]], ...] = (
    eviction,
    persistence,
    container,
    exposure,
    logins,
)
