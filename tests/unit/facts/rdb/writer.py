"""Assembles dumps from the description of the format, so that versions are read whose servers are not here.

It shares nothing with the reader: lengths, strings and packed forms are written out here once more.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

NINE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def length(number: int) -> bytes:
    """A length in its shortest form."""
    if number < 1 << 6:
        return bytes([number])
    if number < 1 << 14:
        return bytes([0x40 | number >> 8, number & 0xFF])
    if number < 1 << 32:
        return b"\x80" + number.to_bytes(4, "big")
    return b"\x81" + number.to_bytes(8, "big")


def string(text: bytes) -> bytes:
    """A string as it is."""
    return length(len(text)) + text


def integer(number: int) -> bytes:
    """A string of digits as an integer of 1, 2 or 4 bytes."""
    for kind, code in ((0xC0, "<b"), (0xC1, "<h"), (0xC2, "<i")):
        if -(1 << 8 * struct.calcsize(code) - 1) <= number < 1 << 8 * struct.calcsize(code) - 1:
            return bytes([kind]) + struct.pack(code, number)
    raise ValueError(number)


def squeeze(text: bytes) -> bytes:
    """A string compressed by LZF, in the plainest way: literals, and repetitions of the last byte."""
    out, at = bytearray(), 0
    while at < len(text):
        run = 1
        while at + run < len(text) and text[at + run] == text[at] and run < 264:
            run += 1
        out += bytes([0, text[at]])
        if run > 3:
            again = run - 1 - 2
            out += bytes([again << 5, 0]) if again < 7 else bytes([7 << 5, again - 7, 0])
            at += run
        else:
            at += 1
    return b"\xc3" + length(len(out)) + length(len(text)) + bytes(out)


def listpack(elements: Sequence[bytes | int]) -> bytes:
    """A listpack; integers up to 13 bits in their short forms."""
    body = b""
    parts = []
    for element in elements:
        if isinstance(element, int):
            if 0 <= element < 128:
                part = bytes([element])
            elif -4096 <= element < 4096:
                part = (0xC000 | element & 0x1FFF).to_bytes(2, "big")
            elif -(2**31) <= element < 2**31:
                part = b"\xf3" + struct.pack("<i", element)
            else:
                part = b"\xf4" + struct.pack("<q", element)
        elif len(element) < 64:
            part = bytes([0x80 | len(element)]) + element
        elif len(element) < 4096:
            part = (0xE000 | len(element)).to_bytes(2, "big") + element
        else:
            part = b"\xf0" + struct.pack("<I", len(element)) + element
        parts.append(part + _backwards(len(part)))
    body = b"".join(parts)
    return struct.pack("<IH", 7 + len(body), min(len(elements), 65535)) + body + b"\xff"


def _backwards(size: int) -> bytes:
    """An element's size, seven bits a byte, the lowest last; all but the first byte have the top bit."""
    groups = [size & 0x7F]
    while size := size >> 7:
        groups.append(size & 0x7F)
    first, *rest = reversed(groups)
    return bytes([first, *(0x80 | each for each in rest)])


def ziplist(elements: Sequence[bytes | int]) -> bytes:
    """A ziplist; integers of 64, 16, 8 and 4 bits."""
    body, before, last = bytearray(), 0, 10
    for element in elements:
        head = bytes([before]) if before < 254 else b"\xfe" + struct.pack("<I", before)
        if isinstance(element, int):
            if 0 <= element <= 12:
                part = bytes([0xF1 + element])
            elif -128 <= element < 128:
                part = b"\xfe" + struct.pack("<b", element)
            elif -(2**15) <= element < 2**15:
                part = b"\xc0" + struct.pack("<h", element)
            else:
                part = b"\xe0" + struct.pack("<q", element)
        elif len(element) < 64:
            part = bytes([len(element)]) + element
        elif len(element) < 1 << 14:
            part = (0x4000 | len(element)).to_bytes(2, "big") + element
        else:
            part = b"\x80" + struct.pack(">I", len(element)) + element
        last = 10 + len(body)
        body += head + part
        before = len(head + part)
    return (
        struct.pack("<IIH", 11 + len(body), last, min(len(elements), 65535)) + bytes(body) + b"\xff"
    )


def intset(numbers: Sequence[int]) -> bytes:
    """An intset of 2, 4 or 8 bytes a number."""
    widest = max(abs(number) for number in numbers)
    width = 2 if widest < 2**15 else 4 if widest < 2**31 else 8
    packed = b"".join(each.to_bytes(width, "little", signed=True) for each in sorted(numbers))
    return struct.pack("<II", width, len(numbers)) + packed


