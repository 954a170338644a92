"""Where the programs that read a .env file would disagree about it, as findings for a person.

Pure. A finding shows the beginning of a plain setting's value at most; the value of a secret, of a
variable that is not ours, and what follows a blank or a # are never shown.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from keywright.dotenv.dialects import TITLES, decode_file, read
from keywright.dotenv.reading import Reading
from keywright.errors import SettingsError
from keywright.fields import BY_NAME
from keywright.settings import Settings, masked
from keywright.suspicions import near_names

ERROR, WARNING, NOTE = "error", "warning", "note"

# Asked about unless told otherwise: what an application's .env meets in the guide's environments.
COMPARED = ("dotenv", "compose", "systemd", "docker")

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")


class Finding(NamedTuple):
    """One thing to know about a file. `line` counts from 1, or is 0 for the whole file; `level` is
    error, warning or note; `dialects` are those whose reading it is about."""

    level: str
    line: int
    name: str
    text: str
    hint: str
    dialects: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


def compare_dialects(
    content: str | bytes,
    environment: Mapping[str, str] | None = None,
    dialects: tuple[str, ...] = COMPARED,
) -> tuple[Finding, ...]:
    """Say where the programs read a .env file differently, refuse it, or would not start with it.

    `content` is the file (octets are checked to be UTF-8 text), `environment` what `${NAME}` may
    name. Findings come in the order of the lines; none at all means that every program of
    `dialects` reads the same, valid settings.
    """
    try:
        text = decode_file(content) if isinstance(content, bytes) else content
    except SettingsError as error:
        return (Finding(ERROR, 0, "", str(error), error.hint, dialects),)
    readings = {each: read(text, each, environment) for each in dialects}
    differ = list(_differences(readings, text.splitlines()))
    told = {finding.name for finding in differ}
    findings = [
        *_refusals(readings),
        *differ,
        *_duplicates(text),
        *_near_names(text),
        # Where readers differ, that is the cause of what one of them cannot use.
        *(each for each in _settings(readings, text) if each.name not in told),
    ]
    return tuple(sorted(findings, key=lambda each: each.line))


def _names(dialects: list[str] | tuple[str, ...]) -> str:
    return " and ".join(TITLES[each] for each in dialects)


def _refusals(readings: Mapping[str, Reading]) -> Iterator[Finding]:
    reasons: dict[str, list[str]] = {}
    for dialect, reading in readings.items():
        if reading.refused:
            reasons.setdefault(reading.refused, []).append(dialect)
    for why, dialects in reasons.items():
        found = re.match(r"line (\d+) (.*)", why)
        line, what = (int(found[1]), found[2]) if found else (0, why)
        verb = "refuses" if len(dialects) == 1 else "refuse"
        hint = "take `export` away" if "export" in what else "write the line so that all read it"
        text = f"{_names(dialects)} {verb} the whole file, because this line {what}"
        if not found:
            text = f"{_names(dialects)} {verb} the whole file: {what}"
        yield Finding(ERROR, line, "", text, hint, tuple(dialects))


def _differences(readings: Mapping[str, Reading], lines: list[str]) -> Iterator[Finding]:
    """Yield one finding for every name that two readers see differently."""
    able = {each: reading for each, reading in readings.items() if not reading.refused}
    ours = {found[1] for raw in lines if (found := _ASSIGNMENT.match(raw))}
    places: dict[str, int] = {}
    expanded: set[str] = set()
    for reading in able.values():
        for entry in reading.entries:
            places[entry.name] = max(places.get(entry.name, 0), entry.line)
            expanded |= {entry.name} if entry.expanded else set()
    values = {dialect: reading.values() for dialect, reading in able.items()}
    for name, line in places.items():
        groups: dict[str | None, list[str]] = {}
        for dialect, seen in values.items():
            groups.setdefault(seen.get(name), []).append(dialect)
        if len(groups) < 2:
            continue
        raw = lines[line - 1] if line <= len(lines) else ""
        hides = name in expanded or name not in BY_NAME or BY_NAME[name].secret
        said = "; ".join(
            f"{_shown(value, hides, number)} by {_names(dialects)}"
            for number, (value, dialects) in enumerate(groups.items(), 1)
        )
        why, hint = _cause(raw)
        level = ERROR if name in BY_NAME else WARNING
        # Text that stands at no line's beginning may be a part of some value: not shown either.
        what = name if name in ours or name in BY_NAME else "what stands here"
        text = f"{what} is read in {len(groups)} ways: {said}{why}"
        yield Finding(level, line, what if what == name else "", text, hint, tuple(values))


def _shown(value: str | None, hides: bool, number: int) -> str:
    """A value's beginning, up to its first blank or #; for what may be secret only a number."""
    if value is None:
        return "not at all"
    if value == "":
        return "as empty"
    if hides or "@" in value:
        return f"value {number} (not shown)"
    plain = re.match(r"[^\s#]{0,40}", value)
    begin = plain.group() if plain else ""
    return f"“{begin}”" if begin == value else f"“{begin} …”"


