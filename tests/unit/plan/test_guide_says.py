"""The guide's comparison tables, value by value, against what is planned.

Where a cell is not the guide's, the guide's stands beside it, and the table of differences says why.
"""

import pytest

from keywright_ops.model.absence import Discovered
from keywright_ops.model.plan import Limits, Plan, SavePoint
from keywright_ops.plan.comparison import compare
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import built_in_profile

MB, GB = 2**20, 2**30
GUIDE_SAVE = (SavePoint(900, 1), SavePoint(300, 10), SavePoint(60, 10000))


def plan(name: str) -> Plan:
    """Return the plan of a built-in environment before its host was asked."""
    return resolve(built_in_profile(), name, None, {}, "/home/you/state")


def test_guide_says_of_docker_development() -> None:
    """Docker Dev: container, password, 512MB, AOF only, published, unless-stopped."""
    dev = plan("dev")
    assert dev.container is not None
    assert dev.container.name == "esab-redis"
    assert dev.default_password == "esab_redis_password"
    assert dev.password_variable == "REDIS_PASSWORD"
    assert dev.memory == (512 * MB, "allkeys-lru")
    assert dev.persistence == (True, "everysec", (), "/data")
    assert dev.listen == (6379, ("0.0.0.0",), True, None)
    assert dev.container.publish == "127.0.0.1:6379"  # the guide: every interface
    assert dev.container.limits == Limits(None, None)
    assert (dev.container.log_max_size, dev.container.log_max_files) == (None, None)
    assert dev.container.health_interval == 10
    assert dev.container.restart == "unless-stopped"
    assert dev.container.volume == "esab-redis-data"
    assert dev.container.network == "esab-network"
    assert (dev.directory, dev.container.compose_file) == (
        "deployment/docker",
        "docker-compose.yml",
    )
    assert dev.application.dotenv == "src/backend/.env"
    assert (dev.application.host, dev.application.port) == ("redis", 6379)


def test_guide_says_of_docker_production() -> None:
    """Docker Prod: 1GB in 1.5GB and half a processor, RDB and AOF, 50MB of five log files."""
    prod = plan("prod")
    assert prod.container is not None
    assert prod.container.name == "esab-redis-prod"
    assert (prod.default_password, prod.password_variable) == ("", "REDIS_PASSWORD")
    assert prod.memory == (GB, "allkeys-lru")
    assert prod.persistence == (True, "everysec", GUIDE_SAVE, "/data")
    assert prod.container.publish == ""
    assert prod.container.limits == Limits(0.5, 1536 * MB)
    assert (prod.container.log_max_size, prod.container.log_max_files) == (50 * 10**6, 5)
    assert prod.container.health_interval == 10
    assert prod.container.restart == "always"
    assert prod.container.volume == "esab-redis-data-prod"
    assert prod.container.compose_file == "docker-compose.prod.yml"
    assert (prod.application.host, prod.application.port) == ("redis", 6379)


def test_guide_says_of_linux() -> None:
    """Linux Systemd: 1GB, nothing on disk, loopback and docker0, files in /etc/redis."""
    linux = plan("linux")
    assert linux.unit is not None
    assert linux.unit.name == "redis-server"
    assert linux.unit.config_directory == "/etc/redis"
    assert linux.memory == (GB, "allkeys-lru")
    assert linux.persistence == (False, "everysec", (), "/var/lib/redis")
    docker0 = Discovered("the address of docker0", "172.17.0.1")
    assert linux.listen.bind == ("127.0.0.1", "-::1", docker0)
    assert linux.listen.protected_mode is True  # the guide: no
    assert linux.application.host == "127.0.0.1"
    assert linux.application.username == "default"
    assert linux.application.pool_max_connections == 100
    assert linux.application.socket_timeout == 5.0
    assert linux.application.cache_ttl_short == 300
    assert linux.application.cache_ttl_long == 86400
    assert linux.application.lock_prefix == "esabcfg:lock:"
    assert linux.application.lock_ttl == 30
    assert linux.application.healthcheck_key == "esabcfg:health"


