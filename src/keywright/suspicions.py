"""What looks like a mistake in a variable: left-over placeholders, kept comments and quotes, and
names that are nearly ours. Pure: texts in, sentences out; never a value in a sentence."""

import re
from collections.abc import Iterable

from keywright.fields import BY_NAME, FIELDS
from keywright.secret import MASK

# Names that other programs and older files use for the same thing.
_OTHER_NAMES = {
    "REDIS_URI": "REDIS_URL",
    "REDIS_PASS": "REDIS_PASSWORD",
    "REDIS_PWD": "REDIS_PASSWORD",
    "REDIS_AUTH": "REDIS_PASSWORD",
    "REDIS_USER": "REDIS_USERNAME",
    "REDIS_DATABASE": "REDIS_DB",
    "REDIS_TLS": "REDIS_SSL",
    "REDIS_USE_SSL": "REDIS_SSL",
    "REDIS_SSL_CA": "REDIS_SSL_CA_CERTS",
    "REDIS_TIMEOUT": "REDIS_SOCKET_TIMEOUT",
    "REDIS_MAX_CONNECTIONS": "REDIS_POOL_MAX_CONNECTIONS",
    "REDIS_PREFIX": "CACHE_PREFIX",
}
_ANGLE = re.compile(r"<[A-Z][A-Z0-9_ -]*>")
_DOLLAR = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(:?[-?+][^}]*)?\}")
_YOURS = re.compile(
    r"your[-_ ]([a-z0-9]+[-_ ])*(password|pass|secret|token|key|host)([-_ ]here)?", re.IGNORECASE
)
_CHANGE = re.compile(r"<?change[-_ ]?(me|this|it)>?!?", re.IGNORECASE)


def placeholder(text: str, whole: bool = True) -> str:
    """Say what a left-over placeholder in a value stands for, as a hint; "" if there is none.

    With `whole`, the value must be nothing but the placeholder (a password may hold a part that
    looks like one); else one inside counts, as in a URL or a host name.
    """
    search = _ANGLE.fullmatch if whole else _ANGLE.search
    if found := search(text):
        return f"put the real value where {found.group()} stands"
    search = _DOLLAR.fullmatch if whole else _DOLLAR.search
    if found := search(text):
        name = re.split(r"[^A-Za-z0-9_]", found.group()[2:])[0]
        return (
            f"{'${' + name + '}'} was not expanded: systemd and `docker run --env-file` never do "
            "it, so write the value itself, or set it in the environment"
        )
    if _YOURS.fullmatch(text) or _CHANGE.fullmatch(text):
        return 'make one: python -c "import secrets; print(secrets.token_urlsafe(32))"'
    if text == MASK or (MASK in text and not whole):
        return "this was copied from where secrets are masked; copy it from where it is kept"
    return ""


def kept_comment(text: str) -> bool:
    """Whether a value still has an inline comment behind it, as docker and systemd leave it."""
    return re.search(r"\s#", text) is not None


def kept_quotes(text: str) -> bool:
    """Whether a value stands in quotes that its reader did not take off."""
    return len(text) > 1 and text[0] == text[-1] and text[0] in "'\""


def near_names(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of a name that is not ours and the variable that was probably meant, in order."""
    pairs = []
    for name in names:
        if name not in BY_NAME and (meant := _meant(name)):
            pairs.append((name, meant))
    return pairs


def _meant(name: str) -> str:
    upper = name.upper().replace("-", "_")
    if upper in BY_NAME:
        return upper
    if upper in _OTHER_NAMES:
        return _OTHER_NAMES[upper]
    if len(upper) < 7:
        return ""
    limit = 1 if len(upper) < 12 else 2
    near = [(_distance(upper, field.name, limit), field.name) for field in FIELDS]
    best, meant = min(near)
    return meant if best <= limit else ""


def _distance(one: str, two: str, limit: int) -> int:
    """Edits between two words (a swap of neighbours is one), or limit + 1 when there are more."""
    if abs(len(one) - len(two)) > limit or len(set(one) ^ set(two)) > 2 * limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        last, row = row, [i]
        for j, b in enumerate(two, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = last
    return row[-1]
