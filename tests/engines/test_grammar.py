"""Text on its way into a server: the grammar of redis.conf and ACL files, held to the real readers.

An inline command is split by the same function as a line of redis.conf (`sdssplitargs`), so any raw
line can be put to a running server; a `user` line of redis.conf takes any number of words as
passwords, whose hashes tell exactly which words the server read.
"""

import socket
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from tests.engines.plans import HOST
from tests.engines.servers import Engine, Line, Server, running
from tests.ports import free_port

from keywright.secret import Secret
from keywright_ops.facts.words import quote, split_words
from keywright_ops.model.plan import Directive, User
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import built_in_profile
from keywright_ops.render.acl import render_acl
from keywright_ops.render.redis_conf import render_redis_conf

PLAN = resolve(built_in_profile(), "local", HOST, {}, "/nowhere")
AWKWARD = (
    r""" "'\#$%@{}()<>|&;*?~`!=:,xnrtab09""" + "\t\n\r\a\b\v\f\0\x01\x7f\x85\xa0\u2028\ufeffß表🔑"
)
TEXT = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters(codec="utf-8")), max_size=40)
ON_SERVERS = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FEW = settings(ON_SERVERS, max_examples=6)


def read_by_server(server: Server, line: str) -> list[str] | None:
    """Return the words that the server finds in a raw line; None when it refuses its quotes."""
    with server.line() as before:
        before.ask("DEL", "words")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(b"RPUSH words first " + line.encode("utf-8", "surrogateescape") + b"\n")
        reply = plain.recv(1000)
    if reply.startswith(b"-ERR Protocol error: unbalanced quotes"):
        return None
    assert reply.startswith(b":"), reply
    with server.line() as after:
        return list(after.ask("LRANGE", "words", "1", "-1"))


@ON_SERVERS
@given(st.text(st.sampled_from("ab \"'\\x0f1n\té#\v"), max_size=24))
@example('"a"b')
@example('a"b c"')
@example("'it\\'s' \"\\x41\\n\\q\"")
@example('"\\x4"')
@example('"\\')
@example("")
def test_any_line_splits_as_the_server_splits_it(open_server: Server, line: str):
    """Whatever stands in a line, we find the words that the server finds, or refuse as it does.

    Valkey takes text behind a closing quote, which Redis and we refuse; a vertical tab is text too.
    """
    ours, servers = split_words(line), read_by_server(open_server, line)
    if open_server.engine.name.startswith("valkey"):
        assume(ours is not None and "\v" not in line)
    assert servers == ours


@ON_SERVERS
@given(st.lists(TEXT, max_size=8))
def test_the_server_reads_what_quote_wrote(open_server: Server, words: list[str]):
    """Any words, quoted and put into one line, are the words that the server finds in it."""
    assert words == read_by_server(open_server, " ".join(map(quote, words)))


@FEW
@given(st.lists(TEXT, min_size=50, max_size=150, unique=True))
def test_any_word_survives_a_rendered_redis_conf(engine: Engine, words: list[str]):
    """A server started with a rendered file holding any words has read exactly these words."""
    passwords = tuple(">" + word for word in words)
    with started_with(engine, Directive("user", ("many", "on", *passwords), "users")) as line:
        live = next(each for each in line.ask("ACL", "LIST") if each.startswith("user many "))
    hashes = {word[1:] for word in live.split() if word.startswith("#")}
    assert {sha256(word.encode()).hexdigest() for word in words} == hashes


@FEW
@given(TEXT.filter(bool), TEXT)
def test_any_value_is_read_back_by_config_get(engine: Engine, password: str, user: str):
    """A setting of any text is answered by CONFIG GET as it was declared, blanks and all."""
    # masteruser is C text in the server: it ends at NUL, in a file as anywhere.
    user = user.replace("\0", "")
    directives = (Directive("masterauth", (password,), "x"), Directive("masteruser", (user,), "x"))
    with started_with(engine, *directives) as line:
        live = line.pairs("CONFIG", "GET", "master*")
    assert {"masterauth": password, "masteruser": user} == {
        name: live[name] for name in ("masterauth", "masteruser")
    }


class started_with:  # noqa: N801 - read as a verb in a with statement
    """A server started from a rendered file with these directives, and a line to it."""

    def __init__(self, engine: Engine, *directives: Directive) -> None:
        self._folder = TemporaryDirectory()
        home, port = Path(self._folder.name), free_port()
        own = (
            Directive("port", (str(port),), "network"),
            Directive("bind", ("127.0.0.1",), "network"),
            Directive("save", ("",), "data"),
            *directives,
        )
        (home / "redis.conf").write_text(render_redis_conf(PLAN._replace(directives=own)))
        self._running = running(engine, home, port)

    def __enter__(self) -> Line:
        self._server = self._running.__enter__()
        self._line = Line(self._server.port)
        return self._line

    def __exit__(self, *error: object) -> None:
        self._line.close()
        self._running.__exit__(None, None, None)
        self._folder.cleanup()


@settings(ON_SERVERS, max_examples=25)
@given(st.lists(TEXT.filter(bool), min_size=1, max_size=12, unique=True))
def test_any_password_opens_and_no_other(open_server: Server, passwords: list[str]):
    """With any passwords in a rendered ACL file, each opens its own user and no other user."""
    names = [f"user{number}" for number in range(len(passwords))]
    users = (
        User("default", True, ("~*", "&*", "+@all"), "default", ""),
        *(User(name, True, ("-@all", "+ping"), name, "") for name in names),
    )
    secrets = {name: Secret(text) for name, text in zip(names, passwords, strict=True)}
    secrets["default"] = Secret("the tests' own")
    text = render_acl(PLAN._replace(users=users), secrets)
    with open_server.line() as first:  # NOAUTH from the second example on: log in first
        first.ask("AUTH", "default", "the tests' own")
        (open_server.folder / "users.acl").write_text(text)
        loaded = first.ask("ACL", "LOAD")
    assert loaded == "OK"
    with open_server.line() as line:
        for at, name in enumerate(names):
            assert line.ask("AUTH", name, passwords[at]) == "OK"
            other = passwords[at - 1] if len(names) > 1 else passwords[at] + " "
            assert str(line.ask("AUTH", name, other)).startswith("WRONGPASS")


@pytest.fixture(autouse=True, scope="module")
def open_again(open_server: Server):
    """The order of tests does not matter: the server begins without passwords."""
    with open_server.line() as line:
        assert line.ask("PING") == "PONG"


def test_an_acl_file_takes_no_comment(open_server: Server):
    """A comment in users.acl is refused by these engines: we write none for a reason."""
    path = open_server.folder / "users.acl"
    before = path.read_text()
    with open_server.line() as line:
        line.ask("AUTH", "default", "the tests' own")
        path.write_text("# users of the tests\n" + before)
        reply = str(line.ask("ACL", "LOAD"))
        path.write_text(before)
    assert "should start with user keyword" in reply
