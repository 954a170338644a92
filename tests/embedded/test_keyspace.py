"""The scan, bulk changes and their copies on real servers: nothing is missed, nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.servers import ENGINES, running
from tests.ports import free_port

from keywright.endpoint import Endpoint
from keywright.errors import ApplyError, InputError, Refused, ReplyError
from keywright.secret import Secret
from keywright.wire import Wire
from keywright_ops.ops.keyspace.bulk import delete, expire, milliseconds, restore
from keywright_ops.ops.keyspace.copy_file import CopyFile, Record, find_copy, load_copy
from keywright_ops.ops.keyspace.scan import (
    FREQ,
    IDLE,
    MEMORY,
    PTTL,
    TYPE,
    ColumnRefused,
    scan_pages,
)
from keywright_ops.ops.keyspace.values import read_all, read_part


@pytest.fixture(
    scope="module", params=[each for each in ENGINES if each.program], ids=lambda e: e.name
)
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One server of each engine."""
    folder, number = tmp_path_factory.mktemp("server"), free_port()
    (folder / "redis.conf").write_text(f'port {number}\nsave ""\n')
    with running(request.param, folder, number):
        yield number


@pytest.fixture
def wire(port: int) -> Iterator[Wire]:
    """A raw connection to an empty server."""
    with Wire(Endpoint(port=port, timeout=20), raw=True) as one:
        one.call("FLUSHALL")
        yield one


def fill(wire: Wire, count: int) -> None:
    """Write keys, every other one with an end."""
    for first in range(0, count, 1000):
        wire.batch([("SET", f"k:{n}", "x", *(("PX", 900_000) if n % 2 else ()))
                    for n in range(first, min(first + 1000, count))])  # fmt: skip


@pytest.mark.parametrize("columns", [(), (PTTL,), (TYPE, PTTL, MEMORY), (TYPE, PTTL, MEMORY, IDLE)])
def test_a_scan_finds_every_key_with_its_columns(wire: Wire, columns: tuple[str, ...]):
    """Each key comes, with its own answers beside it, whatever is asked for."""
    fill(wire, 3000)
    wire.call("HSET", b"bin\xff\n", "f", "v")
    pages = list(scan_pages(wire, columns))
    rows = {row[0]: row for page in pages for row in page}
    assert len(rows) == 3001
    for name, kind, pttl, memory, idle in rows.values():
        binary = name == b"bin\xff\n"
        if TYPE in columns:
            assert kind == (b"hash" if binary else b"string")
        if PTTL in columns:
            endless = binary or int(name[2:]) % 2 == 0
            assert pttl == -1 if endless else 0 < pttl <= 900_000
        assert (memory is not None and memory > 0) == (MEMORY in columns)
        assert (idle is not None) == (IDLE in columns)
    assert 13 <= len(pages) <= 17  # pages × COUNT is how far it is


def test_a_scan_of_an_empty_server_ends(wire: Wire):
    """No key is one empty page."""
    assert list(scan_pages(wire, (TYPE, PTTL, MEMORY))) == [[]]


def test_a_paced_scan_finds_the_same_and_rests(wire: Wire):
    """The pace changes nothing but the time."""
    fill(wire, 1000)
    assert {row[0] for page in scan_pages(wire, (PTTL,), pace=0.5) for row in page} == {
        row[0] for page in scan_pages(wire) for row in page
    }


def test_the_server_filters_names_and_types(wire: Wire):
    """MATCH and TYPE are the server's."""
    fill(wire, 500)
    wire.batch([("LPUSH", "list", "x"), ("SET", b"\xffa*", "x"), ("SET", b"\xffab", "x")])
    assert [row[0] for page in scan_pages(wire, kind="list") for row in page] == [b"list"]
    found = [row[0] for page in scan_pages(wire, match=b"\xffa\\*") for row in page]
    assert found == [b"\xffa*"]


