"""keywright.toml → Profile. Every error names the path in the file and the nearest right thing.

Pure: text comes in, `path` serves the messages. Only the shape and type of each value are judged
here and, for the environments that the file writes, the combinations (combinations.py).
"""

from collections.abc import Mapping
from typing import Any

from keywright.errors import ProfileError
from keywright_ops.profile.complaints import (
    Complaint,
    Complaints,
    Enough,
    as_error,
    quoted,
    unknown,
)
from keywright_ops.profile.declared import Declared, Profile, built_in_environments
from keywright_ops.profile.fields import BUILT_IN, BY_PATH, TABLES, TOP_FIELDS
from keywright_ops.profile.toml_text import LARGEST_FILE, read_toml
from keywright_ops.profile.values import NotThat, called
from keywright_ops.profile.words import nearest, spelled

MOST_ENVIRONMENTS = 64


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
        return load_profile(data.decode(), path)
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise ProfileError(f"{path}: line {line} is not UTF-8 text", "save it as UTF-8") from None


def load_profile(text: str, path: str) -> Profile:
    """Load the text of keywright.toml; `path` is its name for messages.

    Raises ProfileError for text that is not TOML, an unknown key, a wrong type and an impossible
    combination; with several wrong things the first is told and the others are named.
    """
    document = read_toml(text, path)
    complaints = Complaints()
    try:
        profile = read_document(document, path, text, complaints)
    except Enough:
        raise as_error(complaints) from None
    if complaints:
        raise as_error(complaints)
    return profile


def read_document(
    document: dict[str, Any], path: str, text: str, complaints: Complaints
) -> Profile:
    """Read the whole document; what is wrong with it is in `complaints`."""
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
        judge(profile, tuple(tables), complaints)
    return profile


def read_top(document: dict[str, Any], complaints: Complaints) -> dict[str, str]:
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
    for key in document:
        if key not in known:
            complaints.append(unknown(key, "", known))
    return top


def read_environments(tables: Mapping[str, Any], complaints: Complaints) -> dict[str, Declared]:
    """Read every table [env.NAME] and settle what kind each is."""
    if len(tables) > MOST_ENVIRONMENTS:
        reason = f"{len(tables)} environments are too many, {MOST_ENVIRONMENTS} are the limit"
        complaints.append(Complaint("env", reason, "write several files"))
        return {}
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
    name: str, kind: str, like: str, table: Mapping[str, Any], complaints: Complaints
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
    complaints: Complaints,
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
    path: str, kind: str, value: object, complaints: Complaints
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
            if directive in settings:
                raise NotThat("this directive stands there twice", "write it once")
            settings[directive] = words
        except NotThat as problem:
            complaints.append(Complaint(f"{path}.{quoted(key)}", str(problem), problem.hint))
    return settings


def judge(profile: Profile, written: tuple[str, ...], complaints: Complaints) -> None:
    """Judge the combinations of every environment that the file writes, and its default."""
    from keywright_ops.profile.combinations import impossible  # only for a file

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
