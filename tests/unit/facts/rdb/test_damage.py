"""A dump that was cut, changed or never was one: entries or a DamagedDump, and nothing else ever."""

import random
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.facts.rdb import writer as w
from tests.unit.facts.rdb.assembled import FORMS, VERSIONS, Form, dump_of, forms_in

from keywright_ops.facts.rdb.damage import DamagedDump
from keywright_ops.facts.rdb.header import read_header
from keywright_ops.facts.rdb.reader import Entry, read_rdb

SENTENCE = re.compile(r"[a-z].*byte \d+.*[^.]\Z|this is no dump: .*[^.]\Z", re.DOTALL)
REAL = sorted(Path(__file__).parent.glob("dumps/*.rdb"))
SMALL = [each for each in FORMS if len(each.value) < 700]


def entries(data: bytes) -> list[Entry] | DamagedDump:
    """Read a dump to its end, or to where it stops making sense; check the sentence."""
    try:
        return list(read_rdb(data))
    except DamagedDump as error:
        assert SENTENCE.match(str(error)), str(error)
        return error


def head(data: bytes) -> None:
    """Read how a dump begins; nothing but DamagedDump may come."""
    try:
        read_header(data)
    except DamagedDump as error:
        assert SENTENCE.match(str(error)), str(error)


@cache
def small(magic: str) -> bytes:
    """A dump of that version with every form that is not large."""
    return dump_of(magic, [each for each in forms_in(magic) if each in SMALL])


@pytest.mark.parametrize("magic", VERSIONS)
def test_cut_anywhere(magic: str) -> None:
    """A dump that ends too early is said to, wherever it was cut, whatever it held."""
    data = small(magic)
    assert not isinstance(entries(data), DamagedDump)
    for end in range(len(data)):
        assert isinstance(entries(data[:end]), DamagedDump), end
    for end in range(120):
        head(data[:end])


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_dump_cut_anywhere(path: Path) -> None:
    """The same with what real servers wrote."""
    data = path.read_bytes()
    whole = entries(data)
    assert not isinstance(whole, DamagedDump)
    chance = random.Random(7)
    for end in sorted(chance.sample(range(len(data)), min(400, len(data)))):
        assert isinstance(entries(data[:end]), DamagedDump), end


@pytest.mark.parametrize("form", SMALL, ids=lambda form: form.name)
def test_every_byte_of_every_form_changed(form: Form) -> None:
    """Every byte of a value, changed to what means most: a length, a kind, a count, or an end."""
    magic = next(each for each in VERSIONS if form in forms_in(each))
    data = dump_of(magic, [form])
    begin = data.index(form.name.encode())
    for at in range(begin, len(data)):
        for byte in (0x00, 0x01, 0x3F, 0x7F, 0x80, 0x81, 0xC0, 0xC3, 0xC4, 0xFE, 0xFF):
            entries(data[:at] + bytes([byte]) + data[at + 1 :])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(VERSIONS), st.randoms(use_true_random=False), st.integers(1, 20))
def test_bytes_changed_anywhere(magic: str, chance: random.Random, count: int) -> None:
    """Several bytes changed by chance."""
    data = bytearray(small(magic))
    for _ in range(count):
        data[chance.randrange(9, len(data))] = chance.randrange(256)
    entries(bytes(data))
    head(bytes(data))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(VERSIONS), st.binary(max_size=300))
def test_what_was_never_a_dump(magic: str, noise: bytes) -> None:
    """Noise after a right beginning, and noise alone."""
    entries(magic.encode() + noise)
    entries(noise)
    head(magic.encode() + noise)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted({each.form for each in FORMS})), st.binary(max_size=300))
def test_noise_as_a_value(form: int, noise: bytes) -> None:
    """Noise as a value of each form."""
    for magic in ("REDIS0015", "VALKEY080"):
        entries(magic.encode() + w.record(form, b"key", noise))


def test_counts_that_are_too_large() -> None:
    """A count that no file could hold ends at the file's end, at once."""
    huge = b"\x81" + b"\xff" * 8
    for form in sorted({each.form for each in FORMS}):
        for value in (huge, huge + b"\x00" * 50, b"\x01" + huge * 4, b"\x00" * 8 + huge):
            for magic in ("REDIS0015", "VALKEY080"):
                entries(magic.encode() + w.record(form, b"key", value))


NONE = "this is no dump: it begins with {}, not with REDIS or VALKEY"
CUT = "the dump is cut off or damaged: the record at byte {0} goes on beyond the end at byte {1}"
KIND = "the dump is damaged at byte 9: a record of kind {}, which version {} does not have"
NEWER = (
    "the dump is of version 16, and its record of kind 42 at byte 9 is newer than version 15, "
    "the last that is known here"
)
SENTENCES = {
    b"": "this is no dump: it is empty",
    b"PK\x03\x04 a zip": NONE.format("b'PK\\x03\\x04 a zi'"),
    b"REDIS00x1": NONE.format("b'REDIS00x1'"),
    b"REDI": CUT.format(0, 4),
    b"REDIS0011": CUT.format(9, 9),
    b"REDIS0011\x2a": KIND.format(42, 11),
    b"VALKEY080\x18\x01a": KIND.format(24, 80),
    b"REDIS0016\x2a": NEWER,
}


@pytest.mark.parametrize("data", SENTENCES)
def test_the_sentence(data: bytes) -> None:
    """What is said, word by word."""
    assert SENTENCES[data] == str(entries(data))


def test_a_wrong_checksum() -> None:
    """Changed content that still makes sense is found by the checksum, when it is asked for."""
    data = w.dump("REDIS0011", w.record(0, b"a", w.string(b"hello")))
    changed = data.replace(b"hello", b"hallo")
    assert 1 == len(list(read_rdb(changed)))
    with pytest.raises(
        DamagedDump, match="^the dump's checksum, at byte 19, is not the one of its bytes"
    ):
        read_rdb(changed, verify=True)


def test_a_template_that_is_missing() -> None:
    """A hash that refers to a template which the dump does not have cannot be passed over."""
    data = w.dump("REDIS0015", w.record(32, b"a", w.length(9) + w.string(b"b")))
    assert "the dump is damaged at byte 12: a hash of template 9, which is not in the dump" == str(
        entries(data)
    )


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_dump_changed_anywhere(path: Path) -> None:
    """Bytes of what real servers wrote, changed by chance."""
    data = path.read_bytes()
    chance = random.Random(3)
    for _ in range(150):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 10))):
            changed[chance.randrange(9, len(data))] = chance.choice((0, 255, chance.randrange(256)))
        entries(bytes(changed))
