"""TOML text, both ways: reading a file within limits, writing a value, finding a line."""

from typing import Any

from keywright.errors import ProfileError

# A profile is written by hand; a parser should not be given more than a hand can write. Bytes.
LARGEST_FILE = 256 * 1024
# tomllib's time grows with the square of a dotted key's length. Characters.
LONGEST_LINE = 4096


def read_toml(text: str, path: str) -> dict[str, Any]:
    """Parse TOML; the line is in tomllib's own message."""
    import tomllib  # only when there is a file: `status` on the built-in profile needs no parser

    if len(text) > LARGEST_FILE:
        raise ProfileError(
            f"{path}: a file of {len(text)} characters is no profile, {LARGEST_FILE} are the limit",
            "is this the right file?",
        )
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LONGEST_LINE:
            raise ProfileError(
                f"{path}: line {number} has {len(line)} characters, {LONGEST_LINE} are the limit",
                "is this the right file?",
            )
    try:
        # An editor on Windows may have left a byte order mark, which TOML refuses.
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


def toml(value: object) -> str:
    """Write a value as TOML reads it back: text, numbers, true and false, lists of them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    return '"' + "".join(map(escaped, str(value))) + '"'


def escaped(letter: str) -> str:
    """Write one character inside double quotes."""
    if letter in '"\\':
        return "\\" + letter
    if ord(letter) < 32 or ord(letter) == 127:
        return f"\\u{ord(letter):04x}"
    return letter


def find_line(text: str, path: str) -> int:
    """Return the line, from 1, where the file sets this path, or 0 when it was not found.

    It reads headers and keys only, without values, so text that looks like a key inside a string
    of several lines could mislead it: it serves messages, and nothing is decided by it.
    """
    table: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().removeprefix("\ufeff")
        if line.startswith("["):
            table = words_of(line.strip("[] \t").partition("]")[0])
            if ".".join(table) == path:
                return number
        elif "=" in line and not line.startswith("#"):
            key = ".".join([*table, *words_of(line.partition("=")[0])])
            if key == path or key.startswith(f"{path}."):
                return number
    return 0


def words_of(dotted: str) -> list[str]:
    """Split a dotted key into its words, without quotes."""
    return [word.strip().strip("\"'") for word in dotted.split(".")]
