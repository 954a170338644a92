"""Hand-made plans of all six kinds, with the guide's values, for tests that need just a plan."""

from keywright.secret import Secret
from keywright_ops.model.absence import Discovered
from keywright_ops.model.plan import (
    Application,
    Container,
    Directive,
    Engine,
    Firewall,
    Insight,
    Limits,
    Listen,
    Memory,
    Persistence,
    Plan,
    SavePoint,
    Tls,
    Unit,
    User,
)

SECRETS = {
    "default": Secret("Test-default-password-1"),
    "appuser": Secret("Test-appuser-password-2"),
    "viewer": Secret("Test-viewer-password-3"),
    "admin": Secret("Test-admin-password-4"),
    "health": Secret("Test-health-password-5"),
}

MB, GB = 2**20, 2**30
SAVE = (SavePoint(900, 1), SavePoint(300, 10), SavePoint(60, 10000))

USERS = (
    User("default", True, ("~*", "&*", "+@all"), "default", "applications"),
    User("appuser", True, ("~esabcfg:*", "&esabcfg:*", "+@all", "-@dangerous"), "appuser", "app"),
    User("viewer", True, ("~*", "+ping", "+info", "+select"), "viewer", "dashboards"),
    User("admin", True, ("~*", "&*", "+@all"), "admin", "Keywright"),
    User("health", True, ("+ping", "+info"), "health", "health check"),
)


def application(**changes: object) -> Application:
    """Return the guide's application settings with some of them changed."""
    app = Application(
        runs_in="container",
        dotenv="src/backend/.env",
        host="redis",
        port=6379,
        database=0,
        username="",
        secret="default",
        tls=False,
        cert_reqs="required",
        ca_certs="",
        prefix="esabcfg:",
        pool_max_connections=100,
        socket_timeout=5.0,
        socket_connect_timeout=5.0,
        cache_ttl=3600,
        cache_ttl_short=300,
        cache_ttl_long=86400,
        lock_prefix="esabcfg:lock:",
        lock_ttl=30,
        healthcheck_on_start=True,
        healthcheck_key="esabcfg:health",
    )
    return app._replace(**changes)  # type: ignore[arg-type]


def directives(bind: str, port: int, maxmemory: int, aof: bool, save: bool, folder: str, acl: str):
    """Return a redis.conf that a real server starts with."""
    points = tuple(str(n) for each in SAVE for n in each) if save else ("",)
    return (
        Directive("bind", tuple(bind.split()), "network"),
        Directive("port", (str(port),), "network"),
        Directive("protected-mode", ("yes",), "network"),
        Directive("maxmemory", (str(maxmemory),), "memory"),
        Directive("maxmemory-policy", ("allkeys-lru",), "memory"),
        Directive("appendonly", ("yes" if aof else "no",), "persistence"),
        Directive("save", points, "persistence"),
        Directive("dir", (folder,), "persistence"),
        Directive("aclfile", (acl,), "users"),
    )


def _plan(kind: str, environment: str, **changes: object) -> Plan:
    plan = Plan(
        app="esab",
        environment=environment,
        kind=kind,
        prefix="esabcfg:",
        purpose="",
        engine=Engine(),
        listen=Listen(6379, ("127.0.0.1",), True),
        memory=Memory(512 * MB, "allkeys-lru"),
        persistence=Persistence(True, "everysec", (), "/data"),
        users=USERS,
        directives=(),
        application=application(),
        password_variable="REDIS_PASSWORD",
        default_password="",
        directory="",
    )
    return plan._replace(**changes)  # type: ignore[arg-type]


def local() -> Plan:
    """An embedded server."""
    return _plan(
        "local",
        "local",
        directives=directives(
            "127.0.0.1", 6379, 512 * MB, True, False, "/home/you/kw/data", "/home/you/kw/users.acl"
        ),
        application=application(runs_in="host", host="127.0.0.1", dotenv="app.env"),
    )


_ACL = "/usr/local/etc/redis/users.acl"
_PRESET = {"image": "redis/redisinsight:latest", "user": "viewer"}


def dev() -> Plan:
    """Docker development."""
    return _plan(
        "docker-dev",
        "dev",
        engine=Engine(image="redis:8.2"),
        listen=Listen(6379, ("0.0.0.0",), True),
        directives=directives("0.0.0.0", 6379, 512 * MB, True, False, "/data", _ACL),
        directory="deployment/docker",
        container=Container(
            "esab-redis", "redis", "docker-compose.yml", "esab-redis-data", "esab-network",
            "unless-stopped", "127.0.0.1:6379", Limits(), None, None, 10,
        ),
        insight=Insight(
            "esab-redisinsight", "redis/redisinsight:latest", 8001, "esab-redisinsight-data",
            Limits(), "redis", 6379, "viewer", "unless-stopped",
        ),
    )  # fmt: skip


def prod() -> Plan:
    """Docker production."""
    return _plan(
        "docker-prod",
        "prod",
        engine=Engine(image="redis:8.2"),
        listen=Listen(6379, ("0.0.0.0",), True),
        memory=Memory(GB, "allkeys-lru"),
        persistence=Persistence(True, "everysec", SAVE, "/data"),
        directives=directives("0.0.0.0", 6379, GB, True, True, "/data", _ACL),
        directory="deployment/docker",
        container=Container(
            "esab-redis-prod", "redis", "docker-compose.prod.yml", "esab-redis-data-prod",
            "esab-network", "always", "", Limits(0.5, 1536 * MB), 50_000_000, 5, 10,
        ),
        insight=Insight(
            "esab-redisinsight-prod", "redis/redisinsight:latest", 8001,
            "esab-redisinsight-data-prod", Limits(0.5, 512 * MB), "redis", 6379, "viewer", "always",
        ),
    )  # fmt: skip


def linux() -> Plan:
    """A systemd host, with clients, administrators and a site."""
    bridge = Discovered("address of docker0", "172.17.0.1")
    return _plan(
        "systemd",
        "linux",
        listen=Listen(6379, ("127.0.0.1", "-::1", bridge), True),
        memory=Memory(GB, "allkeys-lru"),
        persistence=Persistence(False, "everysec", (), "/var/lib/redis"),
        directives=directives(
            "127.0.0.1 -::1", 6379, GB, False, False, "/var/lib/redis", "/etc/redis/users.acl"
        ),
        application=application(runs_in="host", host="127.0.0.1"),
        unit=Unit(
            "redis-server", "/etc/redis", "redis",
            "/etc/systemd/system/redis-server.service.d/keywright.conf",
        ),
        insight=Insight(
            "redisinsight", "redis/redisinsight:latest", 6380, "redisinsight-data", Limits(),
            bridge, 6379, "viewer", "unless-stopped", "insight.example.com",
        ),
        firewall=Firewall(("10.0.0.0/24",), ("203.0.113.7/32",), Discovered("sshd's port", "22")),
    )  # fmt: skip


def azure() -> Plan:
    """Azure's managed Redis."""
    return _plan(
        "azure",
        "azure",
        application=application(
            runs_in="host", host=Discovered("CACHE_NAME"), port=6380, tls=True, secret="azure"
        ),
    )


def aws() -> Plan:
    """AWS's managed Redis."""
    return _plan(
        "aws",
        "aws",
        application=application(
            runs_in="host", host=Discovered("CLUSTER_ENDPOINT"), tls=True, secret="aws"
        ),
        firewall=Firewall(("10.0.0.0/24", "2001:db8::/48"), (), 22),
    )


TLS = Tls(6380, "/certs/redis.crt", "/certs/redis.key", "/certs/ca.crt")
PLANS = (local, dev, prod, linux, azure, aws)