@pytest.mark.parametrize(
    ("name", "host", "port"),
    [("azure", "<CACHE_NAME>.redis.cache.windows.net", 6380), ("aws", "<CLUSTER_ENDPOINT>", 6379)],
)
def test_guide_says_of_the_clouds(name: str, host: str, port: int) -> None:
    """Azure and AWS: TLS, the provider's host, no redis.conf, users or containers of ours."""
    cloud = plan(name)
    assert isinstance(cloud.application.host, Discovered)
    assert cloud.application.host.usually == host
    assert cloud.application.port == port
    assert (cloud.application.tls, cloud.application.cert_reqs) == (True, "required")
    assert (cloud.directives, cloud.users, cloud.container, cloud.unit) == ((), (), None, None)


def test_guide_says_of_local() -> None:
    """Local is the guide's Docker development profile without Docker, its password generated."""
    local = plan("local")
    assert local.memory == plan("dev").memory
    assert local.persistence._replace(directory="") == plan("dev").persistence._replace(
        directory=""
    )
    assert (local.password_variable, local.default_password) == ("", "")
    assert local.application.dotenv == "/home/you/state/app.env"


def test_guide_says_of_redisinsight() -> None:
    """RedisInsight: names, ports, volumes and limits of the guide's second table."""
    found = {name: plan(name).insight for name in ("dev", "prod", "linux")}
    assert all(found.values())
    assert {
        name: (each.name, each.port, each.volume, each.limits)
        for name, each in found.items()
        if each
    } == {
        "dev": ("esab-redisinsight", 8001, "esab-redisinsight-data", Limits()),
        "prod": (
            "esab-redisinsight-prod",
            8001,
            "esab-redisinsight-data-prod",
            Limits(0.5, 512 * MB),
        ),
        "linux": ("redisinsight", 6380, "redisinsight-data", Limits()),
    }


def test_the_tables_of_the_guide() -> None:
    """Every row of both tables, in the guide's order, computed from the plans."""
    redis, insight = compare([plan("dev"), plan("prod"), plan("linux")])
    assert redis.columns == ("Setting", "dev", "prod", "linux")
    docker0 = "<the address of docker0, usually 172.17.0.1>"
    saves = "save 900 1, save 300 10, save 60 10000"
    none = 'Disabled (save "")'
    assert redis.rows == (
        ("Container Name", "esab-redis", "esab-redis-prod", "redis-server (systemd)"),
        ("Password", "esab_redis_password", "${REDIS_PASSWORD}", "${REDIS_PASSWORD}"),
        ("Max Memory", "512MB", "1GB", "1GB"),
        ("Eviction Policy", "allkeys-lru", "allkeys-lru", "allkeys-lru"),
        ("Persistence", "AOF only", "RDB + AOF", "None (cache profile)"),
        ("RDB Snapshots", none, saves, none),
        ("AOF", "appendonly yes, everysec", "appendonly yes, everysec", "Disabled"),
        (
            "Bind Address",
            "0.0.0.0 (internal network)",
            "0.0.0.0 (internal network)",
            f"127.0.0.1, ::1, {docker0}",
        ),
        (
            "Port",
            "6379 (published on 127.0.0.1:6379)",
            "6379 (internal only)",
            "6379 (private IPs only)",
        ),
        ("Resource Limits", "None", "0.5 CPU, 1.5GB RAM", "None (system-managed)"),
        ("Log Driver", "json-file (default)", "json-file (50MB, 5 files)", "systemd journal"),
        ("Health Check", "Every 10s", "Every 10s", "N/A (systemd monitoring)"),
        ("Restart Policy", "unless-stopped", "always", "systemd auto-restart"),
        ("Protected Mode", "yes", "yes", "yes"),
        ("Volume", "esab-redis-data", "esab-redis-data-prod", "/var/lib/redis"),
    )
    url = "http://localhost:8001"
    assert insight.rows == (
        ("Container Name", "esab-redisinsight", "esab-redisinsight-prod", "redisinsight"),
        ("Port", "8001 (localhost)", "8001 (localhost)", "6380 (localhost)"),
        ("Volume", "esab-redisinsight-data", "esab-redisinsight-data-prod", "redisinsight-data"),
        ("Resource Limits", "None", "0.5 CPU, 512MB", "None"),
        ("Access", url, url, "SSH tunnel, http://localhost:6380"),
    )
