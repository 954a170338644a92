"""Plan + secrets → the application's .env, in the guide's order and with its comments.

A comment is a line of its own: docker and systemd keep one that follows a value as part of it. What
is not known yet stands as the guide's placeholder (`<CACHE_NAME>…`), which the application refuses.
"""

from collections.abc import Mapping
from typing import NamedTuple

from keywright.secret import Secret
from keywright_ops.model.absence import Discovered
from keywright_ops.model.plan import Application, Plan
from keywright_ops.render.dotenv_lines import begin_mark, end_mark


class Entry(NamedTuple):
    """One variable and the guide's comment above it ("" for none)."""

    name: str
    comment: str = ""


class Part(NamedTuple):
    """A heading and the variables under it."""

    heading: str
    entries: tuple[Entry, ...]


def render_dotenv(plan: Plan, secrets: Mapping[str, Secret]) -> str:
    """Return the .env as text; it holds the application's password.

    Variables that the guide's file for this kind of environment does not name follow at the end,
    and only where the plan's value is not the application's default. Every program that reads .env
    files reads the same from it: a password that some of them would take differently stands in
    REDIS_URL alone, percent-encoded. Raises SettingsError for a value that no line can hold.
    """
    notes, blocks = _content(plan, secrets)
    head = "\n".join((_HEAD.format(plan=plan), *notes))
    return "\n\n".join((head, *blocks)) + "\n"


def render_marked(plan: Plan, secrets: Mapping[str, Secret]) -> str:
    """Return the same variables as the marked lines of somebody else's .env (dotenv_lines.py)."""
    notes, blocks = _content(plan, secrets)
    head = "\n".join((_MARKED_HEAD, *notes))
    name = plan.environment
    return "\n".join((begin_mark(name), head, *blocks, end_mark(name))) + "\n"


def _content(plan: Plan, secrets: Mapping[str, Secret]) -> tuple[tuple[str, ...], list[str]]:
    """What a person should know first, and the blocks of variables."""
    values = dotenv_values(plan, secrets)
    unknown = _unknown(plan, secrets)
    parts = _LAYOUTS[plan.kind]
    named = {entry.name for part in parts for entry in part.entries}
    notes: tuple[str, ...] = ()
    if "REDIS_PASSWORD" not in unknown and not _agreed(values["REDIS_PASSWORD"]):
        notes = (_ONLY_IN_URL,)
        values["REDIS_PASSWORD"] = ""
        if "REDIS_URL" not in named:
            parts = (Part("Use connection URL", (Entry("REDIS_URL"),)), *parts)
    defaults = _defaults(plan.application)
    rest = tuple(
        Entry(name)
        for name, value in values.items()
        if name not in named and name != "REDIS_URL" and value not in ("", defaults[name])
    )
    if rest:
        parts = (*parts, Part("Differs from the application's defaults", rest))
    return notes, [block for part in parts if (block := _block(part, values, unknown))]


def dotenv_values(plan: Plan, secrets: Mapping[str, Secret]) -> dict[str, str]:
    """Return every variable's value as the application shall read it, in FIELDS' names.

    A value that the plan leaves out ("" such as a username) is "".
    """
    app = plan.application
    host, secret = _host(plan), secrets.get(app.secret)
    placeholder = _PASSWORDS.get(plan.kind, "<REDIS_PASSWORD>")
    return {
        "ENABLE_REDIS_CACHING": "true",
        "REDIS_URL": _url(app, host, secret, placeholder),
        "REDIS_HOST": host,
        "REDIS_PORT": str(app.port),
        "REDIS_DB": str(app.database),
        "REDIS_USERNAME": app.username,
        "REDIS_PASSWORD": secret.reveal() if secret else placeholder,
        "REDIS_SSL": _yes(app.tls),
        "REDIS_SSL_CERT_REQS": app.cert_reqs if app.tls else "",
        "REDIS_SSL_CA_CERTS": app.ca_certs if app.tls else "",
        "REDIS_POOL_MAX_CONNECTIONS": str(app.pool_max_connections),
        "REDIS_SOCKET_TIMEOUT": f"{app.socket_timeout:g}",
        "REDIS_SOCKET_CONNECT_TIMEOUT": f"{app.socket_connect_timeout:g}",
        "CACHE_PREFIX": app.prefix,
        "CACHE_TTL": str(app.cache_ttl),
        "CACHE_TTL_SHORT": str(app.cache_ttl_short),
        "CACHE_TTL_LONG": str(app.cache_ttl_long),
        "LOCK_PREFIX": app.lock_prefix,
        "LOCK_TTL": str(app.lock_ttl),
        "REDIS_HEALTHCHECK_ON_START": _yes(app.healthcheck_on_start),
        "REDIS_HEALTHCHECK_KEY": app.healthcheck_key,
    }


def _yes(flag: bool) -> str:
    return "true" if flag else "false"


# What the guide writes for a password that only the provider or the reader knows.
_PASSWORDS = {"azure": "<PRIMARY_ACCESS_KEY>", "aws": "<AUTH_TOKEN>"}


def _host(plan: Plan) -> str:
    host = plan.application.host
    if isinstance(host, Discovered):  # the guide's placeholder, where there is one
        return host.usually if "<" in host.usually else str(host)
    return host


