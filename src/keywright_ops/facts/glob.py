"""The server's own patterns for names (KEYS, SCAN MATCH) as a regular expression over bytes. Pure."""

import re


def parse_glob(pattern: str) -> re.Pattern[bytes]:
    """Return what matches exactly the names that the server's pattern matches: * ? [a-z] [^a] \\*."""
    raw = pattern.encode("utf-8", "surrogateescape")
    found = []
    at = 0
    while at < len(raw):
        char = raw[at : at + 1]
        at += 1
        if char == b"*":
            found.append(b".*")
        elif char == b"?":
            found.append(b".")
        elif char == b"[":
            piece, at = _choice(raw, at)
            found.append(piece)
        elif char == b"\\" and at < len(raw):
            found.append(re.escape(raw[at : at + 1]))
            at += 1
        else:
            found.append(re.escape(char))
    return re.compile(b"".join(found), re.DOTALL)


def _choice(raw: bytes, at: int) -> tuple[bytes, int]:
    """Read what stands in brackets; a bracket that is never closed ends with the pattern."""
    negated = raw[at : at + 1] == b"^"
    at += negated
    allowed: set[int] = set()
    while at < len(raw) and raw[at] != 0x5D:
        if raw[at] == 0x5C and at + 1 < len(raw):
            allowed.add(raw[at + 1])
            at += 2
        elif raw[at + 1 : at + 2] == b"-" and at + 2 < len(raw):
            low, high = sorted((raw[at], raw[at + 2]))
            allowed.update(range(low, high + 1))
            at += 3
        else:
            allowed.add(raw[at])
            at += 1
    chosen = set(range(256)) - allowed if negated else allowed
    if not chosen:
        return b"(?!)", at + 1
    return b"[" + b"".join(re.escape(bytes((each,))) for each in sorted(chosen)) + b"]", at + 1


def glob_of(text: str) -> str:
    """Return the pattern that means these very characters."""
    return "".join("\\" + each if each in "*?[]\\" else each for each in text)
