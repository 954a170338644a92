"""What is written from the table of fields: a commented keywright.toml, and the reference page."""

from keywright_ops.profile.declared import Values, fields_of
from keywright_ops.profile.field import Field
from keywright_ops.profile.fields import BUILT_IN, FIELDS, TOP_FIELDS
from keywright_ops.profile.load import built_in_profile
from keywright_ops.profile.toml_text import toml

HEADER = """\
# keywright.toml: one file for every environment.
#
# Lines that begin with "#" and a key show the defaults: take the "#" away to change one.
# `keywright explain env.prod.maxmemory` says what a key means and where its value comes from.
"""
OWN = """
# --- an environment of your own: everything as in prod, except what you write ---
#[env.staging]
#like = "prod"
#maxmemory = "60%"
#settings.maxclients = 2000
"""
TITLES = {
    "local": "a server on this machine, without Docker",
    "dev": "Docker, for development",
    "prod": "Docker, for production",
    "linux": "a systemd host",
    "azure": "Azure's managed service",
    "aws": "AWS ElastiCache",
}


def render_init() -> str:
    """Return a commented keywright.toml; as it stands, and with every "#key" uncommented, it
    loads to exactly the defaults."""
    profile = built_in_profile()
    lines = [HEADER]
    for field in TOP_FIELDS:
        lines.append(f"# {field.meaning}")
        lines.append(f"{field.path} = {toml(getattr(profile, field.path))}")
    told: set[str] = set()
    for name in BUILT_IN:
        values = Values(profile, name)
        lines += ["", f"# --- {name}: {TITLES[name]} ---", f"[env.{name}]"]
        for field in fields_of(values.kind):
            if field.path not in told:
                lines.append(f"# {field.meaning}")
                told.add(field.path)
            lines.append(f"#{field.path} = {toml(field.type.show(values.any(field.path)))}")
    return "\n".join(lines) + "\n" + OWN


def fields_table() -> str:
    """Return every key as Markdown tables, for docs/reference/keywright-toml.md."""
    parts = [table_of("At the top of the file", TOP_FIELDS, top=True)]
    tables = list(dict.fromkeys(field.path.rpartition(".")[0] for field in FIELDS))
    for table in tables:
        title = f"`[env.NAME.{table}]`" if table else "`[env.NAME]`"
        rows = tuple(field for field in FIELDS if field.path.rpartition(".")[0] == table)
        parts.append(table_of(title, rows))
    return "\n".join(parts)


def table_of(title: str, rows: tuple[Field, ...], top: bool = False) -> str:
    """Return one table of keys as Markdown."""
    lines = [f"## {title}", "", "| Key | Type | Default | Meaning |", "|---|---|---|---|"]
    for field in rows:
        default = code(toml(field.defaults["local"])) if top else defaults_of(field)
        unit = f" Unit: {field.unit}." if field.unit else ""
        kind = field.type.name.replace("|", "\\|")
        key = field.path.rpartition(".")[2]
        lines.append(f"| `{key}` | {kind} | {default} | {field.meaning}{unit} |")
    return "\n".join([*lines, ""])


def defaults_of(field: Field) -> str:
    """Say a field's default: once when every environment that has it agrees, else one by one."""
    profile = built_in_profile()
    found = {
        name: code(toml(field.type.show(Values(profile, name).any(field.path))))
        for name, kind in BUILT_IN.items()
        if kind in field.defaults
    }
    values = list(dict.fromkeys(found.values()))
    if len(values) == 1:
        only = "" if len(found) == len(BUILT_IN) else f" ({', '.join(found)})"
        return values[0] + only
    said = (
        f"{', '.join(name for name, each in found.items() if each == value)}: {value}"
        for value in values
    )
    return "; ".join(said)


def code(text: str) -> str:
    """Write text as code in a Markdown table."""
    return f"`{text}`".replace("|", "\\|")
