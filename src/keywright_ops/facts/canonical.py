"""One value per setting, whatever the source: a person's file, a plan, or CONFIG GET.

It may not know the host: a path is tidied, never resolved, so a declared path must be the real one
(CONFIG GET dir answers without symbolic links).
"""

from keywright_ops.facts.settings import ALIASES, BYTES, NUMBERS, PATHS, WORDS

_UNITS = {
    "": 1, "b": 1,
    "k": 1000, "kb": 1024,
    "m": 1000**2, "mb": 1024**2,
    "g": 1000**3, "gb": 1024**3,
}  # fmt: skip

# What a server starts with; a file that names one class leaves the others so. Bytes and seconds.
_BUFFER_LIMITS = {
    "normal": ("0", "0", "0"),
    "replica": ("268435456", "67108864", "60"),
    "pubsub": ("33554432", "8388608", "60"),
}

_ALL_EVENTS = "g$lshzxetd"  # what the letter A of notify-keyspace-events stands for


def canonical_name(name: str) -> str:
    """Return the newest name of a setting, in lower case (`slaveof` is `replicaof`)."""
    return ALIASES.get(name.lower(), name.lower())


def canonical(name: str, value: str) -> str:
    """Return the one spelling of a setting's value; equal values give equal texts.

    `value` is the setting's words joined by blanks, as CONFIG GET answers them; several lines of
    one setting are joined by newlines or blanks. Bytes become a plain number, words of a closed
    list lower case, addresses sorted. A value that does not fit its kind stays as it is, so that
    it differs from every good one.
    """
    name = canonical_name(name)
    if name in _SPECIAL:
        return _SPECIAL[name](value)
    if name in BYTES:
        return _bytes(value)
    if name in NUMBERS:
        return _number(value)
    if name in WORDS:
        return value.lower()
    if name in PATHS:
        return _path(value)
    return value


def _bytes(value: str) -> str:
    """Write `512mb` as `536870912`; a percentage (maxmemory-clients) stays one."""
    text = value.strip().lower()
    digits = text.rstrip("bkmg")
    unit = _UNITS.get(text[len(digits) :])
    if unit is None or not (digits.isascii() and digits.isdigit()):
        return text
    return str(int(digits) * unit)


def _number(value: str) -> str:
    text = value.strip()
    digits = text[1:] if text.startswith(("-", "+")) else text
    return str(int(text)) if digits.isascii() and digits.isdigit() else value


def _path(value: str) -> str:
    """Drop `.`, doubled and trailing slashes; `..` stays, since it may cross a symbolic link."""
    parts = [part for part in value.split("/") if part not in ("", ".")]
    root = "/" if value.startswith("/") else ""
    return root + "/".join(parts) if value else ""


def _save(value: str) -> str:
    """Write save points as `3600 1 300 100`, in the file's order; none is the empty text."""
    return " ".join(_number(word) for word in value.replace('"', " ").split())


def _buffer_limits(value: str) -> str:
    """Write all three classes, in bytes and seconds; one not named has the server's default."""
    words = value.lower().split()
    if len(words) % 4:
        return value
    limits = dict(_BUFFER_LIMITS)
    for at in range(0, len(words), 4):
        kind = "replica" if words[at] == "slave" else words[at]
        limits[kind] = (_bytes(words[at + 1]), _bytes(words[at + 2]), _number(words[at + 3]))
    return " ".join(" ".join((kind, *limits[kind])) for kind in limits)


def _events(value: str) -> str:
    """Write the letters of notify-keyspace-events sorted, with A spelled out."""
    return "".join(sorted(set(value.replace("A", _ALL_EVENTS))))


def _percentiles(value: str) -> str:
    try:
        return " ".join(f"{each:g}" for each in sorted(map(float, value.split())))
    except ValueError:
        return value


def _addresses(value: str) -> str:
    """Sort the addresses: the server listens on all of them, whatever their order."""
    return " ".join(sorted(value.lower().split()))


def _oom_score_adj(value: str) -> str:
    """Servers answer `yes` to `relative`, which means the same."""
    word = value.lower()
    return "yes" if word == "relative" else word


def _octal(value: str) -> str:
    return value.lstrip("0") or "0"


def _replicaof(value: str) -> str:
    words = value.lower().split()
    return "" if words == ["no", "one"] else " ".join(words)


_SPECIAL = {
    "save": _save,
    "client-output-buffer-limit": _buffer_limits,
    "notify-keyspace-events": _events,
    "latency-tracking-info-percentiles": _percentiles,
    "unixsocketperm": _octal,
    "bind": _addresses,
    "oom-score-adj": _oom_score_adj,
    "replicaof": _replicaof,
}
