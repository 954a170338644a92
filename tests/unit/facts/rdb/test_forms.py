"""Every form of value and every record, in every version of the format from 1 to 15 and Valkey's 80.

Assembled by these tests from the description of the format; tests/engines/test_assembled.py shows the
same dumps to real servers.
"""

import pytest
from tests.purity import pure
from tests.unit.facts.rdb import writer as w
from tests.unit.facts.rdb.assembled import FORMS, TEMPLATE, VERSIONS, dump_of, forms_in

from keywright_ops.facts.rdb.header import Header, read_header
from keywright_ops.facts.rdb.reader import Entry, read_rdb


def entries(data: bytes, **options: bool) -> list[Entry]:
    """Read a dump to its end, touching nothing of the world."""
    return pure(lambda: list(read_rdb(data, **options)))


@pytest.mark.parametrize("magic", VERSIONS)
def test_every_version(magic: str) -> None:
    """Type, length, size, database and expiry of every form that the version can have."""
    forms = forms_in(magic)
    read = entries(dump_of(magic, forms))
    old = magic < "REDIS0003"
    expected = [
        Entry(
            3,
            each.name.encode(),
            each.type,
            None if n % 2 == 0 else (2_000_000_000 + n) * 1000 if old else 4_000_000_000_000 + n,
            len(w.string(each.name.encode())) + len(each.value),
            each.length,
        )
        for n, each in enumerate(forms)
    ]
    assert expected == read


def test_every_form_is_in_some_version() -> None:
    """No form of the list is left out by the versions above."""
    assert {each for magic in VERSIONS for each in forms_in(magic)} == set(FORMS)


def test_the_checksum() -> None:
    """A dump with the right checksum is read with `verify`; one without (0) too."""
    body = w.record(0, b"a", w.string(b"b"))
    for magic in ("REDIS0003", "REDIS0005", "REDIS0011", "VALKEY080"):
        for checksum in (True, False):
            assert 1 == len(entries(w.dump(magic, body, checksum), verify=True))


def test_the_header() -> None:
    """Whose dump it is, its version, and the server's own fields, integers as digits."""
    body = w.field(b"valkey-ver", w.string(b"9.1.2")) + w.field(b"ctime", w.integer(1_700_000_000))
    body += w.field(b"lua", w.squeeze(b"return " + b"1" * 50)) + w.field(b"odd", w.string(b"\xff"))
    data = w.dump("VALKEY080", body + w.record(0, b"a", w.string(b"b")))
    fields = {
        "valkey-ver": "9.1.2",
        "ctime": "1700000000",
        "lua": "return " + "1" * 50,
        "odd": "\\xff",
    }
    assert Header("VALKEY", 80, fields) == pure(read_header, data)
    assert Header("REDIS", 6, {}) == read_header(w.dump("REDIS0006", b""))


def test_keys_of_all_kinds() -> None:
    """A key is its bytes, whether it was written as it is, as an integer or compressed."""
    value = w.string(b"x")
    written = {
        b"": w.string(b""),
        b"a" * 63: w.string(b"a" * 63),
        b"b" * 64: w.string(b"b" * 64),
        b"c" * 20_000: w.string(b"c" * 20_000),
        b"-12": w.integer(-12),
        b"70000": w.integer(70_000),
        b"key:" + b"z" * 500 + b"!": w.squeeze(b"key:" + b"z" * 500 + b"!"),
    }
    body = b"".join(b"\x00" + each + value for each in written.values())
    assert list(written) == [each.key for each in entries(w.dump("REDIS0011", body))]


def test_databases_and_what_is_known_of_a_key() -> None:
    """Expiry, idle time and frequency belong to the next key only; the database to all keys after it."""
    body = w.record(0, b"a", w.string(b""))
    body += (
        w.database(70)
        + b"\xf8"
        + w.length(300)
        + w.expire_ms(-5)
        + w.record(0, b"b", w.string(b""))
    )
    body += w.record(0, b"c", w.string(b"")) + b"\xf9\x07" + w.record(0, b"d", w.string(b""))
    read = [
        (each.database, each.expire_ms, each.idle, each.freq)
        for each in entries(w.dump("REDIS0009", body))
    ]
    assert [
        (0, None, None, None),
        (70, -5, 300, None),
        (70, None, None, None),
        (70, None, None, 7),
    ] == read


EARLY = b"\xf6" + w.string(b"name") + w.string(b"LUA")
NUMBER = w.length(w.module_number("some-type"))
RANGES = w.length(2) + b"".join(map(w.length, (0, 5, 9, 16383)))
ASIDE = {
    "sizes": ("REDIS0007", b"\xfb" + w.length(100) + w.length(70_000)),
    "module": ("REDIS0009", b"\xf7" + NUMBER + w.parts(2, b"x" * 90, 1.5)),
    "module, empty": ("REDIS0009", b"\xf7" + NUMBER + w.parts(2)),
    "early function": ("REDIS0010", EARLY + b"\x01" + w.string(b"what") + w.string(b"code")),
    "early function, plain": ("REDIS0010", EARLY + b"\x00" + w.string(b"code")),
    "function": ("REDIS0010", b"\xf5" + w.squeeze(b"#!lua name=a" + b" " * 90)),
    "slot": ("REDIS0011", b"\xf4" + w.length(9000) + w.length(3) + w.length(1)),
    "slot import": ("VALKEY080", b"\xf3" + w.string(b"job") + RANGES),
    "key's note": ("REDIS0013", b"\xf3\x02abcd" + w.parts(7) + b"efgh" + w.parts(b"x", 0.5)),
    "template": ("REDIS0015", TEMPLATE),
}


@pytest.mark.parametrize("name", ASIDE)
def test_what_is_no_key(name: str) -> None:
    """What stands between the keys is passed over, and keeps the expiry for the next key."""
    magic, aside = ASIDE[name]
    body = (
        w.record(0, b"a", w.string(b"")) + w.expire_ms(9) + aside + w.record(0, b"b", w.string(b""))
    )
    assert [(b"a", None), (b"b", 9)] == [(e.key, e.expire_ms) for e in entries(w.dump(magic, body))]


def test_lengths_that_are_longer_than_needed() -> None:
    """A length may be written in any of its forms."""
    for size in (b"\x03", b"\x40\x03", b"\x80\0\0\0\x03", b"\x81" + b"\0" * 7 + b"\x03"):
        data = w.dump("REDIS0011", b"\x00" + size + b"key" + size + b"abc")
        assert [(b"key", 3)] == [(each.key, each.length) for each in entries(data)]


def test_other_buffers() -> None:
    """What is neither bytes nor mmap is read as well, and the keys are bytes."""
    data = w.dump("REDIS0011", w.record(0, b"a", w.string(b"b")))
    for buffer in (bytearray(data), memoryview(data)):
        assert [b"a"] == [each.key for each in read_rdb(buffer)]
        assert all(type(each.key) is bytes for each in read_rdb(buffer))


def test_what_follows_the_end() -> None:
    """What stands after the checksum is not of the dump: commands, in an old append-only file."""
    data = w.dump("REDIS0009", w.record(0, b"a", w.string(b"b"))) + b"*1\r\n$4\r\nPING\r\n"
    assert 1 == len(entries(data))
