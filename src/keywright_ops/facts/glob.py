"""Key patterns as servers read them (`user:*`, `h?llo`, `h[a-e]llo`), for where no server matches."""

import re
from collections.abc import Callable


def glob_matcher(pattern: bytes) -> Callable[[bytes], object]:
    """Return what tells whether a key matches the whole pattern; every octet counts as one character."""
    return re.compile(b"(?:" + _expression(pattern) + rb")\Z", re.DOTALL).match


def _expression(pattern: bytes) -> bytes:
    parts: list[bytes] = []
    place = 0
    while place < len(pattern):
        sign = pattern[place : place + 1]
        place += 1
        if sign == b"*":
            while pattern[place : place + 1] == b"*":  # many stars are one: no catastrophe
                place += 1
            parts.append(b".*")
        elif sign == b"?":
            parts.append(b".")
        elif sign == b"[":
            choice, place = _choice(pattern, place)
            parts.append(choice)
        elif sign == b"\\" and place < len(pattern):
            parts.append(re.escape(pattern[place : place + 1]))
            place += 1
        else:
            parts.append(re.escape(sign))
    return b"".join(parts)


def _choice(pattern: bytes, place: int) -> tuple[bytes, int]:
    """The characters between [ and ], and where the pattern goes on; without ] the rest are they."""
    negated = pattern[place : place + 1] == b"^"
    place += negated
    members = bytearray()
    while place < len(pattern) and pattern[place] != 0x5D:  # ]
        if pattern[place] == 0x5C and place + 1 < len(pattern):  # backslash
            members.append(pattern[place + 1])
            place += 2
        elif place + 2 < len(pattern) and pattern[place + 1] == 0x2D:  # a-z
            first, last = sorted((pattern[place], pattern[place + 2]))
            members.extend(range(first, last + 1))
            place += 3
        else:
            members.append(pattern[place])
            place += 1
    listed = b"".join(b"\\x%02x" % each for each in sorted(set(members)))
    if not listed:
        return (b"." if negated else b"(?!)"), place + 1
    return b"[" + (b"^" if negated else b"") + listed + b"]", place + 1