def test_a_question_that_is_not_answered_at_all_is_named(wire: Wire, port: int):
    """A column that nobody may ask ends the scan with its command; another's key is only not known."""
    fill(wire, 10)
    with pytest.raises(ColumnRefused) as refusal:
        list(scan_pages(wire, (TYPE, FREQ)))
    assert refusal.value.words == ("OBJECT", "FREQ")
    wire.call("ACL", "SETUSER", "some", "on", ">p", "~k:1", "+@all")
    wire.call("ACL", "SETUSER", "none", "on", ">p", "~*", "+scan")
    for user in ("some", "none"):
        place = Endpoint(port=port, username=user, password=Secret("p"))
        with Wire(place, raw=True) as other:
            if user == "none":
                with pytest.raises(ColumnRefused) as refusal:
                    list(scan_pages(other, (TYPE,)))
                assert refusal.value.words == ("TYPE",)
            else:
                rows = {row[0]: row[1] for page in scan_pages(other, (TYPE,)) for row in page}
                assert len(rows) == 10
                assert rows[b"k:1"] == b"string"
                assert rows[b"k:2"] is None
    wire.batch([("ACL", "DELUSER", "some", "none")])


def everything(wire: Wire, names: list[bytes]) -> list[object]:
    """Dumps and ends of keys, to be compared."""
    told = wire.batch([("DUMP", name) for name in names])
    ends = wire.batch([("PTTL", name) for name in names])
    return [(dump, end > 0) for dump, end in zip(told, ends, strict=True)]


KINDS = [b"s", b"h", b"l", b"set", b"z", b"x", b"bin\x00\xff"]


def several_kinds(wire: Wire) -> None:
    """Write KINDS."""
    wire.batch([
        ("SET", "s", b"\x00\xff", "EX", 500), ("HSET", "h", "a", "1"), ("RPUSH", "l", *range(300)),
        ("SADD", "set", 1, 2), ("ZADD", "z", 1.5, "a"), ("XADD", "x", "1-1", "f", "v"),
        ("SET", b"bin\x00\xff", "v"),
    ])  # fmt: skip


def test_what_is_deleted_can_be_brought_back_byte_for_byte(wire: Wire, tmp_path: Path):
    """Every type, every name and every time survives delete and undo."""
    several_kinds(wire)
    before = everything(wire, KINDS)
    copy = CopyFile(str(tmp_path), {"environment": "local"}, 1 << 20)
    tally = delete(wire, [*KINDS, b"absent"], copy)
    copy.close()
    assert tally == (7, 0, 1)
    assert wire.call("DBSIZE") == 0
    assert Path(copy.path).stat().st_mode & 0o777 == 0o600
    header, records = load_copy(copy.path)
    assert header == {"environment": "local"}
    told = restore(wire, list(records), milliseconds(wire.call("TIME")), replace=False)
    assert told == (7, 0, 0, 0, "")
    assert everything(wire, KINDS) == before


def test_a_key_that_changes_while_it_is_copied_is_not_deleted(
    wire: Wire, port: int, tmp_path: Path
):
    """Whatever goes is in the copy as it was when it went: a key that is written all the time stays."""
    wire.batch([("SET", name, "old") for name in ("a", "b", "c")])
    with Wire(Endpoint(port=port)) as other:

        class Meddling(CopyFile):
            def add(self, records) -> None:
                super().add(records)
                other.call("APPEND", "b", "!")

        copy = Meddling(str(tmp_path), {}, 1 << 20)
        tally = delete(wire, [b"a", b"b", b"c"], copy)
        copy.close()
    assert tally == (2, 1, 0)
    assert wire.call("EXISTS", "a", "c") == 0
    assert wire.call("GET", "b").startswith(b"old!")


def test_undo_leaves_what_is_there_again(wire: Wire, tmp_path: Path):
    """A key that came back is the newer one; only --replace writes over it. What would have ended is told."""
    wire.batch([("SET", "a", "old"), ("SET", "b", "old"), ("SET", "c", "old", "PX", 30_000)])
    copy = CopyFile(str(tmp_path), {}, 1 << 20)
    delete(wire, [b"a", b"b", b"c"], copy)
    copy.close()
    wire.call("SET", "a", "new")
    later = milliseconds(wire.call("TIME")) + 60_000
    records = list(load_copy(copy.path)[1])
    assert restore(wire, records, later, replace=False)[:4] == (1, 1, 1, 0)
    assert wire.call("MGET", "a", "b", "c") == [b"new", b"old", None]
    assert restore(wire, records[:1], later, replace=True).done == 1
    assert wire.call("GET", "a") == b"old"


