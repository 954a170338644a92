"""How python-dotenv reads, in its present form and as docker-compose 1.29 carries it.

Source: python-dotenv, parser.py and variables.py; held against the installed package, and against
docker-compose 1.29 where it is installed, by tests. Both put `${NAME}` and `${NAME:-default}` in
place everywhere, single quotes included; nothing escapes that.
"""

import codecs
import re

from keywright.dotenv.reading import Entry, Lookup, Reading, Skipped, line_of

# Nothing follows in this pattern, so it never goes back to take `export` itself for a name. (Possessive
# quantifiers would say so, but Python 3.11.2, which is Debian 12's, does not read them rightly.)
_FRONT = re.compile(r"\s*(?:export[^\S\n]+)?")
_KEY = re.compile(r"(?:'(?P<quoted>[^']+)'|(?!')(?P<plain>[^=#\s]+))[^\S\n]*")
_TAIL = re.compile(r"(?:[^\S\n]*#[^\n]*)?[^\S\n]*(?:\n|$)")
_REST = re.compile(r"[^\n]*\n?")
_BLANKS = re.compile(r"[^\S\n]*")
# Up to python-dotenv 1.1 a backslash before a backslash did not protect the quote after it.
_SINGLE = re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL)
_DOUBLE = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_SINGLE_BEFORE = re.compile(r"'((?:\\'|[^'])*)'")
_DOUBLE_BEFORE = re.compile(r'"((?:\\"|[^"])*)"')
_SINGLE_ESCAPE = re.compile(r"\\[\\']")
_DOUBLE_ESCAPE = re.compile(r"\\[\\'\"abfnrtv]")
_VARIABLE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")


def read_dotenv(text: str, environment: Lookup) -> Reading:
    """Read as `dotenv.load_dotenv()` does: in `${NAME}`, `environment` wins over the file."""
    return _read(text, environment, before=False)


def read_compose1(text: str, environment: Lookup) -> Reading:
    """Read as docker-compose 1.29 does: the file's own values win in `${NAME}`."""
    return _read(text, environment, before=True)


def _read(text: str, environment: Lookup, before: bool) -> Reading:
    text = re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    seen: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        start = at + len(text[at:]) - len(text[at:].lstrip())
        line = line_of(text, start)
        name, value, at, fits = _binding(text, at, before)
        if not fits:
            skipped.append(Skipped(line, "it is not NAME=value with at most a comment after it"))
            at = _end(_REST, text, at)
        elif name and value is None:
            # Not only without effect: it takes an earlier value of the same name away.
            skipped.append(Skipped(line, f"it has no = after {name}"))
            entries = [entry for entry in entries if entry.name != name]
            seen[name] = ""
        elif name and value is not None:
            around = {**environment, **seen} if before else {**seen, **environment}
            value, names = _expand(value, around)
            seen[name] = value
            entries.append(Entry(name, value, line, names))
    return Reading(tuple(entries), tuple(skipped))


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where a pattern that always matches ends."""
    found = pattern.match(text, at)
    return found.end() if found else at


def _binding(text: str, at: int, before: bool) -> tuple[str, str | None, int, bool]:
    """Read one NAME=value; return name, value, where to go on, and whether the line fits."""
    at = _end(_FRONT, text, at)
    name, value = "", None
    if text[at : at + 1] != "#":
        key = _KEY.match(text, at)
        if not key:
            return "", None, at, False
        name, at = key["quoted"] or key["plain"], key.end()
    if text[at : at + 1] == "=":
        start = at + 1
        at = _end(_BLANKS, text, start)
        value, at, fits = _value(text, at, at > start, before)
        if not fits:
            return "", None, at, False
    tail = _TAIL.match(text, at)
    return name, value, tail.end() if tail else at, tail is not None


def _value(text: str, at: int, gap: bool, before: bool) -> tuple[str, int, bool]:
    first = text[at : at + 1]
    if first == "#" and gap and not before:
        return "", at, True
    if first == "'" or first == '"':
        if first == "'":
            quoted, escapes = (_SINGLE_BEFORE if before else _SINGLE), _SINGLE_ESCAPE
        else:
            quoted, escapes = (_DOUBLE_BEFORE if before else _DOUBLE), _DOUBLE_ESCAPE
        found = quoted.match(text, at)
        if not found:
            return "", at, False
        decoded = escapes.sub(lambda each: codecs.decode(each[0], "unicode-escape"), found[1])
        return decoded, found.end(), True
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return re.sub(r"\s+#.*", "", text[at:end]).rstrip(), end, True


def _expand(value: str, around: Lookup) -> tuple[str, tuple[str, ...]]:
    names = tuple(found["name"] for found in _VARIABLE.finditer(value))
    put = _VARIABLE.sub(lambda found: around.get(found["name"], found["default"] or ""), value)
    return put, names
