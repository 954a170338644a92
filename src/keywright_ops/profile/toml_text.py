"""TOML text, both ways: a value written as TOML, and the line where the file says something."""


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
