"""Profile → Plan: every decision once, nothing asked of the world, nothing undecided but said so."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from keywright.errors import ProfileError
from keywright_ops.model.absence import Discovered, Missing
from keywright_ops.model.host import HostFacts
from keywright_ops.model.plan import Plan
from keywright_ops.plan.comparison import compare
from keywright_ops.plan.resolve import resolve
from keywright_ops.plan.users import escape_glob
from keywright_ops.profile.explain import explain
from keywright_ops.profile.fields import BUILT_IN
from keywright_ops.profile.load import built_in_profile, load_profile

HOST = HostFacts("/usr/bin/redis-server", 6389, "172.18.0.1", 2222)
NO_HOST = HostFacts(*(Missing("not asked") for _ in range(4)))
TLS = "tls.cert_file='/c/a.crt'\ntls.key_file='/c/a.key'\ntls.ca_cert_file='/c/ca.crt'\n"


def plan(text: str, name: str, host: HostFacts | None = None, **kept: str) -> Plan:
    """Return the plan of one environment of a file."""
    return resolve(load_profile(text, "k.toml"), name, host, kept, "/h")


def paths(text: str, name: str) -> list[str]:
    """Return the paths of a plan's warnings, without `env.NAME.`."""
    return [each.path.removeprefix(f"env.{name}.") for each in plan(text, name).warnings]


def test_the_redis_conf_of_local_is_complete_and_canonical() -> None:
    """Each directive is what CONFIG GET answers, in the order in which it is written."""
    assert {each.name: each.value for each in plan("", "local").directives} == {
        "bind": "127.0.0.1 -::1",
        "port": "6379",
        "protected-mode": "yes",
        "daemonize": "no",
        "supervised": "no",
        "pidfile": "/h/server.pid",
        "logfile": "/h/server.log",
        "set-proc-title": "no",
        "databases": "16",
        "maxmemory": "536870912",
        "maxmemory-policy": "allkeys-lru",
        "dir": "/h/data",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "aclfile": "/h/users.acl",
        "slowlog-log-slower-than": "10000",
        "slowlog-max-len": "128",
    }


def test_no_directive_stands_twice_and_none_needs_requirepass() -> None:
    """A redis.conf has each setting once, and passwords stand in the ACL file alone."""
    for name in BUILT_IN:
        names = [each.name for each in plan("", name, HOST).directives]
        assert len(set(names)) == len(names)
        assert "requirepass" not in names


def test_a_port_is_declared_or_kept_or_the_first_free_one() -> None:
    """Declared beats kept beats found; without all three it is the guide's."""
    assert plan("[env.local]\nport=7000", "local", HOST, port="6399").listen.port == 7000
    assert plan("", "local", HOST, port="6399").listen.port == 6399
    assert plan("", "local", HOST).listen.port == 6389
    assert plan("", "local", NO_HOST).listen.port == 6379
    assert plan("", "local").listen.port == 6379
    assert plan("", "local", HOST, port="nonsense").listen.port == 6389
    assert plan("", "local", HOST).application.port == 6389


def test_a_server_is_declared_or_kept_or_found() -> None:
    """Declared beats kept beats found; not found stays Discovered, which `up` refuses."""
    declared = "[env.local]\nserver='/opt/valkey-server'"
    assert plan(declared, "local", HOST, program="/old").engine.program == "/opt/valkey-server"
    assert plan("", "local", HOST, program="/old").engine.program == "/old"
    assert plan("", "local", HOST).engine.program == "/usr/bin/redis-server"
    assert isinstance(plan("", "local", NO_HOST).engine.program, Discovered)


def test_docker0_stays_out_of_redis_conf_until_the_host_has_told_it() -> None:
    """Then it stands there with a minus, and RedisInsight goes over it."""
    before, after = plan("", "linux"), plan("", "linux", HOST)
    bind = before.directive("bind"), after.directive("bind")
    assert bind[0] is not None
    assert bind[1] is not None
    assert (bind[0].value, bind[1].value) == ("127.0.0.1 -::1", "127.0.0.1 -::1 -172.18.0.1")
    assert before.insight is not None
    assert after.insight is not None
    assert isinstance(before.insight.redis_host, Discovered)
    assert after.insight.redis_host == "172.18.0.1"
    assert after.firewall is not None
    assert after.firewall.ssh_port == 2222
    own = plan("[env.linux]\nbind=['127.0.0.1']", "linux", HOST)
    assert own.listen.bind == ("127.0.0.1",)


