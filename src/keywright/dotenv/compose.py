"""How Docker Compose v2 reads `.env` and `env_file:`: quotes, escapes, `$NAME` and `${NAME…}`.

Source: compose-spec/compose-go v2, dotenv/parser.go and template/template.go; held against
Docker Compose 2.40 by a test where it is installed.
"""

import re

from keywright.dotenv.docker import _GO_SPACE as GO_SPACE
from keywright.dotenv.reading import Entry, Lookup, Reading, Refusal, Skipped, line_of

_BLANKS = "\t\v\f\r \x85\xa0"
_EXPORT = re.compile(r"export[\t\n\f\r ]+")
_ESCAPE = re.compile(r'\\(?:[abcfnrtv$"\\]|0\d{0,3})', re.ASCII)
_PLAIN_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    '"': '"', "\\": "\\", "$": "$$",
}  # fmt: skip
# Letters of any case, as the tool compares them: the long s and the Kelvin sign count too.
_NAME = r"[_a-zA-Z\u017f\u212a][_a-zA-Z0-9\u017f\u212a]*"
_VARIABLE = re.compile(
    rf"\$(?:(?P<escaped>\$)|(?P<named>{_NAME})|\{{(?:(?P<braced>{_NAME}(?::?[-+?].*)?)\}})?)"
)
_BRACED = re.compile(rf"(?P<name>{_NAME})(?:(?P<how>:?[-+?])(?P<word>.*))?", re.DOTALL)


def read_compose(text: str, environment: Lookup) -> Reading:
    """Read as Docker Compose v2 does; in `${NAME}`, `environment` wins over the file."""
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    text = text.removeprefix("\ufeff")
    seen: dict[str, str] = {}
    at = 0
    try:
        while (at := _statement(text, at)) < len(text):
            line = line_of(text, at)
            name, at, inherited = _key(text, at)
            if inherited:
                if name in environment:
                    entries.append(Entry(name, environment[name], line))
                continue
            value, at, names = _value(text, at, {**seen, **environment})
            if not name:
                skipped.append(Skipped(line, "it has no name"))
                continue
            seen[name] = value
            entries.append(Entry(name, value, line, names))
    except Refusal as refusal:
        return Reading(refused=str(refusal))
    return Reading(tuple(entries), tuple(skipped))


def _statement(text: str, at: int) -> int:
    """Go past white space and comment lines."""
    while at < len(text):
        if text[at] in GO_SPACE:
            at += 1
        elif text[at] == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        else:
            break
    return at


def _key(text: str, at: int) -> tuple[str, int, bool]:
    """Read a name up to = or : (or the line's end: then the value comes from outside)."""
    line = line_of(text, at)
    if found := _EXPORT.match(text, at):
        at = found.end()
    for end in range(at, len(text)):
        char = text[end]
        if char in "=:\n":
            name = text[at:end].rstrip(GO_SPACE)
            if " " in name:
                raise Refusal(f"line {line} has a blank in the name")
            after = end + 1
            while after < len(text) and text[after] in _BLANKS:
                after += 1
            return name, after, char == "\n"
        if char not in _BLANKS and char not in "_.-[]" and not char.isalnum():
            raise Refusal(f"line {line} has a character in the name that none can have")
    return "", at, False


def _value(text: str, at: int, around: Lookup) -> tuple[str, int, tuple[str, ...]]:
    line = line_of(text, at)
    quote = text[at : at + 1]
    if quote not in ("'", '"'):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        value = text[at:end].partition(" #")[0].rstrip(GO_SPACE)
        return (*_substituted(value, around, line, end + 1),)
    value, at = _quoted(text, at + 1, quote, line)
    if quote == "'":
        return value, at, ()
    return (*_substituted(_ESCAPE.sub(_unescaped, value), around, line, at),)


def _substituted(
    value: str, around: Lookup, line: int, at: int
) -> tuple[str, int, tuple[str, ...]]:
    names: list[str] = []
    put = _substitute(value, around, line, names)
    return put, at, tuple(names)


def _quoted(text: str, at: int, quote: str, line: int) -> tuple[str, int]:
    value = ""
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            value += text[at + 1] if text[at + 1] == quote else text[at : at + 2]
            at += 2
        elif text[at] == quote:
            return value, at + 1
        else:
            value += text[at]
            at += 1
    raise Refusal(f"line {line} opens a quotation mark that is never closed")


def _unescaped(found: re.Match[str]) -> str:
    body = found[0][1:]
    if body in _PLAIN_ESCAPES:
        return _PLAIN_ESCAPES[body]
    if body[0] != "0":
        return found[0]
    digits = body[1:]  # after \0 the tool wants exactly three octal ones, and else drops the 0
    code = int(digits, 8) if len(digits) == 3 and not set(digits) - set("01234567") else 256
    return chr(code) if code < 256 else "\\" + digits


def _substitute(text: str, around: Lookup, line: int, names: list[str]) -> str:
    def put(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        if found["named"]:
            names.append(found["named"])
            return around.get(found["named"], "")
        if not found["braced"]:
            raise Refusal(f"line {line} has a ${{ that names no variable")
        return _braced(found[0], around, line, names)

    return _VARIABLE.sub(put, text)


def _braced(whole: str, around: Lookup, line: int, names: list[str]) -> str:
    """Put `${NAME}`, `${NAME:-word}`, `-`, `:+`, `+`, `:?`, `?` in place; words may nest."""
    close = _closing(whole)
    inside, rest = whole[2:close], whole[close + 1 :]
    found = _BRACED.fullmatch(inside)
    if not found:
        raise Refusal(f"line {line} has a ${{ that is not closed")
    name, how, word = found["name"], found["how"] or "", found["word"] or ""
    names.append(name)
    value = around.get(name)
    there = value is not None if len(how) == 1 else bool(value)
    if how.endswith("?") and not there:
        raise Refusal(f"line {line} requires {name}, which is not set")
    if how.endswith("-") and not there:
        value = _substitute(word, around, line, names)
    elif how.endswith("+"):
        value = _substitute(word, around, line, names) if there else ""
    return (value or "") + _substitute(rest, around, line, names)


def _closing(text: str) -> int:
    depth = 0
    for at, char in enumerate(text):
        if char == "{" and text[at - 1 : at] == "$":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return at
    return len(text) - 1
