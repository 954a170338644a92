"""keywright.toml → Profile. Every error names the path in the file and the nearest right thing.

Pure: text comes in, `path` serves the messages. Only the shape and type of each value are judged
here and, for the environments that the file writes, the combinations (combinations.py).
"""

from collections.abc import Mapping
from typing import Any

from keywright.errors import ProfileError

from keywright_ops.profile.declared import Declared, Profile, built_in_environments
from keywright_ops.profile.fields import BUILT_IN, BY_PATH, TABLES, TOP_FIELDS
from keywright_ops.profile.values import NotThat, called
from keywright_ops.profile.words import nearest, spelled

# A profile is written by hand; a parser should not be given more than a hand can write. Bytes.
LARGEST_FILE = 256 * 1024
SECRETS = (
    "password",
    "requirepass",
    "masterauth",
    "primaryauth",
    "secret",
    "auth",
    "tls-key-file-pass",
)
NO_SECRETS = (
    "keywright.toml holds no secrets: put the password into the variable that password_variable"
    " names, or let it be generated"
)


class Complaint(Exception):
    """One thing wrong with the file, at one path; collected, so that all are told at once."""

    def __init__(self, path: str, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.path, self.reason, self.hint = path, reason, hint


def built_in_profile() -> Profile:
    """Return what holds without a file: the six environments with the guide's values."""
    return Profile("esab", "esabcfg:", "local", built_in_environments())


def load_profile_bytes(data: bytes, path: str) -> Profile:
    """Load keywright.toml as it lies on disk.

    Raises ProfileError when it is too large, not UTF-8, not TOML, or wrong.
    """
    if len(data) > LARGEST_FILE:
        reason = f"{path}: a file this large is no profile, {LARGEST_FILE} bytes are the limit"
        raise ProfileError(reason, "is this the right file?")
    try:
        # utf-8-sig: an editor on Windows may have left a byte order mark, which TOML refuses.
        return load_profile(data.decode("utf-8-sig"), path)
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise ProfileError(f"{path}: line {line} is not UTF-8 text", "save it as UTF-8") from None


def load_profile(text: str, path: str) -> Profile:
    """Load the text of keywright.toml; `path` is its name for messages.

    Raises ProfileError for text that is not TOML, an unknown key, a wrong type and an impossible
    combination; with several wrong things the first is told and the others are named.
    """
    document = read_toml(text, path)
    complaints: list[Complaint] = []
    top = read_top(document, complaints)
    tables = document.get("env", {})
    environments = built_in_environments()
    if isinstance(tables, dict):
        environments.update(read_environments(tables, complaints))
    else:
        complaints.append(
            Complaint("env", f"{called(tables)} stands where tables belong", "write [env.NAME]")
        )
    profile = Profile(top["app"], top["prefix"], top["default_env"], environments, path, text)
    if not complaints:
        complaints += judge(profile, tuple(tables))
    if complaints:
        raise as_error(complaints)
    return profile


def read_toml(text: str, path: str) -> dict[str, Any]:
    """Parse TOML; the line is in tomllib's own message."""
    import tomllib  # only when there is a file: `status` on the built-in profile needs no parser

    if len(text) > LARGEST_FILE:
        raise ProfileError(
            f"{path}: a file of {len(text)} characters is no profile, {LARGEST_FILE} are the limit",
            "is this the right file?",
        )
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as problem:
        reason = str(problem)
        raise ProfileError(
            f"{path}: not TOML: {reason[:1].lower()}{reason[1:]}",
            "correct that line; values that are text stand in double quotes",
        ) from None
    except (ValueError, RecursionError, OverflowError):
        # A number of more than 4300 digits, or a list nested deeper than Python's stack.
        raise ProfileError(
            f"{path}: not TOML that a person wrote: a number is too long or a list nested too deep",
            "remove what is not a setting",
        ) from None


def read_top(document: dict[str, Any], complaints: list[Complaint]) -> dict[str, str]:
    """Read what stands at the top of the file."""
    top: dict[str, str] = {}
    for field in TOP_FIELDS:
        top[field.path] = str(field.defaults["local"])
        if field.path in document:
            try:
                top[field.path] = field.type.parse(document[field.path])
            except NotThat as problem:
                complaints.append(Complaint(field.path, str(problem), problem.hint))
    known = (*(field.path for field in TOP_FIELDS), "env")
    complaints += [unknown(key, "", known) for key in document if key not in known]
    return top


def unknown(key: str, prefix: str, known: tuple[str, ...]) -> Complaint:
    """Make the complaint about a key that does not exist, with the one that was probably meant."""
    path = f"{prefix}{quoted(key)}"
    if key.lower().replace("_", "-") in SECRETS or key.lower().endswith("_password"):
        return Complaint(path, "a secret has no place in this file", NO_SECRETS)
    likely = nearest(key.replace("-", "_"), known)
    if likely:
        return Complaint(path, "there is no such key", f"did you mean {prefix}{likely}?")
    if not prefix and (key in BY_PATH or key in TABLES):
        return Complaint(path, "this key belongs to an environment", "write it under [env.NAME]")
    return Complaint(
        path, "there is no such key", f"keywright explain {prefix.rstrip('.')}".strip()
    )


def quoted(key: str) -> str:
    """Write a key of the file on one line."""
    plain = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if plain and len(key) <= 60 else repr(key[:60])


def read_environments(
    tables: Mapping[str, Any], complaints: list[Complaint]
) -> dict[str, Declared]:
    """Read every table [env.NAME] and settle what kind each is."""
    found: dict[str, Declared] = {}
    wanted: dict[str, Mapping[str, Any]] = {}
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    for name, table in tables.items():
        if not spelled(name, letters, letters + "-_", 32):
            hint = "write lower-case letters, digits, - and _, at most 32"
            path = f"env.{quoted(name)}"
            complaints.append(Complaint(path, "this is not a name for an environment", hint))
        elif not isinstance(table, dict):
            hint = f"write a table: [env.{name}]"
            complaints.append(
                Complaint(f"env.{name}", f"{called(table)} stands where a table belongs", hint)
            )
        else:
            wanted[name] = table
    for name, table in wanted.items():
        try:
            kind, like = find_kind(name, wanted)
        except Complaint as complaint:
            complaints.append(complaint)
            continue
        found[name] = read_environment(name, kind, like, table, complaints)
    return found


def find_kind(name: str, tables: Mapping[str, Any]) -> tuple[str, str]:
    """Return an environment's kind and the one that it is like ("" for none), or complain."""
    kinds = tuple(dict.fromkeys(BUILT_IN.values()))
    visited = [name]
    first_like = ""
    while True:
        here = visited[-1]
        table = tables.get(here, {})
        like, kind = table.get("like"), table.get("kind")
        if here in BUILT_IN:
            if here == name and (like is not None or kind not in (None, BUILT_IN[here])):
                reason = f"{name} is built in and is what it is: {BUILT_IN[here]}"
                key = "like" if like is not None else "kind"
                raise Complaint(f"env.{name}.{key}", reason, "give your own environment a new name")
            return BUILT_IN[here], first_like
        path = f"env.{here}"
        if like is not None and kind is not None:
            raise Complaint(path, "like and kind both say what it is", "write one of them")
        if kind is not None:
            if kind not in kinds or not isinstance(kind, str):
                raise Complaint(
                    f"{path}.kind", f"{called(kind)} is no kind", "kinds: " + ", ".join(kinds)
                )
            return kind, first_like
        names = (*BUILT_IN, *(each for each in tables if each not in visited))
        if like is None:
            likely = nearest(name, tuple(BUILT_IN))
            hint = f'write like = "prod" in it, or another of: {", ".join(BUILT_IN)}'
            if likely:
                hint = f"did you mean env.{likely}? Otherwise {hint}"
            raise Complaint(path, "it does not say which environment it is like", hint)
        if not isinstance(like, str) or (like not in BUILT_IN and like not in tables):
            likely = nearest(like, names) if isinstance(like, str) else ""
            hint = f"did you mean {likely!r}?" if likely else "there are: " + ", ".join(names)
            raise Complaint(f"{path}.like", f"there is no environment {called(like)}", hint)
        if like in visited:
            circle = " → ".join([*visited, like])
            raise Complaint(
                f"env.{name}.like", f"it goes in a circle: {circle}", 'end it: like = "prod"'
            )
        first_like = first_like or like
        visited.append(like)


def read_environment(
    name: str, kind: str, like: str, table: Mapping[str, Any], complaints: list[Complaint]
) -> Declared:
    """Read one environment's values, each by the type of its field."""
    values: dict[str, Any] = {}
    settings: dict[str, tuple[str, ...]] = {}
    for key, value in table.items():
        path = f"env.{name}.{quoted(key)}"
        if key in ("like", "kind"):
            continue
        if key == "settings":
            settings = read_directives(path, kind, value, complaints)
        elif key in TABLES and isinstance(value, dict):
            for inner, each in value.items():
                read_value(name, kind, f"{key}.{inner}", each, values, complaints)
        elif key in TABLES:
            reason = f"{called(value)} stands where a table belongs"
            complaints.append(Complaint(path, reason, f"write [env.{name}.{key}]"))
        else:
            read_value(name, kind, key, value, values, complaints)
    return Declared(name, kind, like, values, settings)


def read_value(
    name: str,
    kind: str,
    key: str,
    value: object,
    values: dict[str, Any],
    complaints: list[Complaint],
) -> None:
    """Read one value into `values`, or complain."""
    field = BY_PATH.get(key) if key.count(".") <= 1 else None
    if field is None:
        table, _, word = key.rpartition(".")
        siblings = tuple(
            each.rpartition(".")[2] for each in BY_PATH if each.rpartition(".")[0] == table
        )
        if not table:
            siblings += (*TABLES, "like", "kind")
        prefix = f"env.{name}." + (f"{table}." if table else "")
        complaints.append(unknown(word, prefix, siblings))
        return
    path = f"env.{name}.{key}"
    if kind not in field.defaults:
        kinds = ", ".join(field.defaults)
        complaints.append(
            Complaint(path, f"an environment of kind {kind} has no such key", f"it is for: {kinds}")
        )
        return
    try:
        values[key] = field.type.parse(value)
    except NotThat as problem:
        complaints.append(Complaint(path, str(problem), problem.hint))


def read_directives(
    path: str, kind: str, value: object, complaints: list[Complaint]
) -> dict[str, tuple[str, ...]]:
    """Read [env.X.settings], each directive on its own, so that every wrong one is told."""
    if not isinstance(value, dict):
        reason = f"{called(value)} stands where a table belongs"
        complaints.append(Complaint(path, reason, f"write [{path}]"))
        return {}
    if kind in ("azure", "aws") and value:
        reason = f"a managed server has no redis.conf, and {kind} is managed"
        complaints.append(Complaint(path, reason, "set it where the service is managed"))
        return {}
    from keywright_ops.profile.directives import read_settings  # only for a file that has them

    settings: dict[str, tuple[str, ...]] = {}
    for key, each in value.items():
        try:
            directive, words = read_settings(key, each)
            settings[directive] = words
        except NotThat as problem:
            complaints.append(Complaint(f"{path}.{quoted(key)}", str(problem), problem.hint))
    return settings


def judge(profile: Profile, written: tuple[str, ...]) -> list[Complaint]:
    """Judge the combinations of every environment that the file writes, and its default."""
    from keywright_ops.profile.combinations import impossible  # only for a file

    complaints: list[Complaint] = []
    if profile.default_env not in profile.environments:
        likely = nearest(profile.default_env, tuple(profile.environments))
        names = "there are: " + ", ".join(profile.environments)
        hint = f"did you mean {likely!r}?" if likely else names
        complaints.append(
            Complaint("default_env", f"there is no environment {called(profile.default_env)}", hint)
        )
    for name in written:
        for key, reason, hint in impossible(profile, name):
            complaints.append(Complaint(f"env.{name}.{key}", reason, hint))
    return complaints


def as_error(complaints: list[Complaint]) -> ProfileError:
    """Make one error of all complaints: the first told, the others named by their paths."""
    first = complaints[0]
    message = f"{first.path}: {first.reason}"
    others = complaints[1:]
    if others:
        names = ", ".join(each.path for each in others[:3]) + (" …" if len(others) > 3 else "")
        message += f" (and {len(others)} more: {names})"
    return ProfileError(message, first.hint)
