"""The built-in plans of all six environments, and fixed secrets, for every test of this room."""

from keywright.secret import Secret
from keywright_ops.model.host import HostFacts
from keywright_ops.model.plan import Plan, Tls
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import built_in_profile, load_profile

ENVIRONMENTS = ("local", "dev", "prod", "linux", "azure", "aws")
HOME = "/home/you/.local/state/keywright/local"

SECRETS = {
    "default": Secret("Test-default-password-1"),
    "appuser": Secret("Test-appuser-password-2"),
    "viewer": Secret("Test-viewer-password-3"),
    "admin": Secret("Test-admin-password-4"),
    "health": Secret("Test-health-password-5"),
}
SITE_SECRET = {"insight-site": Secret("Test-site-password-6")}
# The provider made the password of a managed service: nobody told Keywright.
NO_SECRETS: dict[str, Secret] = {}

HOST = HostFacts("/usr/bin/redis-server", 6379, "172.18.0.1", 2222)
TLS = Tls(6380, "/certs/redis.crt", "/certs/redis.key", "/certs/ca.crt")


def built_in(environment: str, host: HostFacts | None = None) -> Plan:
    """Return a built-in environment's plan; without a host, what only it can tell stays open."""
    return resolve(built_in_profile(), environment, host, {}, HOME)


def secrets_of(plan: Plan) -> dict[str, Secret]:
    """Return the secrets that a vault would hold for this plan."""
    site = SITE_SECRET if plan.insight is not None and plan.insight.secret else NO_SECRETS
    return NO_SECRETS if plan.kind in ("azure", "aws") else SECRETS | site


def guarded(host: HostFacts | None = HOST) -> Plan:
    """Return `linux` with client and administrator networks and a site for RedisInsight."""
    profile = load_profile('[env.linux.insight]\nsite = "insight.example.com"\n', "keywright.toml")
    plan = resolve(profile, "linux", host, {}, HOME)
    assert plan.firewall is not None
    return plan._replace(
        firewall=plan.firewall._replace(
            allow_from=("10.0.0.0/24", "2001:db8::/48"), admin_from=("203.0.113.7/32",)
        )
    )