def _cause(raw: str) -> tuple[str, str]:
    """Why readers differ about a line, and what to write instead."""
    found = _ASSIGNMENT.match(raw)
    value = found[2] if found else raw
    if re.match(r"\s*export\s", raw):
        return " (`export` belongs to the shell)", "take `export` away"
    if re.search(r"\s#", value):
        return " (what follows # is a comment only to some)", "put the comment on its own line"
    if "$" in value:
        return " ($ begins a variable only to some)", (
            "write the value itself; `keywright env` writes it so that most programs read it"
        )
    if value.strip()[:1] in ("'", '"') and value.strip():
        return " (quotation marks are part of the value to `docker run --env-file`)", (
            "write the value without quotation marks, or do not give this file to that program"
        )
    if "\\" in value:
        return " (a backslash is a character to some, an escape to others)", (
            "choose a value without a backslash, or do not share this file"
        )
    if value != value.strip():
        return " (blanks around a value are kept by some)", "take the blanks away"
    return "", "write NAME=value, one on a line, without blanks around ="


def _duplicates(text: str) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        if found := _ASSIGNMENT.match(raw):
            if found[1] in first:
                said = f"{found[1]} stands here again, first in line {first[found[1]]}"
                yield Finding(
                    WARNING, number, found[1], f"{said}; the last one counts", "keep one of the two"
                )
            first.setdefault(found[1], number)


def _near_names(text: str) -> Iterator[Finding]:
    for number, raw in enumerate(text.splitlines(), 1):
        found = _ASSIGNMENT.match(raw)
        for name, meant in near_names([found[1]] if found else []):
            said = f"{name} is read by nobody: {meant} was probably meant"
            yield Finding(WARNING, number, name, said, f"write {meant}=…")


def _settings(readings: Mapping[str, Reading], text: str) -> Iterator[Finding]:
    """What the application itself would say of each program's reading."""
    said: dict[tuple[str, str, str], list[str]] = {}
    able = {each: reading for each, reading in readings.items() if not reading.refused}
    for dialect, reading in able.items():
        for told in _complaints(reading.values()):
            said.setdefault(told, []).append(dialect)
    for (level, sentence, hint), dialects in said.items():
        line, name = _place(sentence, text)
        whose = "" if len(dialects) == len(able) else f"as read by {_names(dialects)}, "
        yield Finding(level, line, name, whose + sentence, hint, tuple(dialects))


def _complaints(values: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Every variable by itself; together only when each is well."""
    ours = {name: value for name, value in values.items() if name in BY_NAME}
    fine = True
    password = {"REDIS_PASSWORD": ours.get("REDIS_PASSWORD", "")}  # to be masked elsewhere
    for name, value in ours.items():
        try:
            Settings.from_env({name: value})
        except SettingsError as error:
            fine = False
            sentence = masked(str(error), password)
            yield ERROR, sentence, error.hint
    if fine:
        for warning in Settings.from_env(ours).warnings:
            yield WARNING, warning, ""


def _place(sentence: str, text: str) -> tuple[int, str]:
    """The last line of the variable that a sentence begins with, and that variable."""
    name = re.split(r"[^A-Za-z0-9_]", sentence, maxsplit=1)[0]
    line = 0
    for number, raw in enumerate(text.splitlines(), 1):
        found = _ASSIGNMENT.match(raw)
        if found and found[1] == name:
            line = number
    return line, name if line else ""
