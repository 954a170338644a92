"""Where in keywright.toml a redis.conf setting is said, and what to write there.

Pure: reads no clock and asks nobody.
"""

from typing import NamedTuple

from keywright.errors import InputError
from keywright_ops.profile.declared import Profile, Values
from keywright_ops.profile.directive_names import NAMES
from keywright_ops.profile.directives import FIELD_OF, OWN, read_settings
from keywright_ops.profile.fields import BY_PATH
from keywright_ops.profile.toml_text import find_line, toml
from keywright_ops.profile.values import NotThat
from keywright_ops.profile.words import nearest


class Wording(NamedTuple):
    """How the file says a setting: `path` its key, `line` where it stands (0: not yet), `text` the line
    to write. `own` is why Keywright decides it itself, "" where the file may say it."""

    path: str
    line: int
    text: str
    own: str = ""

    def where(self, file: str) -> str:
        """Say where to write it: `line 7 of keywright.toml`, or under which table."""
        if not file:
            return "keywright.toml (`keywright init` writes one)"
        return f"line {self.line} of {file}" if self.line else file


def wording(profile: Profile, environment: str, name: str, value: str) -> Wording | None:
    """Return how the file says this setting with this value; None where it cannot.

    Raises InputError for a value that the file could not take.
    """
    if name in OWN:
        return Wording("", 0, "", OWN[name])
    values = Values(profile, environment)
    if name in FIELD_OF:
        path = FIELD_OF[name]
        if not values.takes(path):
            return None
        owner = values.origin(path) or environment
        return _at(profile, owner, path, _field_text(name, path, value))
    if name not in NAMES or not values.takes("maxmemory"):
        return None
    try:
        _, words = read_settings(name, _plain(value))
    except NotThat as wrong:
        raise InputError(f"{name}: {wrong}", wrong.hint) from None
    owner = next((each.name for each in values.chain if name in each.settings), environment)
    return _at(profile, owner, f"settings.{name}", toml(_plain(" ".join(words))))


def _at(profile: Profile, owner: str, key: str, text: str) -> Wording:
    path = f"env.{owner}.{key}"
    line = find_line(profile.text, path)
    table, _, last = path.rpartition(".")
    return Wording(path, line, f"{last} = {text}" if line else f"{last} = {text} under [{table}]")


def _field_text(name: str, path: str, value: str) -> str:
    """The value as TOML, in the field's own spelling."""
    kind = BY_PATH[path].type
    raw: object = _plain(value)
    if name == "save":
        numbers = value.split()
        raw = [" ".join(numbers[at : at + 2]) for at in range(0, len(numbers), 2)]
    elif name == "bind":
        raw = value.split()
    try:
        return toml(kind.show(kind.parse(raw)))
    except NotThat as wrong:
        raise InputError(f"{name}: {wrong}", wrong.hint) from None


def _plain(value: str) -> object:
    """A word as TOML would write it: true and false, a number, else text."""
    if value.lower() in ("yes", "no"):
        return value.lower() == "yes"
    return int(value) if value.removeprefix("-").isdigit() and value.isascii() else value


def likely(name: str, known: tuple[str, ...] = ()) -> str:
    """Return the name of a setting that was probably meant; "" when none is near."""
    return nearest(name, known or tuple(sorted(NAMES)))
