"""Keeping a copy: it is made good only when it reads back and loads with all that the server held."""

from pathlib import Path

import pytest

from keywright.errors import ApplyError
from keywright_ops.apply.keep_copy import Storeroom, keep_copy
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Held, Layout, Loaded, Lying
from keywright_ops.model.step import KeepCopy
from keywright_ops.store.copies import Store
from keywright_ops.targets.local_data import LocalData

LAYOUT = Layout(False, (("databases", "16"),))
LOADED = Loaded((("db0", 5), ("db3", 2)), 0, 0, "", "valkey", "9.1.0")


@pytest.fixture
def data(tmp_path: Path) -> LocalData:
    """A data folder with two files."""
    folder = tmp_path / "data"
    (folder / "appendonlydir").mkdir(parents=True)
    (folder / "dump.rdb").write_bytes(b"REDIS" * 100)
    (folder / "appendonlydir" / "a.aof").write_bytes(b"x")
    return LocalData(str(folder))


def keep(data: LocalData, tmp_path: Path, held: Held | None, load: object) -> Store:
    """Keep a copy with this answer of the scratch server."""
    store = Store(f"{tmp_path}/copies")

    def answer(program: str, folder: str, layout: Layout) -> Loaded | Missing:
        assert ("program", LAYOUT) == (program, layout)
        assert (Path(folder) / "dump.rdb").read_bytes() == b"REDIS" * 100
        assert () == store.kept(), "it is not good before it has loaded"
        if callable(load):
            load(folder)
            return LOADED
        assert isinstance(load, Loaded | Missing)
        return load

    do = KeepCopy("a reason", "program", LAYOUT, held, (("maxmemory", "0"),))
    keep_copy(do, data, Storeroom(store, answer), "local")
    return store


@pytest.mark.parametrize(
    ("databases", "expired", "uncounted"),
    [
        ((("db0", 5), ("db3", 2)), 0, 0),
        ((("db0", 7), ("db3", 2)), 2, 0),
        ((("db0", 9),), 1, 1),
        (None, 0, 0),
    ],
)
def test_all_that_was_held_makes_it_good(
    data: LocalData, tmp_path: Path, databases: object, expired: int, uncounted: int
) -> None:
    """The same keys, or fewer by those that expired or cannot be counted, or none told before."""
    held = Held(databases, uncounted) if isinstance(databases, tuple) else None
    [kept] = keep(data, tmp_path, held, LOADED._replace(expired=expired)).kept()
    manifest = kept.manifest
    assert ("local", "a reason", 7) == (manifest.environment, manifest.reason, manifest.keys)
    assert {"dump.rdb", "appendonlydir/a.aof"} == {each.name for each in manifest.files}
    assert ({"maxmemory": "0"}, "9.1.0") == (manifest.settings, manifest.version)
    assert ("no server ran" in manifest.verified) == (held is None)


@pytest.mark.parametrize(
    ("keys", "answer", "told"),
    [
        (8, LOADED, "the server held 8 keys, its copy holds 7"),
        (6, LOADED, "the server held 6 keys, its copy holds 7"),
        (9, LOADED._replace(expired=1), "holds 7 and 1 that expired"),
        (7, Missing("the copy does not load: Bad file format"), "Bad file format"),
    ],
)
def test_what_does_not_verify_is_no_copy(
    data: LocalData, tmp_path: Path, keys: int, answer: object, told: str
) -> None:
    """Too few keys, too many, or none at all: an error that says so; no copy, and the data as it was."""
    before = data.look()
    with pytest.raises(ApplyError, match=told) as caught:
        keep(data, tmp_path, Held((("db0", keys),)), answer)
    assert "the data was not touched" in caught.value.hint
    assert [] == list((tmp_path / "copies").iterdir())
    assert before == data.look()


def test_interrupted_while_it_loads(data: LocalData, tmp_path: Path) -> None:
    """An interrupt leaves no copy."""

    def interrupt(folder: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep(data, tmp_path, None, interrupt)
    assert [] == list((tmp_path / "copies").iterdir())


def test_data_is_looked_at_packed_and_removed(data: LocalData, tmp_path: Path) -> None:
    """Files and bytes are counted; what a removal left is told; removing twice is fine."""
    assert Lying(data.folder, 2, 501) == data.look()
    found = {each.name: b"".join(each.pieces) for each in data.pack()}
    assert {"appendonlydir/a.aof": b"x", "dump.rdb": b"REDIS" * 100} == found
    half = Path(data.folder + ".removed")
    half.mkdir()
    (half / "rest").write_text("rest")
    assert Lying(data.folder, 2, 501, leftover=True) == data.look()
    data.remove()
    data.remove()
    assert Lying(data.folder, 0, 0) == data.look()
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("where", ["link.rdb", "appendonlydir/folder"])
def test_a_link_is_no_data(data: LocalData, tmp_path: Path, where: str) -> None:
    """A copy with a link in it were not whole: it is refused by name, and not followed."""
    Path(data.folder, where).symlink_to(tmp_path)
    with pytest.raises(ApplyError, match="not a plain file"):
        keep(data, tmp_path, None, LOADED)
    assert [] == list((tmp_path / "copies").iterdir())


def test_without_a_store_nothing_is_kept(data: LocalData) -> None:
    """A target that has none says so."""
    do = KeepCopy("a reason", "program", LAYOUT, None)
    with pytest.raises(ApplyError, match="cannot be copied from here"):
        keep_copy(do, data, None, "local")
