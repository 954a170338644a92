"""Where Keywright's own certificate lies, and for which names it is made."""

from typing import Any

import pytest

from keywright_ops.model.host import HostFacts
from keywright_ops.model.plan import Plan
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import load_profile

HOST = HostFacts("/usr/bin/redis-server", 6379, "172.18.0.1", 22)
ALWAYS = ("localhost", "127.0.0.1", "::1")


def planned(name: str, text: str, folder: str = "/shop", host: HostFacts | None = HOST) -> Plan:
    """The plan of an environment with these lines and TLS on."""
    profile = load_profile(f"app='shop'\n[env.{name}]\ntls.enabled=true\n{text}\n", "k.toml")
    return resolve(profile, name, host, {}, "/h", folder)


CASES = {
    "local": ("local", "", ALWAYS, "/h/tls", "/h/tls/ca.crt", ("0", "6380")),
    "both ports": ("local", "port=6379", ALWAYS, "/h/tls", "/h/tls/ca.crt", ("6379", "6380")),
    "bound": (
        "local", "bind=['10.1.2.3','-::1']", (*ALWAYS, "10.1.2.3"), "/h/tls", "/h/tls/ca.crt",
        ("0", "6380"),
    ),
    "in a container": (
        "dev", "", ("redis", "shop-redis", "127.0.0.1", "localhost", "::1"),
        "/usr/local/etc/redis/tls", "/certs/ca.crt",
        ("0", "6380"),
    ),
    "on the host": (
        "prod",
        "app.runs_in='host'\npublish='10.0.0.9:6380'\ntls.names=['redis.shop.example', 'fd00::9']",
        ("redis", "shop-redis-prod", "10.0.0.9", *ALWAYS, "redis.shop.example", "fd00::9"),
        "/usr/local/etc/redis/tls", "/shop/deployment/docker/ca-prod.crt", ("0", "6380"),
    ),
    "its own file": (
        "prod", "app.ssl_ca_certs='/etc/ssl/shop.crt'\napp.host='cache.shop'",
        ("redis", "shop-redis-prod", *ALWAYS, "cache.shop"), "/usr/local/etc/redis/tls",
        "/etc/ssl/shop.crt", ("0", "6380"),
    ),
    "systemd": (
        "linux", "", (*ALWAYS, "172.18.0.1"), "/etc/redis/tls", "/etc/redis/tls/ca.crt",
        ("0", "6379"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_names_and_places(case: str, pure: Any) -> None:
    """Every name that the plan knows, once; the files below redis.conf; the application's authority."""
    name, text, names, folder, authority, ports = CASES[case]
    plan = pure(planned, name, text)
    tls = plan.listen.tls
    assert tls is not None
    assert (True, names) == (tls.own, tls.names)
    assert (f"{folder}/server.crt", f"{folder}/server.key", f"{folder}/ca.crt") == tls[1:4]
    assert ("/h/tls/server.crt", "/h/tls/server.key", "/h/tls/ca.crt") == tls.here
    assert authority == plan.application.ca_certs
    live = {each.name: each.value for each in plan.directives}
    assert ports == (live["port"], live["tls-port"])
    assert (tls[1:4], "no") == (
        tuple(live[f"tls-{each}-file"] for each in ("cert", "key", "ca-cert")),
        live["tls-auth-clients"],
    )


def test_a_persons_own_lies_where_it_is_mounted() -> None:
    """In Docker the folder is mounted beside the compose file; elsewhere the path is the path."""
    text = "tls.cert_file='{0}/a.crt'\ntls.key_file='{0}/a.key'\ntls.ca_cert_file='{0}/ca.crt'\n"
    for name, folder, here in (
        ("prod", "/certs", "/shop/deployment/docker/certs"),
        ("prod", "/usr/local/etc/redis/mine", "/shop/deployment/docker/redis-prod/mine"),
        ("local", "/srv/certs", "/srv/certs"),
    ):
        tls = planned(name, text.format(folder)).listen.tls
        assert tls is not None
        assert (False, ()) == (tls.own, tls.names)
        assert (f"{here}/a.crt", f"{here}/a.key", f"{here}/ca.crt") == tls.here


def test_both_ports_are_warned_about() -> None:
    """While the port without TLS is open too, the plan says what that can cost."""
    told = [
        each.text for each in planned("local", "port=6379").warnings if each.path.endswith("port")
    ]
    assert ["6379 answers without TLS" in each for each in told] == [True]
    assert not [each for each in planned("local", "").warnings if each.path.endswith(".port")]
