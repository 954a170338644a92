"""What facts/settings.py says of the servers, asked of them."""

import pytest
from tests.engines.servers import ENGINES, Server, running
from tests.ports import free_port

from keywright_ops.facts.canonical import canonical, canonical_name
from keywright_ops.facts.settings import ALIASES, BYTES, IMMUTABLE, NUMBERS, WORDS

# In redis.conf only: CONFIG GET does not know them.
FILE_ONLY = {"include", "loadmodule", "rename-command", "user"}


def refused(server: Server) -> tuple[set[str], set[str]]:
    """Set every setting to the value it has; return the names known and those refused for ever."""
    with server.line() as line:
        config = line.pairs("CONFIG", "GET", "*")
        commands = [("CONFIG", "SET", name, value) for name, value in config.items()]
        replies = dict(zip(config, map(str, line.ask_all(list(commands))), strict=True))
    final = {
        name for name, reply in replies.items() if "immutable" in reply or "protected" in reply
    }
    return set(config), final


def test_every_refused_setting_is_listed(open_server: Server):
    """What this server refuses to change while it runs is in IMMUTABLE."""
    assert refused(open_server)[1] - IMMUTABLE == set()


def test_every_listed_setting_is_refused_by_a_server(tmp_path_factory: pytest.TempPathFactory):
    """What IMMUTABLE lists is refused by at least one server, or stands in the file only."""
    seen: set[str] = set()
    for engine in ENGINES:
        if engine.program is None:
            pytest.skip(f"{engine.name} is not installed: the list speaks of all three")
        folder, port = tmp_path_factory.mktemp(engine.name), free_port()
        (folder / "redis.conf").write_text(f'port {port}\nsave ""\nbind 127.0.0.1\n')
        with running(engine, folder, port) as server:
            known, final = refused(server)
        seen |= final
        assert not FILE_ONLY & known
    assert IMMUTABLE - FILE_ONLY - seen == set()


def test_sizes_are_sizes(open_server: Server):
    """A setting counted in bytes takes a unit, and answers with our number."""
    with open_server.line() as line:
        known = sorted(BYTES & line.pairs("CONFIG", "GET", "*").keys())
        for name in known:
            before = line.pairs("CONFIG", "GET", name)[name]
            reply = line.ask("CONFIG", "SET", name, "2mb")
            live = line.pairs("CONFIG", "GET", name)[name]
            line.ask("CONFIG", "SET", name, before)
            assert (name, str(reply)) == (name, "OK")
            assert (name, canonical(name, "2mb")) == (name, live)
    assert len(known) > 6


def test_words_are_words(open_server: Server):
    """A setting of a closed list is read in any case and answered in lower case."""
    with open_server.line() as line:
        config = line.pairs("CONFIG", "GET", "*")
        known = sorted(WORDS & config.keys() - IMMUTABLE)
        for name in known:
            reply = line.ask("CONFIG", "SET", name, config[name].upper())
            live = line.pairs("CONFIG", "GET", name)[name]
            assert (name, "OK", config[name]) == (name, str(reply), live)
            assert canonical(name, config[name].upper()) == live
    assert len(known) > 30


def test_numbers_are_numbers(open_server: Server):
    """A setting that we call a number is one on the server, in the canonical spelling."""
    with open_server.line() as line:
        config = line.pairs("CONFIG", "GET", "*")
    known = sorted(NUMBERS & config.keys())
    assert {name: canonical(name, config[name]) for name in known} == {
        name: str(int(config[name])) for name in known
    }
    assert len(known) > 40


def test_aliases_answer_alike(open_server: Server):
    """A setting's old and new names are one setting: both known, with the same value."""
    with open_server.line() as line:
        config = line.pairs("CONFIG", "GET", "*")
    both = {old: new for old, new in ALIASES.items() if old in config and new in config}
    assert {old: config[new] for old, new in both.items()} == {old: config[old] for old in both}
    assert {canonical_name(old) for old in both} == set(both.values())
    assert len(both) > 12


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("client-output-buffer-limit", "pubsub 64mb 16mb 90"),
        ("client-output-buffer-limit", "slave 1gb 512m 0 normal 1k 1kb 7"),
        ("notify-keyspace-events", "AKE"),
        ("notify-keyspace-events", "xeEgm"),
        ("save", "900 1 300 010"),
        ("latency-tracking-info-percentiles", "99.9 50.0 99"),
        ("oom-score-adj", "relative"),
        ("oom-score-adj", "ABSOLUTE"),
        ("maxmemory", "1500000k"),
        ("maxmemory-clients", "5%"),
        ("slowlog-log-slower-than", "-1"),
        ("save", ""),
    ],
)
def test_written_and_answered_are_one_value(open_server: Server, name: str, written: str):
    """A value as a person writes it and as CONFIG GET answers it have one canonical spelling."""
    with open_server.line() as line:
        before = line.pairs("CONFIG", "GET", name)[name]
        default = canonical(name, before)
        reply = line.ask("CONFIG", "SET", name, written)
        live = line.pairs("CONFIG", "GET", name)[name]
        line.ask("CONFIG", "SET", name, before)
    assert str(reply) == "OK"
    assert canonical(name, written) == canonical(name, live)
    assert canonical(name, live) != default or written in ("", "relative", "99.9 50.0 99")
