"""What one key of keywright.toml means, what value it has, and where that value comes from."""

from typing import NamedTuple

from keywright.errors import ProfileError
from keywright_ops.profile.declared import Profile, Values, fields_of
from keywright_ops.profile.field import Field
from keywright_ops.profile.fields import BY_PATH, FIELDS, TABLES, TOP_FIELDS
from keywright_ops.profile.toml_text import find_line, toml
from keywright_ops.profile.words import nearest


class Explanation(NamedTuple):
    """Everything about one key: `value` is written as TOML, `origin` says where it comes from.

    `becomes` is the directive, variable or compose key that it turns into, `source` the guide's
    section or the design's reason, `difference` how it departs from the guide ("" if it does not).
    """

    path: str
    value: str
    origin: str
    meaning: str
    type: str
    unit: str
    example: str
    becomes: str
    source: str
    difference: str


def explain(profile: Profile, path: str) -> tuple[Explanation, ...]:
    """Explain a key ("env.prod.maxmemory"), or every key of a table ("env.prod", "env.prod.tls").

    A path without `env.` is one of the top of the file, else of the default environment. Raises
    ProfileError for a path that does not exist, with the nearest that does.
    """
    words = path.strip().strip(".").split(".")
    top = {field.path: field for field in TOP_FIELDS}
    if words == [""]:
        return tuple(explain_top(profile, field) for field in TOP_FIELDS)
    if len(words) == 1 and words[0] in top and words[0] != "app":
        return (explain_top(profile, top[words[0]]),)
    if words == ["app"]:
        return (explain_top(profile, top["app"]),)
    if words[0] != "env":
        known = words[0] in profile.environments
        words = ["env", *words] if known else ["env", profile.default_env, *words]
    if len(words) == 1:
        raise ProfileError(
            "env: this is the table of all environments", "name one, such as env.prod"
        )
    values = Values(profile, words[1])
    return explain_environment(profile, values, ".".join(words[2:]))


def explain_top(profile: Profile, field: Field) -> Explanation:
    """Explain a key at the top of the file."""
    value = {"app": profile.app, "prefix": profile.prefix}.get(field.path, profile.default_env)
    line = find_line(profile.text, field.path)
    return describe(field, field.path, toml(value), written(profile, line) or "the default")


def explain_environment(profile: Profile, values: Values, key: str) -> tuple[Explanation, ...]:
    """Explain one key, one table, or everything of an environment."""
    taken = fields_of(values.kind)
    wanted = [
        field for field in taken if not key or field.path == key or field.path.startswith(f"{key}.")
    ]
    found = [explain_field(profile, values, field) for field in wanted]
    directives = values.settings()
    for name, words in directives.items():
        if not key or key == "settings" or key == f"settings.{name}":
            found.append(explain_directive(profile, values, name, words))
    if found or key == "settings":
        return tuple(found)
    path = f"env.{values.environment}.{key}"
    if key in BY_PATH:
        kinds = ", ".join(BY_PATH[key].defaults)
        raise ProfileError(
            f"{path}: an environment of kind {values.kind} has no such key", f"it is for: {kinds}"
        )
    names = tuple(field.path for field in FIELDS) + TABLES
    likely = nearest(key.replace("-", "_"), names)
    hint = (
        f"did you mean env.{values.environment}.{likely}?"
        if likely
        else "keywright explain env.prod"
    )
    raise ProfileError(f"{path}: there is no such key", hint)


def explain_field(profile: Profile, values: Values, field: Field) -> Explanation:
    """Explain one field of an environment."""
    value = toml(field.type.show(values.any(field.path)))
    return describe(
        field, f"env.{values.environment}.{field.path}", value, origin(profile, values, field.path)
    )


def describe(field: Field, path: str, value: str, where: str) -> Explanation:
    """Put a row of the table and its value together."""
    return Explanation(
        path,
        value,
        where,
        field.meaning,
        field.type.name,
        field.unit,
        field.example,
        field.becomes,
        field.source,
        difference_of(field.path),
    )


def explain_directive(
    profile: Profile, values: Values, name: str, words: tuple[str, ...]
) -> Explanation:
    """Explain a further directive of [env.X.settings]."""
    owner = next(each.name for each in values.chain if name in each.settings)
    return Explanation(
        path=f"env.{values.environment}.settings.{name}",
        value=toml(" ".join(words)),
        origin=from_file(profile, values, owner, f"settings.{name}"),
        meaning="A directive of redis.conf that no field of keywright.toml covers.",
        type="redis.conf directive",
        unit="",
        example="",
        becomes=f"redis.conf {name}",
        source="redis.conf",
        difference="",
    )


def origin(profile: Profile, values: Values, key: str) -> str:
    """Say where a value comes from: the file, an environment that this one is like, the default."""
    owner = values.origin(key)
    if not owner:
        return f"the default of {values.kind}"
    return from_file(profile, values, owner, key)


def from_file(profile: Profile, values: Values, owner: str, key: str) -> str:
    """Name the line of the file, and the environment that was asked on the way."""
    line = written(profile, find_line(profile.text, f"env.{owner}.{key}"))
    line = line or profile.path or "the file"
    return line if owner == values.environment else f"{line}, from env.{owner}, which it is like"


def written(profile: Profile, line: int) -> str:
    """Name a line of the file, or return "" when there is none."""
    return f"{profile.path}, line {line}" if line else ""


def difference_of(path: str) -> str:
    """Say how the field departs from the guide, in one sentence, or ""."""
    from keywright_ops.profile.differences import DIFFERENCES  # long, and only for explaining

    rows = (row for row in DIFFERENCES if row.field and row.field == path)
    return " ".join(f"The guide: {row.guide}. {row.reason}" for row in rows)