@pytest.mark.parametrize(
    ("name", "port"), [("local", 6380), ("dev", 6380), ("prod", 6380), ("linux", 6379)]
)
def test_tls_closes_the_plain_port(name: str, port: int) -> None:
    """With certificates the plain port is 0 and everybody is sent to TLS's."""
    found = plan(f"[env.{name}]\n{TLS}", name)
    values = {each.name: each.value for each in found.directives}
    assert (values["port"], values["tls-port"]) == ("0", str(port))
    assert values["tls-auth-clients"] == "no"
    assert (found.application.tls, found.application.port) == (True, port)
    assert found.application.ca_certs == "/c/ca.crt"
    if name == "dev":
        assert found.container is not None
        assert found.container.publish == "127.0.0.1:6380"


def test_maxmemory_as_a_share_is_rounded_down() -> None:
    """60% of 1.5G are 966367641 bytes."""
    assert plan("[env.prod]\nmaxmemory='60%'", "prod").memory.maxmemory == 1536 * 2**20 * 60 // 100


def test_the_users_and_their_rights() -> None:
    """Five users, each with a secret of its own name, and exactly the design's rights."""
    users = {user.name: user for user in plan("", "prod").users}
    assert list(users) == ["default", "appuser", "viewer", "admin", "health"]
    assert all(user.secret == name and user.enabled for name, user in users.items())
    assert users["default"].rules == users["admin"].rules == ("~*", "&*", "+@all")
    assert users["health"].rules == ("resetchannels", "-@all", "+ping", "+info")
    assert users["appuser"].rules[:5] == (
        "~esabcfg:*", "resetchannels", "&esabcfg:*", "+@all", "-@dangerous",
    )  # fmt: skip
    viewer = users["viewer"].rules
    assert {"+ping", "+info", "+select", "+client|setname", "+slowlog|get"} <= set(viewer)
    assert not {"+get", "+@read", "+keys", "+config|get", "+monitor"} & set(viewer)
    off = plan("[env.prod]\ndefault_user='off'\napp.username='appuser'", "prod").users[0]
    assert (off.enabled, off.rules) == (False, ("resetchannels", "-@all"))
    reads = plan("[env.prod]\nviewer_reads_values=true", "prod").users[2].rules
    assert reads.index("+@read") < reads.index("-@dangerous") < reads.index("+info")


def test_no_rule_names_a_password_or_breaks_a_line() -> None:
    """Rules are single words: an ACL file is split at blanks."""
    for user in plan('prefix="a*[b]?\\\\:"', "dev").users:
        for rule in user.rules:
            assert rule[0] not in "><#!"
            assert rule.split() == [rule]


def test_a_prefix_means_itself() -> None:
    """Characters that are patterns are escaped; locks elsewhere are reached elsewhere."""
    assert escape_glob("a*b?[c]\\:") == "a\\*b\\?\\[c\\]\\\\:"
    rules = plan("[env.dev]\napp.lock_prefix='locks:'", "dev").users[1].rules
    assert rules[:2] == ("~esabcfg:*", "~locks:*")