def _url(app: Application, host: str, secret: Secret | None, placeholder: str) -> str:
    from keywright.percent import encode  # here, since only a rendered .env needs it

    # A shell acts on a bare ~, and quoting it would not suit docker.
    word = encode(secret.reveal()).replace("~", "%7E") if secret else placeholder
    login = f"{encode(app.username)}:{word}"
    where = f"[{host}]" if ":" in host else host
    return f"{'rediss' if app.tls else 'redis'}://{login}@{where}:{app.port}/{app.database}"


def _unknown(plan: Plan, secrets: Mapping[str, Secret]) -> set[str]:
    """Return the variables whose value is a placeholder, for a person to replace."""
    names = set()
    if isinstance(plan.application.host, Discovered):
        names |= {"REDIS_HOST", "REDIS_URL"}
    if not secrets.get(plan.application.secret):
        names |= {"REDIS_PASSWORD", "REDIS_URL"}
    return names


def _agreed(password: str) -> bool:
    """Whether every program reads this password in the same way."""
    from keywright.dotenv import DIALECTS, quote_for  # here, since only a .env needs it

    return not quote_for(DIALECTS, password).fails


def _defaults(app: Application) -> dict[str, str]:
    from keywright.settings import FIELDS  # here, since only a .env needs it

    found = {field.name: field.default for field in FIELDS}
    return {name: text.replace("<CACHE_PREFIX>", app.prefix) for name, text in found.items()}


_HEAD = """\
# {plan.app}, environment {plan.environment}: what the application connects with.
# Written by Keywright. It holds a password: keep it out of version control."""
_MARKED_HEAD = """\
# Keywright's lines; a change made between these marks is overwritten by the next up.
# They hold a password: keep this file out of version control."""
_ONLY_IN_URL = """\
# The password stands in REDIS_URL alone: written by itself, docker, systemd and python-dotenv
# would each read something else."""


# --- the text -----------------------------------------------------------------------------------


def _block(part: Part, values: Mapping[str, str], unknown: set[str]) -> str:
    lines = []
    for entry in part.entries:
        if not values[entry.name]:
            continue
        if entry.comment:
            lines.append(f"# {entry.comment}")
        lines.append(_line(entry.name, values[entry.name], entry.name in unknown))
    return "\n".join([f"# {part.heading}", *lines]) if lines else ""


def _line(name: str, value: str, unknown: bool) -> str:
    from keywright.dotenv import write_line  # here, since only a .env needs it

    return f"{name}={value}" if unknown else write_line(name, value)


_SESSION = (Entry("CACHE_TTL", "Session timeout in seconds"), Entry("CACHE_PREFIX"))
_TLS = (Entry("REDIS_SSL"), Entry("REDIS_SSL_CERT_REQS"), Entry("REDIS_SSL_CA_CERTS"))


def _docker(title: str, password: str) -> tuple[Part, ...]:
    return (
        Part(
            f"Redis Configuration ({title})",
            (
                Entry("ENABLE_REDIS_CACHING"),
                Entry("REDIS_HOST", "Docker service name"),
                Entry("REDIS_PORT"),
                Entry("REDIS_USERNAME"),
                Entry("REDIS_PASSWORD", password),
                Entry("REDIS_DB"),
            ),
        ),
        Part("Session Configuration", _SESSION),
    )


def _server(title: str) -> tuple[Part, ...]:
    return (
        Part(f"Redis Configuration ({title})", (Entry("ENABLE_REDIS_CACHING"),)),
        Part("Option 1: Use connection URL (recommended)", (Entry("REDIS_URL"),)),
        Part(
            "Option 2: Use individual parameters (fallback)",
            (
                Entry("REDIS_HOST"),
                Entry("REDIS_PORT"),
                Entry("REDIS_DB"),
                Entry("REDIS_USERNAME"),
                Entry("REDIS_PASSWORD"),
            ),
        ),
        Part(
            "Connection Pool Settings",
            (
                Entry("REDIS_POOL_MAX_CONNECTIONS"),
                Entry("REDIS_SOCKET_TIMEOUT"),
                Entry("REDIS_SOCKET_CONNECT_TIMEOUT"),
            ),
        ),
        Part(
            "Namespacing & TTLs",
            (
                Entry("CACHE_PREFIX"),
                Entry("CACHE_TTL", "Default session TTL"),
                Entry("CACHE_TTL_SHORT"),
                Entry("CACHE_TTL_LONG"),
            ),
        ),
        Part("Locks", (Entry("LOCK_PREFIX"), Entry("LOCK_TTL", "Lock timeout"))),
        Part("Health Check", (Entry("REDIS_HEALTHCHECK_ON_START"), Entry("REDIS_HEALTHCHECK_KEY"))),
    )


def _managed(title: str) -> tuple[Part, ...]:
    return (
        Part(f"{title} (SSL enabled)", (Entry("ENABLE_REDIS_CACHING"), Entry("REDIS_URL"))),
        Part(
            "Or individual parameters",
            (
                Entry("REDIS_HOST"),
                Entry("REDIS_PORT"),
                Entry("REDIS_USERNAME"),
                Entry("REDIS_PASSWORD"),
                Entry("REDIS_DB"),
                *_TLS,
            ),
        ),
        Part("Session Configuration", _SESSION),
    )


_LAYOUTS = {
    "local": _server("local server"),
    "docker-dev": _docker("Docker Development", "The environment's password"),
    "docker-prod": _docker("Docker Production", "The environment's password"),
    "systemd": _server("Linux Systemd"),
    "azure": _managed("Azure Redis Configuration"),
    "aws": _managed("AWS ElastiCache"),
}
