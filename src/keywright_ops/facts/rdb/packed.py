"""How many elements the packed forms hold: listpack, ziplist, intset, zipmap; each is one string of a dump.

The first three begin with their count, so of a compressed one only the beginning is decompressed. Where
a listpack or ziplist says 65535 (more than its two bytes can say) and in a zipmap over 253 pairs, the
elements are walked.
"""

from collections.abc import Callable

from keywright_ops.facts.rdb.damage import damaged
from keywright_ops.facts.rdb.strings import Data, beginning, read_string

MANY = 0xFFFF
ALL = 1 << 62


def count_listpack(data: Data, at: int) -> tuple[int, int]:
    """Return the elements of the listpack at `at`, and where it ends. Total 4 bytes, count 2, elements."""
    first = data[at]
    if first < 0x40:
        inside, end = at + 1, at + 1 + first
    elif first < 0x80:
        inside = at + 2
        end = inside + ((first & 0x3F) << 8 | data[at + 1])
    else:
        return _count_slowly(data, at, 6, _listpack_step)
    count = data[inside + 4] | data[inside + 5] << 8
    if count == MANY or end < inside + 6:
        return _count_slowly(data, at, 6, _listpack_step)
    return count, end


def count_ziplist(data: Data, at: int) -> tuple[int, int]:
    """Return the elements of the ziplist at `at`, and where it ends. Total 4 bytes, tail 4, count 2."""
    first = data[at]
    if first < 0x40:
        inside, end = at + 1, at + 1 + first
    elif first < 0x80:
        inside = at + 2
        end = inside + ((first & 0x3F) << 8 | data[at + 1])
    else:
        return _count_slowly(data, at, 10, _ziplist_step)
    count = data[inside + 8] | data[inside + 9] << 8
    if count == MANY or end < inside + 10:
        return _count_slowly(data, at, 10, _ziplist_step)
    return count, end


def _count_slowly(
    data: Data, at: int, head: int, step: Callable[[bytes, int], int]
) -> tuple[int, int]:
    """Count a listpack or ziplist that is long, compressed, or has more elements than its head can say."""
    text, end = beginning(data, at, head)
    if len(text) < head:
        raise damaged("a packed value without its head", at)
    count = text[head - 2] | text[head - 1] << 8
    return (count if count != MANY else _walk(data, at, head, step)), end


def count_intset(data: Data, at: int) -> tuple[int, int]:
    """Return the members of the intset at `at`, and where it ends. Width 4 bytes, count 4, numbers."""
    head, end = beginning(data, at, 8)
    if len(head) < 8:
        raise damaged("an intset without its head", at)
    return int.from_bytes(head[4:8], "little"), end


def count_zipmap(data: Data, at: int) -> tuple[int, int]:
    """Return the pairs of the zipmap at `at`, and where it ends. Count 1 byte (up to 253), then pairs."""
    head, end = beginning(data, at, 1)
    if not head:
        raise damaged("a zipmap without its head", at)
    return (head[0] if head[0] < 254 else _walk(data, at, 1, _zipmap_step)), end


def _walk(data: Data, at: int, head: int, step: Callable[[bytes, int], int]) -> int:
    """Count the elements up to the closing 255."""
    text, _ = read_string(data, at)
    inside, count = head, 0
    try:
        while text[inside] != 0xFF:
            inside = step(text, inside)
            count += 1
    except IndexError:
        raise damaged("a packed value without its end", at) from None
    return count


def _listpack_step(text: bytes, at: int) -> int:
    """Return where the next element begins: a head, its content, and its own length once more."""
    first = text[at]
    if first < 0x80:
        size = 1
    elif first < 0xC0:
        size = 1 + (first & 0x3F)
    elif first < 0xE0:
        size = 2
    elif first < 0xF0:
        size = 2 + ((first & 0x0F) << 8 | text[at + 1])
    elif first == 0xF0:
        size = 5 + int.from_bytes(text[at + 1 : at + 5], "little")
    else:
        size = {0xF1: 3, 0xF2: 4, 0xF3: 5, 0xF4: 9}.get(first, ALL)
    backwards = 1  # seven bits a byte
    while size >> 7 * backwards:
        backwards += 1
    return at + size + backwards


def _ziplist_step(text: bytes, at: int) -> int:
    """Return where the next element begins: the length of the one before, a head, its content."""
    at += 1 if text[at] < 0xFE else 5
    first = text[at]
    if first < 0x40:
        return at + 1 + first
    if first < 0x80:
        return at + 2 + ((first & 0x3F) << 8 | text[at + 1])
    if first < 0xC0:
        return at + 5 + int.from_bytes(text[at + 1 : at + 5], "big")
    return at + 1 + {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}.get(first, 0)


def _zipmap_step(text: bytes, at: int) -> int:
    """Return where the next pair begins: length and key, length, a byte of slack, value, the slack."""
    for slack in (False, True):
        length, at = text[at], at + 1
        if length == 0xFE:
            length, at = int.from_bytes(text[at : at + 4], "little"), at + 4
        at += length + (1 + text[at] if slack else 0)
    return at
