"""Every rendered redis.conf and users.acl, started on every engine: the live server is the plan."""

import ssl
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.engines.plans import NAMES, SECRETS, plan_of, startable
from tests.engines.servers import Engine, Line, Server, running
from tests.ports import free_port

from keywright_ops.facts.acl import parse_acl_list, same_rights
from keywright_ops.facts.canonical import canonical
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.model.plan import Plan
from keywright_ops.render.acl import declared_users, render_acl
from keywright_ops.render.redis_conf import render_redis_conf


class Started(NamedTuple):
    """A plan and the server that runs its rendered files."""

    name: str
    plan: Plan
    server: Server


@pytest.fixture(scope="module", params=NAMES)
def started(
    request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    """The plan of that name, rendered into a folder with a blank in its name, and running."""
    home = tmp_path_factory.mktemp("it's a home") / "with # and blanks"
    (home / "data").mkdir(parents=True)
    port = free_port()
    plan = startable(plan_of(request.param, home), engine, home, port)
    (home / "redis.conf").write_text(render_redis_conf(plan), encoding="utf-8")
    (home / "users.acl").write_text(render_acl(plan, SECRETS), encoding="utf-8")
    tls = make_certificates(home) if plan.listen.tls and engine.tls else None
    with running(engine, home, port, tls) as server:
        yield Started(request.param, plan, server)


def make_certificates(folder: Path) -> ssl.SSLContext:
    """Make an authority and a server certificate for localhost; return what trusts them."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Tests",
        "-days", "2",
    )  # fmt: skip
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl(
        "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
        "-CAcreateserial", "-out", "server.crt", "-days", "2", "-extfile", "san",
    )  # fmt: skip
    return ssl.create_default_context(cafile=str(folder / "ca.crt"))


def as_admin(server: Server):
    """A connection of the administrator."""
    return server.line("admin", SECRETS["admin"].reveal())


def ask_categories(line: Line) -> dict[str, frozenset[str]]:
    """What ACL CAT answers, by category."""
    names = line.ask("ACL", "CAT")
    replies = line.ask_all([("ACL", "CAT", name) for name in names])
    found = {name: frozenset(reply) for name, reply in zip(names, replies, strict=True)}
    return found | {"all": frozenset().union(*found.values())}


def test_the_file_says_what_the_plan_says(started: Started):
    """Reading the rendered file back gives every directive's canonical value, and nothing else."""
    expected = {each.name: canonical(each.name, each.value) for each in started.plan.directives}
    assert expected == parse_redis_conf(render_redis_conf(started.plan))


def test_the_live_server_says_what_the_plan_says(started: Started):
    """CONFIG GET answers every declared directive with the plan's canonical value."""
    with as_admin(started.server) as line:
        live = line.pairs("CONFIG", "GET", "*")
    expected = {each.name: canonical(each.name, each.value) for each in started.plan.directives}
    assert expected == {name: canonical(name, live[name]) for name in expected}


def test_the_live_users_are_the_plans(started: Started):
    """ACL LIST holds exactly the plan's users, with their rights and hashes; nobody is open."""
    with as_admin(started.server) as line:
        live = parse_acl_list(line.ask("ACL", "LIST"))
        categories = ask_categories(line)
    declared = declared_users(started.plan, SECRETS)
    assert {user.name for user in started.plan.users} == set(declared) == set(live)
    for name, user in declared.items():
        assert same_rights(user, live[name], categories), (user, live[name])
        assert {sha256(SECRETS[name].reveal().encode()).hexdigest()} == live[name].hashes
        assert live[name].nopass is False


def test_each_user_logs_in_with_its_password_only(started: Started):
    """The enabled users' passwords open, another's does not; a user that is off stays out."""
    for user in started.plan.users:
        with started.server.line() as line:
            wrong = line.ask("AUTH", user.name, SECRETS[user.secret].reveal() + "x")
            right = line.ask("AUTH", user.name, SECRETS[user.secret].reveal())
        assert str(wrong).startswith("WRONGPASS")
        assert ("OK" if user.enabled else "WRONGPASS") == str(right).partition(" ")[0]


def test_without_a_password_nothing_is_answered(started: Started):
    """A connection that does not log in gets NOAUTH, for PING as for data."""
    with started.server.line() as line:
        replies = [str(reply) for reply in line.ask_all([("PING",), ("GET", "a"), ("INFO",)])]
    expected = ["NOAUTH"] * 3
    assert expected == [reply.partition(" ")[0] for reply in replies]


ALLOWED = {
    "appuser": (
        ("SET", "{prefix}a", "1"), ("GET", "{prefix}a"), ("EXPIRE", "{prefix}a", "10"),
        ("INFO",), ("CLIENT", "SETNAME", "me"), ("PUBLISH", "{prefix}x", "1"), ("ROLE",),
        ("EVAL", "return 1", "0"), ("SCAN", "0"),
    ),
    "viewer": (
        ("PING",), ("INFO",), ("SCAN", "0"), ("TYPE", "any"), ("TTL", "any"), ("SELECT", "1"),
        ("MEMORY", "USAGE", "any"), ("SLOWLOG", "GET"), ("CLIENT", "LIST"),
    ),
    "health": (("PING",), ("INFO",)),
    "admin": (("CONFIG", "GET", "port"), ("SET", "anything", "1"), ("ACL", "LIST")),
}  # fmt: skip
REFUSED = {
    "appuser": (
        ("SET", "elsewhere", "1"), ("GET", "oddball:a"), ("FLUSHALL",), ("CONFIG", "GET", "*"),
        ("KEYS", "*"), ("ACL", "LIST"), ("BGSAVE",), ("SHUTDOWN",), ("PUBLISH", "x", "1"),
        ("CLIENT", "KILL", "TYPE", "normal"), ("REPLICAOF", "a", "1"),
    ),
    "viewer": (
        ("SET", "any", "1"), ("DEL", "any"), ("KEYS", "*"), ("CONFIG", "GET", "*"),
        ("CLIENT", "KILL", "TYPE", "normal"), ("SLOWLOG", "RESET"), ("MONITOR",),
    ),
    "health": (("GET", "a"), ("SELECT", "1"), ("CONFIG", "GET", "*"), ("CLIENT", "LIST")),
}  # fmt: skip


def _sent(started: Started, user: str, commands: tuple[tuple[str, ...], ...]) -> dict[str, str]:
    """Send each as that user; return the first word of its reply by command."""
    prefix = started.plan.prefix
    filled = [tuple(word.replace("{prefix}", prefix) for word in each) for each in commands]
    with started.server.line(user, SECRETS[user].reveal()) as line:
        replies = line.ask_all(list(filled))
    return {
        " ".join(each): str(reply).partition(" ")[0]
        for each, reply in zip(filled, replies, strict=True)
    }


@pytest.mark.parametrize("user", ALLOWED)
def test_users_may_do_their_work(started: Started, user: str):
    """No command of the user's work is refused for want of a right."""
    answers = _sent(started, user, ALLOWED[user])
    refused = [each for each, word in answers.items() if word in ("NOPERM", "NOAUTH")]
    assert not refused


@pytest.mark.parametrize("user", REFUSED)
def test_users_may_do_nothing_else(started: Started, user: str):
    """What is not the user's work is refused with NOPERM, before anything happens."""
    answers = _sent(started, user, REFUSED[user])
    assert dict.fromkeys(answers, "NOPERM") == answers


def test_the_viewer_reads_values_only_when_the_file_says_so(started: Started):
    """GET is refused to the viewer, except where viewer_reads_values is on."""
    word = _sent(started, "viewer", (("GET", "any"),))["GET any"]
    assert ("None" if started.name == "secure" else "NOPERM") == word