def zipmap(pairs: Sequence[tuple[bytes, bytes]], slack: int = 0) -> bytes:
    """A zipmap; each value with some bytes of slack after it."""
    body = b"".join(
        _zipmap_length(name) + name + _zipmap_length(value) + bytes([slack]) + value + b"?" * slack
        for name, value in pairs
    )
    return bytes([min(len(pairs), 254)]) + body + b"\xff"


def _zipmap_length(text: bytes) -> bytes:
    return bytes([len(text)]) if len(text) < 254 else b"\xfe" + struct.pack("<I", len(text))


def score_text(score: str) -> bytes:
    """A score in digits."""
    special = {"nan": b"\xfd", "inf": b"\xfe", "-inf": b"\xff"}
    return special.get(score) or bytes([len(score)]) + score.encode()


def module_number(name: str, version: int = 1) -> int:
    """A module type's number."""
    number = 0
    for letter in name:
        number = number << 6 | NINE.index(letter)
    return number << 10 | version


def parts(*values: int | float | bytes) -> bytes:
    """A module's parts, and their end."""
    out = b""
    for value in values:
        if isinstance(value, int):
            out += length(2) + length(value)
        elif isinstance(value, float):
            out += length(4) + struct.pack("<d", value)
        else:
            out += length(5) + string(value)
    return out + b"\x00"


def stream_id(ms: int, seq: int) -> bytes:
    """An entry's id where it stands as 16 bytes."""
    return struct.pack(">QQ", ms, seq)


class Pending(NamedTuple):
    """A group with one consumer that holds the entries with these numbers, and what was given back."""

    name: bytes
    held: Sequence[int]
    given_back: Sequence[int] = ()


def stream(version: int, entries: int, groups: Sequence[Pending] = ()) -> bytes:
    """A stream of entries 1-0, 2-0 … with one field `f`, as that version of it writes it."""
    nodes = []
    if entries:
        elements: list[bytes | int] = [entries, 0, 1, b"f", 0]
        for number in range(entries):
            elements += [2, number, 0, b"v", 4]
        nodes = [string(stream_id(1, 0)) + string(listpack(elements))]
    out = length(len(nodes)) + b"".join(nodes) + length(entries) + length(entries) + length(0)
    if version > 1:
        out += length(1) + length(0) + length(0) + length(0) + length(entries)
    out += length(len(groups)) + b"".join(_group(version, each) for each in groups)
    if version > 3:
        out += length(100) + length(100) + length(1) + string(b"producer") + length(2)
        out += b"".join(string(b"message:%d" % n) + length(n) + length(0) for n in (1, 2))
        out += length(2) + length(0)
    return out


def _group(version: int, group: Pending) -> bytes:
    out = string(group.name) + length(9) + length(0) + (length(9) if version > 1 else b"")
    pending = [*group.held, *group.given_back]
    out += length(len(pending))
    for number in pending:
        out += stream_id(number, 0) + struct.pack("<q", 1_700_000_000_000) + length(1)
    out += length(1) + string(b"consumer") + struct.pack("<q", 1_700_000_000_000)
    out += struct.pack("<q", 1_700_000_000_000) if version > 2 else b""
    out += length(len(group.held)) + b"".join(stream_id(number, 0) for number in group.held)
    if version > 4:
        out += length(len(group.given_back))
        out += b"".join(stream_id(number, 0) for number in group.given_back)
    return out


def crc64(data: bytes) -> int:
    """The checksum, bit by bit."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x95AC9329AC4BC9B5 if value & 1 else 0)
    return value


def dump(magic: str, body: bytes, checksum: bool = True) -> bytes:
    """A whole dump: REDIS0009 or VALKEY080, the body, the end; 0 in place of the checksum if not wanted."""
    data = magic.encode() + body + b"\xff"
    if int(magic.strip("REDISVALKY")) < 5:
        return data
    return data + (crc64(data) if checksum else 0).to_bytes(8, "little")


def record(form: int, key: bytes, value: bytes) -> bytes:
    """A key with its value."""
    return bytes([form]) + string(key) + value


def expire_ms(until: int) -> bytes:
    """When the next key expires."""
    return b"\xfc" + struct.pack("<q", until)


def expire(until: int) -> bytes:
    """When the next key expires, in seconds."""
    return b"\xfd" + struct.pack("<i", until)


def database(number: int) -> bytes:
    """The database of the keys after it."""
    return b"\xfe" + length(number)


def field(name: bytes, value: bytes) -> bytes:
    """What the server says of itself; `value` as a string of a dump."""
    return b"\xfa" + string(name) + value