def test_expiring_keeps_the_times_that_were(wire: Wire, tmp_path: Path):
    """Undo gives every key the end that it had, or none."""
    wire.batch([("SET", "a", "v"), ("SET", "b", "v", "EX", 9000)])
    copy = CopyFile(str(tmp_path), {}, 1 << 20)
    assert expire(wire, [b"a", b"b", b"absent"], 60_000, copy, False) == (2, 0, 1)
    copy.close()
    assert all(0 < each <= 60_000 for each in wire.batch([("PTTL", "a"), ("PTTL", "b")]))
    told = restore(
        wire, list(load_copy(copy.path)[1]), milliseconds(wire.call("TIME")), replace=False
    )
    assert told.done == 2
    assert wire.call("PTTL", "a") == -1
    assert wire.call("PTTL", "b") > 8_000_000
    assert expire(wire, [b"a", b"b"], 60_000, None, True) == (1, 0, 1)  # only the endless one


def test_pages_of_a_value_are_all_of_it(wire: Wire):
    """However a value is paged, every member comes; a giant is never read in one command."""
    wire.batch([("HSET", "h", f"f{n}", n) for n in range(1200)])
    wire.batch([("SADD", "s", n) for n in range(1200)])
    wire.batch([("ZADD", "z", n, n) for n in range(1200)])
    wire.batch([("XADD", "x", f"1-{n + 1}", "f", n) for n in range(1200)])
    wire.batch([("RPUSH", "l", *range(1200)), ("SET", "t", "abc" * 50_000)])
    for name, kind in (("h", "hash"), ("s", "set"), ("z", "zset"), ("x", "stream"), ("l", "list")):
        parts: list = []
        read_all(wire, name.encode(), kind, parts.append)
        assert len({item[0] for part in parts for item in part.items}) == 1200, kind
        assert len(parts) > 1
        first = read_part(wire, name.encode(), kind, "", 50)
        assert 50 <= len(first.items) < 600
        second = read_part(wire, name.encode(), kind, first.next, 50)
        assert {item[0] for item in first.items}.isdisjoint({item[0] for item in second.items})
    parts = []
    read_all(wire, b"t", "string", parts.append)
    assert b"".join(part.text for part in parts) == b"abc" * 50_000


# --- the file alone ---------------------------------------------------------------------------------


def test_a_torn_copy_gives_what_is_whole(tmp_path: Path):
    """A crash in the middle of a write costs that record alone, and its key was not deleted yet."""
    copy = CopyFile(str(tmp_path), {}, 1 << 20)
    copy.add([Record(b"a", -1, b"1"), Record(b"b\n", 5, None)])
    copy.close()
    text = Path(copy.path).read_bytes()
    expected = [Record(b"a", -1, b"1"), Record(b"b\n", 5, None)]
    assert list(load_copy(copy.path)[1]) == expected
    for torn in (*(text[:-cut] for cut in range(1, 22)), text[:-1] + b"X"):
        Path(copy.path).write_bytes(torn)
        records = load_copy(copy.path)[1]
        assert next(records) == expected[0]
        with pytest.raises(ApplyError, match="is torn after 1 keys"):
            next(records)


def test_a_copy_has_a_limit_and_an_empty_one_is_none(tmp_path: Path):
    """It refuses to grow before anything is deleted, and leaves no empty file."""
    copy = CopyFile(str(tmp_path), {}, 100)
    with pytest.raises(Refused):
        copy.add([Record(b"a", -1, b"x" * 200)])
    copy.close()
    assert list(tmp_path.glob("keys/*")) == []
    with pytest.raises(InputError):
        find_copy(str(tmp_path), "last")
    other = tmp_path / "other"
    other.write_text("something else\n")
    with pytest.raises(InputError):
        load_copy(str(other))


def test_a_refused_command_is_raised(wire: Wire, port: int, tmp_path: Path):
    """Who may not DUMP deletes nothing."""
    wire.call("SET", "a", "v")
    wire.call("ACL", "SETUSER", "some", "on", ">p", "~*", "+@all", "-dump")
    with Wire(Endpoint(port=port, username="some", password=Secret("p")), raw=True) as other:
        copy = CopyFile(str(tmp_path), {}, 1 << 20)
        with pytest.raises(ReplyError):
            delete(other, [b"a"], copy)
        copy.close()
    assert wire.call("EXISTS", "a") == 1
    wire.call("ACL", "DELUSER", "some")
