"""One variable's text read as the kind that its row of FIELDS names; errors name the variable."""

import re
from typing import NoReturn

from keywright.errors import SettingsError
from keywright.fields import Field
from keywright.secret import Secret
from keywright.suspicions import kept_comment, kept_quotes, placeholder

Value = str | int | float | bool | Secret | None

COMMENT_HINT = (
    "put the comment on its own line: `docker run --env-file` and systemd keep what follows a value"
)
QUOTES_HINT = "`docker run --env-file` keeps quotes: write the value bare in that file"
_BRIEF = re.compile(r"[A-Za-z0-9_.+-]{1,15}|tcp://[0-9.:]{1,21}")
_SWITCH = {
    "true": True, "1": True, "yes": True, "on": True,
    "false": False, "0": False, "no": False, "off": False,
}  # fmt: skip


def read_value(field: Field, text: str) -> Value:
    """Read one variable's text as its kind. Raises SettingsError with the variable's name."""
    shown = text if field.kind == "password" else text.strip()
    if hint := placeholder(shown, whole=field.kind == "password"):
        _fail(field, "is a left-over placeholder", hint)
    if field.kind == "password":
        return Secret(text)
    if field.kind == "url":
        return Secret(shown)
    if "@" in shown and "://" in shown:
        _fail(field, "holds a connection URL", "move it to REDIS_URL")
    if kept_comment(shown):
        _fail(field, "has an inline comment behind its value", COMMENT_HINT)
    if kept_quotes(shown):
        _fail(field, "has quotation marks around its value", QUOTES_HINT)
    if field.kind == "switch":
        if shown.lower() not in _SWITCH:
            _fail(field, f"is {_brief(shown)}, not a switch", f"write {field.name}=true or false")
        return _SWITCH[shown.lower()]
    if field.kind == "choice":
        return _choice(field, shown)
    if field.kind in ("whole", "seconds"):
        return _number(field, shown)
    if any(each.isspace() or ord(each) < 32 for each in shown):
        _fail(field, "has a space or control character in it", f"write {field.name} without it")
    return shown


def _choice(field: Field, text: str) -> str:
    word = text.lower().removeprefix("cert_")  # redis-py and Celery also write CERT_REQUIRED
    if word not in field.choices:
        _fail(field, f"is {_brief(text)}", f"write one of {', '.join(field.choices)}")
    return word


def _number(field: Field, text: str) -> int | float:
    low, high, whole = field.low, field.high, field.kind == "whole"
    digits = text if whole else text.replace(".", "", 1)
    if digits.isascii() and digits.isdigit() and len(text) < 12 and low <= float(text) <= high:
        return int(text) if whole else float(text)
    what = "a whole number" if whole else "a number of seconds"
    if text.startswith("tcp://"):
        hint = "Kubernetes sets it for a service named redis: use enableServiceLinks: false there"
    else:
        hint = f"for example {field.name}={_nearest(text, field)}"
    return _fail(field, f"is {_brief(text)}, not {what} from {low:g} to {high:.12g}", hint)


def _nearest(text: str, field: Field) -> str:
    """The number of seconds that a text with a unit means (`1h` is 3600), else the default."""
    found = re.fullmatch(r"([0-9]{1,6})(s|m|min|h|d)", text.lower())
    if found and field.unit == "seconds":
        number = int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2][0]]
        return str(number) if field.low <= number <= field.high else field.default
    return field.default


def _brief(text: str) -> str:
    """Quote a wrong value, but not one that could be a password in the wrong place."""
    return f"'{text}'" if _BRIEF.fullmatch(text) else "something else"


def _fail(field: Field, what: str, hint: str) -> NoReturn:
    raise SettingsError(f"{field.name} {what}", hint)
