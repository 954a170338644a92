"""Lengths and strings as a dump writes them: their ends without their content, or the content where it
is needed.

A length's first two bits say how it goes on: 00 six bits, 01 fourteen bits, 10 the 32 or 64 bits after
it (big-endian), 11 no length but a string of a special kind: an integer of 1, 2 or 4 bytes (little-endian,
the string's decimal digits), or bytes compressed by LZF. What lies beyond the end raises IndexError,
which the reader turns into a sentence; slices do not, so whoever slices compares with the end.
"""

from mmap import mmap

from keywright_ops.facts.rdb.damage import damaged

Data = bytes | mmap

INTEGERS = {0xC0: 1, 0xC1: 2, 0xC2: 4}  # a string's first byte: how many bytes its number has
LZF = 0xC3


def read_length(data: Data, at: int) -> tuple[int, int]:
    """Return the length that begins at `at`, and where it ends."""
    first = data[at]
    if first < 0x40:
        return first, at + 1
    if first < 0x80:
        return (first & 0x3F) << 8 | data[at + 1], at + 2
    if first == 0x80:
        return int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
    if first == 0x81:
        return int.from_bytes(data[at + 1 : at + 9], "big"), at + 9
    raise damaged(f"byte {first} begins no length", at)


def skip_lengths(data: Data, at: int, count: int) -> int:
    """Return where `count` lengths end."""
    for _ in range(count):
        first = data[at]
        at += 1 if first < 0x40 else 2 if first < 0x80 else read_length(data, at)[1] - at
    return at


def skip_strings(data: Data, at: int, count: int) -> int:
    """Return where `count` strings end."""
    while count > 0:
        first = data[at]
        if first < 0x40:
            at += first + 1
        elif first < 0x80:
            at += ((first & 0x3F) << 8 | data[at + 1]) + 2
        else:
            at = place(data, at)[1]
        count -= 1
    return at


def place(data: Data, at: int) -> tuple[int, int]:
    """Return where the bytes of the string at `at` begin and end; compressed ones as they lie there."""
    first = data[at]
    if first < 0xC0:
        length, start = read_length(data, at)
        return start, start + length
    if first in INTEGERS:
        return at + 1, at + 1 + INTEGERS[first]
    if first == LZF:
        stored, at = read_length(data, at + 1)
        _, start = read_length(data, at)
        return start, start + stored
    raise damaged(f"byte {first} begins no string", at)


def measure(data: Data, at: int) -> tuple[int, int]:
    """Return how many bytes the string at `at` has as the server answers it, and where it ends."""
    first = data[at]
    if first < 0xC0:
        length, start = read_length(data, at)
        return length, start + length
    if first == LZF:
        stored, at = read_length(data, at + 1)
        length, start = read_length(data, at)
        return length, start + stored
    start, end = place(data, at)
    return len(str(int.from_bytes(data[start:end], "little", signed=True))), end


def read_string(data: Data, at: int) -> tuple[bytes, int]:
    """Return the string at `at`, decompressed, and where it ends."""
    first = data[at]
    start, end = place(data, at)
    if first < 0xC0:
        return data[start:end], end
    if first == LZF:
        length = read_length(data, read_length(data, at + 1)[1])[0]
        text = decompress(data, start, end, length)
        if len(text) != length:
            raise damaged(f"a compressed string has {len(text)} bytes, not {length}", at)
        return text, end
    return str(int.from_bytes(data[start:end], "little", signed=True)).encode(), end


def beginning(data: Data, at: int, wanted: int) -> tuple[bytes, int]:
    """Return the first `wanted` bytes of the string at `at`, or fewer, and where the string ends.

    Of a compressed string only so much is decompressed.
    """
    start, end = place(data, at)
    if data[at] == LZF:
        return decompress(data, start, end, wanted)[:wanted], end
    return data[start : min(end, start + wanted)], end


def decompress(data: Data, at: int, end: int, wanted: int) -> bytes:
    """Return LZF bytes decompressed, up to the first step that gives `wanted` bytes.

    A control byte below 32 says how many literal bytes follow (one more than it says). Above, its upper
    three bits are the length of a repetition less 2 (7: the next byte is added), and its lower five with
    the byte after are how far back it begins, less 1. A repetition may overlap what it makes.
    """
    text = bytearray()
    while at < end and len(text) < wanted:
        control = data[at]
        at += 1
        if control < 32:
            text += data[at : at + control + 1]
            at += control + 1
            continue
        length = control >> 5
        if length == 7:
            length += data[at]
            at += 1
        back = (control & 31) << 8 | data[at]
        at += 1
        begun = len(text) - back - 1
        if begun < 0:
            raise damaged("a compressed string repeats what is not there", at)
        for place_of in range(begun, begun + length + 2):
            text.append(text[place_of])
    return bytes(text)
