"""Writing one line of a .env file so that as many programs as possible read the value back.

The readers of this package are the judges: each way of quoting is tried, and the one that most of
them read back to the same text is taken. Pure.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from keywright.dotenv.dialects import DIALECTS, TITLES, read
from keywright.errors import SettingsError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Quoting(NamedTuple):
    """A value as it is written behind NAME=, and who reads it back.

    `reads` and `fails` together are the dialects that were asked about; `why` is a sentence for a
    person, "" when all of them read it.
    """

    text: str
    reads: tuple[str, ...]
    fails: tuple[str, ...]
    why: str


def quote_for(dialects: Sequence[str], value: str) -> Quoting:
    """Quote a value so that every one of `dialects` reads it back, or as many as possible.

    When not all can, those that stand first in `dialects` count most. Raises SettingsError for a
    value that no line can hold: a line break, a NUL, text that is not valid unicode.
    """
    _check_value(value)
    best: Quoting | None = None
    for way in _WAYS:
        text = way(value)
        reads = tuple(each for each in dialects if _reads_back(each, text, value))
        if len(reads) == len(dialects):
            return Quoting(text, reads, (), "")
        if best is None or _rank(reads, dialects) > _rank(best.reads, dialects):
            fails = tuple(each for each in dialects if each not in reads)
            best = Quoting(text, reads, fails, _why(value, fails))
    assert best is not None
    return best


def write_line(name: str, value: str, must: Sequence[str] = ()) -> str:
    """Write NAME=value, without a line break at its end, in the quoting that most programs share.

    `must` names dialects that have to read it. Raises SettingsError, without the value, when one
    of those cannot, when no program can, and for a name or a value that no line can hold.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{name!r} is not the name of a variable", "letters, digits and _, no digit first"
        )
    order = (*must, *(each for each in DIALECTS if each not in must))
    try:
        quoting = quote_for(order, value)
        if must and set(must) - set(quoting.reads):
            quoting = quote_for(must, value)
    except SettingsError as error:
        raise SettingsError(f"{name} {error}", error.hint) from None
    lost = [each for each in must if each in quoting.fails] or ([] if quoting.reads else ["any"])
    if lost:
        who = " and ".join(TITLES.get(each, "any program") for each in lost)
        raise SettingsError(
            f"{name} cannot be written so that {who} reads it back: {quoting.why}",
            "choose a value of letters, digits and _ - . only",
        )
    return f"{name}={quoting.text}"


def _check_value(value: str) -> None:
    hint = "choose another value; a line of a .env file holds one line of text"
    if "\n" in value or "\r" in value:
        raise SettingsError("holds a line break, which a .env file cannot hold", hint)
    if "\0" in value:
        raise SettingsError("holds a NUL, which no environment can hold", hint)
    try:
        value.encode()
    except UnicodeEncodeError:
        pass  # the cause would show the value; raise without it
    else:
        return
    raise SettingsError("is not valid unicode", hint)


def _rank(reads: Sequence[str], dialects: Sequence[str]) -> tuple[int, list[bool]]:
    return len(reads), [each in reads for each in dialects]


def _reads_back(dialect: str, text: str, value: str) -> bool:
    """Whether the line is read back among others, whose quotation marks could end what it opens."""
    lines = f"KW_BEFORE='a'\nKW={text}\nKW_AFTER='b'\nKW_LAST=\"c\"\n"
    return read(lines, dialect).values().get("KW") == value


def _why(value: str, fails: Sequence[str]) -> str:
    """Say who does not read the chosen quoting, and whether another one would serve it."""
    never = [
        each for each in fails if not any(_reads_back(each, way(value), value) for way in _WAYS)
    ]
    other = [each for each in fails if each not in never]
    said = []
    if never:
        said.append(f"{_and(never)} cannot read it back, however it is quoted")
    if other:
        said.append(f"{_and(other)} would need another quoting than the rest")
    return "; ".join(said)


def _and(dialects: Sequence[str]) -> str:
    return " and ".join(TITLES[each] for each in dialects)


def _bare(value: str) -> str:
    return value


def _single(value: str) -> str:
    return "'" + value.replace("'", "\\'") + "'"


def _double(value: str) -> str:
    return '"' + re.sub(r'([\\"$`])', r"\\\1", value) + '"'


def _double_dollar_bare(value: str) -> str:
    return '"' + re.sub(r'([\\"])', r"\\\1", value) + '"'


def _single_escaped(value: str) -> str:
    return "'" + re.sub(r"([\\'])", r"\\\1", value) + "'"


def _joined(value: str) -> str:
    """'it'"'"'s': what shells and systemd read as one word."""
    return "'" + value.replace("'", "'\"'\"'") + "'"


def _for_dotenv(value: str) -> str:
    """`${:-$}` puts a $ where a ${ would otherwise name a variable; `${:-}`, which is nothing, keeps
    a backslash at the end away from the quotation mark (python-dotenv before 1.2 needs that)."""
    end = "${:-}" if value.endswith("\\") else ""
    return _single_escaped(value.replace("${", "${:-$}{") + end)


# In this order, so that of ways equally well read the plainest is taken.
_WAYS: tuple[Callable[[str], str], ...] = (
    _bare,
    lambda value: f"'{value}'",
    lambda value: f'"{value}"',
    _double,
    _double_dollar_bare,
    _single_escaped,
    _single,
    _joined,
    _for_dotenv,
)
