"""How systemd reads `EnvironmentFile=`: its own quotes and backslashes, nothing expanded.

Source: systemd, src/basic/env-file.c and man systemd.exec; held against libsystemd-shared 252 by a
test. Since systemd 254 a comment that ends with a backslash no longer runs on.
"""

import re
from collections.abc import Iterator

from keywright.dotenv.reading import Entry, Lookup, Reading, Refusal, Skipped, line_of

_BLANK = " \t\n\r"
_END = "\n\r"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPED_IN_DOUBLE = '"\\`$'


def read_systemd(text: str, environment: Lookup) -> Reading:
    """Read as `EnvironmentFile=` does. `environment` is not looked at: nothing is expanded."""
    del environment
    entries: dict[str, Entry] = {}
    skipped = []
    try:
        if "\0" in text:
            raise Refusal("it holds a NUL, so it is not text")
        for name, value, position in _pairs(text):
            line = line_of(text, position)
            if any(_not_a_character(ord(each)) for each in name + value):
                raise Refusal(f"line {line} holds a code point that is no character")
            if _NAME.fullmatch(name):
                entries.pop(name, None)
                entries[name] = Entry(name, value, line)
            else:
                blank = "export" if name.split()[:1] == ["export"] else "a name that is none"
                skipped.append(Skipped(line, f"it has {blank} before ="))
    except Refusal as refusal:
        return Reading(refused=str(refusal))
    return Reading(tuple(entries.values()), tuple(skipped))


def _not_a_character(code: int) -> bool:
    return 0xD800 <= code <= 0xDFFF or 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def _pairs(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield name, value and where the name begins."""
    at = 0
    while at < len(text):
        if text[at] in _BLANK:
            at += 1
        elif text[at] in "#;":
            at = _after_comment(text, at)
        else:
            start, at = at, at + 1  # an = at a line's start is the first letter of a name
            while at < len(text) and text[at] not in _END + "=":
                at += 1
            if at < len(text) and text[at] == "=":
                name = text[start:at].rstrip(_BLANK)
                value, at = _value(text, at + 1)
                yield name, value, start


def _after_comment(text: str, at: int) -> int:
    while at < len(text) and text[at] not in _END:
        at += 2 if text[at] == "\\" else 1
    return at


def _value(text: str, at: int) -> tuple[str, int]:
    """Read a value; quotes count only before the first bare character of it."""
    value = ""
    while at < len(text) and text[at] not in _END:
        char = text[at]
        if char == "'":
            end = text.find("'", at + 1)
            end = len(text) if end < 0 else end
            value, at = value + text[at + 1 : end], end + 1
        elif char == '"':
            part, at = _double(text, at + 1)
            value += part
        elif char in _BLANK:
            at += 1
        else:
            part, at = _bare(text, at)
            return value + part, at
    return value, at


def _double(text: str, at: int) -> tuple[str, int]:
    value = ""
    while at < len(text) and text[at] != '"':
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            at += 1
            if text[at] in _ESCAPED_IN_DOUBLE:
                value += text[at]
            elif text[at] != "\n":
                value += "\\" + text[at]
        elif char != "\\":
            value += char
        at += 1
    return value, at + 1


def _bare(text: str, at: int) -> tuple[str, int]:
    value, kept = "", 0  # `kept`: how much of the value stays when blanks at its end are cut
    while at < len(text) and text[at] not in _END:
        if text[at] == "\\":
            at += 1
            if at < len(text) and text[at] not in _END:
                value += text[at]
            kept = len(value)
        else:
            value += text[at]
            kept = kept if text[at] in _BLANK else len(value)
        at += 1
    return value[:kept], at