WARNINGS = [
    ("local", "", ["maxmemory_policy"]),
    ("dev", "", ["maxmemory_policy", "password_variable"]),
    ("prod", "", ["maxmemory_policy", "container.cpus"]),
    ("linux", "", ["maxmemory_policy", "appendonly"]),
    ("azure", "", []),
    ("linux", "purpose='cache'", []),
    ("linux", "purpose='cache'\nmaxmemory_policy='noeviction'", ["maxmemory_policy"]),
    ("linux", "purpose='sessions'\nmaxmemory_policy='noeviction'", ["appendonly"]),
    ("linux", "purpose='sessions'\nmaxmemory_policy='noeviction'\nappendonly=true", []),
    ("linux", "purpose='sessions'\nmaxmemory_policy='volatile-lru'\nappendonly=true", ["maxmemory_policy"]),
    ("linux", "purpose='durable'\nmaxmemory_policy='noeviction'\nsave=['900 1']", ["appendonly"]),
    ("linux", "purpose='cache'\nmaxmemory=0", ["maxmemory"]),
    ("linux", "purpose='cache'\nprotected_mode=false", ["protected_mode"]),
    ("linux", "purpose='cache'\nbind='0.0.0.0'", ["bind"]),
    ("linux", "purpose='cache'\nviewer_reads_values=true", ["viewer_reads_values"]),
    ("linux", "purpose='cache'\napp.username='appuser'", ["default_user"]),
    ("prod", "purpose='cache'\ncontainer.cpus=1\nmaxmemory='80%'", ["maxmemory"]),
    ("prod", "purpose='cache'\ncontainer.cpus=1\nmaxmemory='75%'", []),
    ("dev", "purpose='cache'\npublish='0.0.0.0:6379'", ["publish", "password_variable"]),
    ("azure", "app.ssl_cert_reqs='none'", ["app.ssl_cert_reqs"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "expected"), WARNINGS)
def test_what_is_questionable_is_a_warning(name: str, text: str, expected: list[str]) -> None:
    """Each warning where it belongs, and no other."""
    assert expected == paths(f"[env.{name}]\n{text}\n", name)


def test_an_application_finds_the_server_from_where_it_runs() -> None:
    """The compose service in a container, the published address on the host, docker0 on systemd."""
    host = plan("[env.dev]\napp.runs_in='host'\npublish='0.0.0.0:7000'", "dev").application
    assert (host.host, host.port) == ("127.0.0.1", 7000)
    inside = plan("[env.linux]\napp.runs_in='container'", "linux", HOST).application
    assert (inside.host, inside.port) == ("172.18.0.1", 6379)
    named = plan("[env.azure]\napp.host='c.redis.cache.windows.net'", "azure").application
    assert named.host == "c.redis.cache.windows.net"


def test_names_follow_the_application() -> None:
    """app and prefix reach every name that is made of them."""
    found = plan('app="shop"\nprefix="s:"', "prod")
    assert found.container is not None
    assert found.container.name == "shop-redis-prod"
    assert found.container.network == "shop-network"
    assert found.application.lock_prefix == "s:lock:"
    assert plan('app="shop"', "dev").default_password == "shop_redis_password"


def test_an_unknown_environment_is_told_with_the_nearest() -> None:
    """The one error of resolve."""
    with pytest.raises(ProfileError, match=r"^env\.prd: there is no such environment$") as caught:
        resolve(built_in_profile(), "prd", None, {}, "/h")
    assert "'prod'" in caught.value.hint


def test_planning_touches_nothing(pure: Callable[..., Any]) -> None:
    """No file, socket or process is opened between a text and its compared plans."""
    text = f"[env.linux]\n{TLS}allow_from=['10.0.0.0/8']\n[env.own]\nlike='prod'\nmaxmemory='50%'\n"
    profile = pure(load_profile, text, "k.toml")
    plans = [pure(resolve, profile, name, HOST, {}, "/h") for name in (*BUILT_IN, "own")]
    pure(compare, plans)
    pure(explain, profile, "env.own")


def test_a_plan_without_a_file_loads_no_parser() -> None:
    """tomllib, difflib, ipaddress and argparse stay unloaded on the way of `status`."""
    import subprocess

    code = (
        "import sys; from keywright_ops.profile.load import built_in_profile;"
        "from keywright_ops.plan.resolve import resolve;"
        "resolve(built_in_profile(), 'local', None, {}, '/h');"
        "heavy = {'tomllib', 'difflib', 'ipaddress', 'argparse', 'json', 'dataclasses', 'pathlib',"
        " 'subprocess', 'ssl', 'asyncio', 'logging', 'datetime'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    source = str(resolve.__code__.co_filename).rpartition("/keywright_ops/")[0]
    result = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": source},
    )
    assert result.stdout == "[]\n"
