"""The dumps that the unit tests assemble are such as servers take: what they load is what is read."""

from pathlib import Path

from tests.engines.dumped import asked
from tests.engines.servers import Engine, running
from tests.ports import free_port
from tests.unit.facts.rdb.assembled import VERSIONS, dump_of, forms_in

from keywright_ops.facts.rdb.reader import read_rdb

NEWEST = {"redis-8.2": 12, "valkey-9.1": 80}
FOREIGN = range(12, 80)  # to Valkey
# What no server would write, or only one with the module that is made up.
ODD = ("module", "vectors", "stream 1, empty")


def takes(engine: Engine, magic: str) -> bool:
    """Whether the server loads dumps of that kind and version."""
    name, version = magic.rstrip("0123456789"), int(magic.strip("REDISVALKY"))
    own = name == "REDIS" or engine.name.startswith("valkey")
    foreign = engine.name.startswith("valkey") and version in FOREIGN
    return own and not foreign and version <= NEWEST.get(engine.name, 10)


def test_servers_take_them(engine: Engine, tmp_path: Path) -> None:
    """A server that loaded a dump has the keys, types and lengths that are read from it, in every version
    that it takes."""
    taken = [magic for magic in VERSIONS if takes(engine, magic)]
    assert len(taken) >= 10
    for magic in taken:
        folder = tmp_path / magic
        folder.mkdir()
        data = dump_of(magic, [each for each in forms_in(magic) if each.name not in ODD])
        (folder / "dump.rdb").write_bytes(data)
        port = free_port()
        text = f'port {port}\nbind 127.0.0.1\nsave ""\ndir "{folder}"\nsanitize-dump-payload yes\n'
        (folder / "redis.conf").write_text(text)
        with running(engine, folder, port) as server:
            expected = {key: (each.type, each.length) for key, each in asked(server).items()}
        found = {(e.database, e.key): (e.type, e.length) for e in read_rdb(data)}
        assert expected == found, magic
