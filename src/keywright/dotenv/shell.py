"""How a POSIX shell reads `set -a; . ./file`, as far as a value stays plain text.

A shell runs the file. Where more than an assignment would happen (a command, a substitution, a
pattern) this reader refuses instead of guessing. Source: POSIX.1-2017, XCU 2.2 and 2.6; held
against /bin/sh by a test.
"""

import re

from keywright.dotenv.reading import Entry, Lookup, Reading, Refusal, line_of

_NAME = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=")
_VARIABLE = re.compile(
    r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}$`\"'\\]*))?\})"
)
_META = ";&|<>()"
_SPECIAL = "@*#?-$!0123456789{(`'\""


def read_shell(text: str, environment: Lookup) -> Reading:
    """Read as /bin/sh does after `set -a`; earlier lines win over `environment` in $NAME."""
    entries: dict[str, Entry] = {}
    around = dict(environment)
    at = 0
    try:
        if "\0" in text:
            raise Refusal("it holds a NUL, so it is not text")
        while at < len(text):
            if text[at] in " \t\n":
                at += 1
            elif text[at] == "#":
                at = _line_end(text, at)
            else:
                line = line_of(text, at)
                found = _NAME.match(text, at)
                if not found:
                    raise Refusal(f"line {line} would run as a command")
                value, at, names = _word(text, found.end(), around, line)
                around[found[1]] = value
                entries.pop(found[1], None)
                entries[found[1]] = Entry(found[1], value, line, names)
                at = _after(text, at, line)
    except Refusal as refusal:
        return Reading(refused=str(refusal))
    return Reading(tuple(entries.values()))


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _after(text: str, at: int, line: int) -> int:
    """Nothing but blanks and a comment may follow a value: anything else would be a command."""
    start = at
    while at < len(text) and text[at] in " \t":
        at += 1
    if at < len(text) and text[at] == "#" and at > start:
        return _line_end(text, at)
    if at < len(text) and text[at] != "\n":
        raise Refusal(f"line {line} goes on after its value, which would run as a command")
    return at


def _word(text: str, at: int, around: Lookup, line: int) -> tuple[str, int, tuple[str, ...]]:
    value, start = "", at
    names: list[str] = []
    while at < len(text) and text[at] not in " \t\n":
        char = text[at]
        if char == "'":
            end = text.find("'", at + 1)
            if end < 0:
                raise Refusal(f"line {line} opens a quotation mark that is never closed")
            value, at = value + text[at + 1 : end], end + 1
        elif char == '"':
            part, at = _double(text, at + 1, around, line, names)
            value += part
        elif char == "\\" and at + 1 < len(text):
            value, at = value + text[at + 1].replace("\n", ""), at + 2
        elif char == "$":
            part, at = _dollar(text, at, around, line, names)
            value += part
        elif char in _META or char == "`" or (char == "~" and (at == start or text[at - 1] == ":")):
            raise Refusal(f"line {line} has a bare {char}, which the shell acts on")
        else:
            value, at = value + char, at + 1
    return value, at, tuple(names)


def _double(text: str, at: int, around: Lookup, line: int, names: list[str]) -> tuple[str, int]:
    value = ""
    while at < len(text) and text[at] != '"':
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            follower = text[at + 1]
            value += follower.replace("\n", "") if follower in '$`"\\\n' else char + follower
            at += 2
        elif char == "$":
            part, at = _dollar(text, at, around, line, names)
            value += part
        elif char == "`":
            raise Refusal(f"line {line} has a `, which runs a command")
        else:
            value, at = value + char, at + 1
    if at >= len(text):
        raise Refusal(f"line {line} opens a quotation mark that is never closed")
    return value, at + 1


def _dollar(text: str, at: int, around: Lookup, line: int, names: list[str]) -> tuple[str, int]:
    if found := _VARIABLE.match(text, at):
        name = found[1] or found[2]
        names.append(name)
        return around.get(name) or found[3] or "", found.end()
    if text[at + 1 : at + 2] in tuple(_SPECIAL):
        raise Refusal(f"line {line} has a $ that the shell acts on")
    return "$", at + 1
