"""Every form of value that a dump can have, assembled: since when it is written, and what must be read."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from tests.unit.facts.rdb import writer as w

PAIRS = [(b"f%d" % number, b"value %d" % number) for number in range(5)]
FLAT = [each for pair in PAIRS for each in pair]
MANY = 66_000  # more than the head of a packed value can say
NAMES = [b"age", b"name", b"email"]
LATER = w.length(4_000_000_000_000)
UNTIL = struct.pack("<q", 4_000_000_000_000)


class Form(NamedTuple):
    """A value in one form: its number, since which version of whose dump, until which."""

    form: int
    name: str
    value: bytes
    type: str
    length: int
    since: int = 1
    until: int = 99
    magic: str = ""  # both


def _many() -> list[bytes | int]:
    """Pairs whose values are of every kind that a packed form has."""
    kinds = (b"a", 5, -7, 300, 100_000, 2**40, b"b" * 70)
    pairs = [[b"f%d" % number, kinds[number % 7]] for number in range(MANY // 2)]
    pairs[9][1], pairs[10][1] = b"c" * 5000, b"d" * 17_000
    return [each for pair in pairs for each in pair]


def _pairs(count: int) -> list[bytes | int]:
    return [each for number in range(count) for each in (b"f%d" % number, number)]


def _strings() -> Iterator[Form]:
    for name, text in (
        ("empty", b""),
        ("short", b"abc"),
        ("long", b"x" * 100),
        ("longer", b"x" * 20_000),
    ):
        yield Form(0, name, w.string(text), "string", len(text))
    for number in (0, -1, 127, -128, 128, 32_767, -32_768, 32_768, -(2**31), 2**31 - 1):
        yield Form(0, f"integer {number}", w.integer(number), "string", len(str(number)))
    yield Form(0, "compressed", w.squeeze(b"a" * 1000), "string", 1000)


def _old() -> Iterator[Form]:
    scores = ("1", "-2.5", "inf", "-inf", "17")
    texts = b"".join(w.string(b"m%d" % n) + w.score_text(each) for n, each in enumerate(scores))
    yield Form(
        1, "list", w.length(3) + w.string(b"a") + w.integer(7) + w.string(b"c" * 99), "list", 3
    )
    yield Form(2, "set", w.length(2) + w.string(b"a") + w.squeeze(b"b" * 90), "set", 2)
    yield Form(3, "sorted set, digits", w.length(5) + texts, "zset", 5)
    yield Form(4, "hash", w.length(5) + b"".join(map(w.string, FLAT)), "hash", 5)
    yield Form(9, "zipmap", w.string(w.zipmap(PAIRS)), "hash", 5, 2)
    yield Form(9, "zipmap, slack", w.string(w.zipmap(PAIRS, slack=3)), "hash", 5, 2)
    wide = [(b"f%d" % number, b"v" * (number % 300)) for number in range(400)]
    yield Form(9, "zipmap, many", w.string(w.zipmap(wide)), "hash", 400, 2)
    yield Form(
        10, "ziplist", w.string(w.ziplist([b"a", 5, -7, 300, 2**40, b"b" * 300])), "list", 6, 2
    )
    yield Form(10, "ziplist, compressed", w.squeeze(w.ziplist([b"a" * 60] * 9)), "list", 9, 2)
    yield Form(11, "intset 16", w.string(w.intset([1, 2, -3])), "set", 3, 2)
    yield Form(11, "intset 64", w.string(w.intset([1, 2, 2**40])), "set", 3, 2)
    yield Form(11, "intset, compressed", w.squeeze(w.intset(range(500))), "set", 500, 2)
    yield Form(12, "sorted set, ziplist", w.string(w.ziplist([b"a", 1, b"b", 2])), "zset", 2, 2)
    yield Form(13, "hash, ziplist", w.string(w.ziplist(FLAT)), "hash", 5, 4)


def _middle() -> Iterator[Form]:
    doubles = b"".join(w.string(b"m" * n) + struct.pack("<d", n) for n in (3, 70))
    node = w.string(w.ziplist([b"a", b"b", 3]))
    squeezed = w.squeeze(w.ziplist([b"a" * 40] * 4))
    held = [w.Pending(b"group", (1, 2)), w.Pending(b"other", ())]
    yield Form(5, "sorted set", w.length(2) + doubles, "zset", 2, 8)
    yield Form(14, "quicklist", w.length(3) + node + squeezed + node, "list", 10, 7)
    yield Form(13, "hash, ziplist, many", w.string(w.ziplist(_many())), "hash", MANY // 2, 4)
    yield Form(15, "stream 1", w.stream(1, 3, held), "stream", 3, 9)
    yield Form(15, "stream 1, empty", w.stream(1, 0), "stream", 0, 9)
    number = w.module_number("some-type")
    value = w.length(number) + w.parts(1, 2**40, 0.5, b"text")
    yield Form(7, "module", value, "some-type", 0, 8)
    vectors = w.length(w.module_number("vectorset")) + w.parts(3, 20, 1, b"noise")
    yield Form(7, "vectors", vectors, "vectorset", 20, 12, magic="REDIS")


def _listpacks() -> Iterator[Form]:
    nodes = (
        w.length(3)
        + b"\x02"
        + w.string(w.listpack([b"a", 1, -5000]))
        + b"\x01"
        + w.string(b"x" * 9000)
    )
    nodes += b"\x02" + w.squeeze(w.listpack([b"b" * 60] * 7))
    kinds = [b"a", 5, -7, 300, 100_000, 2**40, b"b" * 70, b"c" * 5000]
    held = [w.Pending(b"group", (1, 2))]
    yield Form(16, "hash, listpack", w.string(w.listpack(FLAT)), "hash", 5, 10)
    yield Form(16, "hash, long listpack", w.string(w.listpack(_pairs(1000))), "hash", 1000, 10)
    yield Form(17, "sorted set, listpack", w.string(w.listpack([b"a", 1, b"b", 2])), "zset", 2, 10)
    yield Form(18, "quicklist 2", nodes, "list", 11, 10)
    every = w.string(w.listpack(kinds))
    yield Form(18, "quicklist 2, all kinds", w.length(1) + b"\x02" + every, "list", 8, 10)
    yield Form(16, "hash, listpack, many", w.string(w.listpack(_many())), "hash", MANY // 2, 10)
    squeezed = w.squeeze(w.listpack(_many()))
    yield Form(16, "hash, many, compressed", squeezed, "hash", MANY // 2, 10)
    yield Form(19, "stream 2", w.stream(2, 4, held), "stream", 4, 10)
    yield Form(20, "set, listpack", w.string(w.listpack([b"a", 1])), "set", 2, 11)
    yield Form(21, "stream 3", w.stream(3, 5, held), "stream", 5, 11)


def _apart() -> Iterator[Form]:
    """What came after Redis and Valkey went apart."""
    triples = [each for name, value in PAIRS for each in (name, value, 0)]
    early, times = (
        w.length(3)
        + b"".join(n + w.string(b"f%d" % at) + w.string(b"v") for at, n in enumerate(each))
        for each in ((b"\0", LATER, LATER), (b"\0", b"\1", b"\2"))
    )
    back = [w.Pending(b"group", (1,), (2, 3))]
    valkey = (
        w.length(2)
        + (w.string(b"a") + w.string(b"b") + UNTIL)
        + (w.string(b"c") + w.string(b"d") + b"\xff" * 8)
    )
    yield Form(22, "hash, Valkey 9", valkey, "hash", 2, 80, magic="VALKEY")
    yield Form(22, "hash, early", early, "hash", 3, 12, magic="REDIS")
    yield Form(
        23, "hash, listpack, early", w.string(w.listpack(triples)), "hash", 5, 12, magic="REDIS"
    )
    yield Form(24, "hash with times", UNTIL + times, "hash", 3, 12, magic="REDIS")
    yield Form(
        25,
        "listpack with times",
        UNTIL + w.string(w.listpack(triples)),
        "hash",
        5,
        12,
        magic="REDIS",
    )
    yield Form(26, "stream 4", w.stream(4, 5, back[:0]), "stream", 5, 13, magic="REDIS")
    yield Form(27, "stream 5", w.stream(5, 6, back), "stream", 6, 14, magic="REDIS")
    elements = (
        b"\x01" + UNTIL,
        b"\x02" + UNTIL,
        b"\x03" + w.string(b"ab"),
        b"\x00" + w.string(b"abcdefgh"),
    )
    array = b"".join(w.length(100 * n) + each for n, each in enumerate(elements))
    yield Form(28, "array", w.length(4) + b"\x00" + array, "array", 4, 14, magic="REDIS")
    yield Form(
        28,
        "array, cursor",
        w.length(4) + b"\x01" + w.length(2**63) + array,
        "array",
        4,
        14,
        magic="REDIS",
    )
    whole = w.length(3) + b"".join(map(w.string, NAMES))
    values = w.string(w.listpack([30, b"anna", b"a@b.c"]))
    yield Form(29, "template, listpack", whole + values, "hash", 3, 15, magic="REDIS")
    referring = w.string(w.listpack([1, 30, b"anna", b"a@b.c"]))
    yield Form(30, "of template, listpack", referring, "hash", 3, 15, magic="REDIS")
    both = b"".join(w.string(name) + w.integer(3) for name in NAMES)
    yield Form(31, "template, values", w.length(3) + both, "hash", 3, 15, magic="REDIS")
    yield Form(
        32, "of template, values", w.length(1) + w.integer(3) * 3, "hash", 3, 15, magic="REDIS"
    )


FORMS = (*_strings(), *_old(), *_middle(), *_listpacks(), *_apart())
TEMPLATE = b"\xf2" + w.length(1) + w.length(3) + b"".join(map(w.string, NAMES))
VERSIONS = tuple(f"REDIS{version:04}" for version in range(1, 16)) + ("VALKEY080",)


def forms_in(magic: str) -> list[Form]:
    """Return the forms that a dump of that kind and version can have."""
    name, version = magic.rstrip("0123456789"), int(magic.strip("REDISVALKY"))
    fits = (each for each in FORMS if each.magic in ("", name))
    return [each for each in fits if each.since <= version <= each.until]


def dump_of(magic: str, forms: list[Form]) -> bytes:
    """Return a dump with one key of each form, named after it; every second one expires."""
    version = int(magic.strip("REDISVALKY"))
    out = (
        w.field(b"redis-ver", w.string(b"1.2.3")) + w.field(b"ctime", w.integer(12345))
        if version > 6
        else b""
    )
    if magic >= "REDIS0015" and magic < "VALKEY":
        out += TEMPLATE
    out += w.database(3) + (b"\xfb" + w.length(len(forms)) + w.length(0) if version > 6 else b"")
    for number, each in enumerate(forms):
        if number % 2:
            out += (
                w.expire_ms(4_000_000_000_000 + number)
                if version > 2
                else w.expire(2_000_000_000 + number)
            )
        out += w.record(each.form, each.name.encode(), each.value)
    return w.dump(magic, out, checksum=False)
