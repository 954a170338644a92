"""The programs that read .env files, each by name, and reading a file or a text as one of them."""

from collections.abc import Callable, Mapping

from keywright.dotenv.compose import read_compose
from keywright.dotenv.docker import read_docker
from keywright.dotenv.python_dotenv import read_compose1, read_dotenv
from keywright.dotenv.reading import Lookup, Reading
from keywright.dotenv.shell import read_shell
from keywright.dotenv.systemd import read_systemd
from keywright.errors import SettingsError

READERS: dict[str, Callable[[str, Lookup], Reading]] = {
    "dotenv": read_dotenv,
    "compose": read_compose,
    "systemd": read_systemd,
    "docker": read_docker,
    "compose1": read_compose1,
    "shell": read_shell,
}
DIALECTS = tuple(READERS)

# What a person calls each of them.
TITLES = {
    "dotenv": "python-dotenv",
    "compose": "docker compose",
    "systemd": "systemd",
    "docker": "docker run --env-file",
    "compose1": "docker-compose 1.29",
    "shell": "a shell",
}


def read(text: str, dialect: str, environment: Mapping[str, str] | None = None) -> Reading:
    """Read the text of a .env file as the program of `dialect` does.

    `environment` (empty when None) is what `${NAME}` may name. Raises SettingsError for a dialect
    that is not one of DIALECTS; what the program itself refuses is told by `Reading.refused`.
    """
    reader = READERS.get(dialect)
    if reader is None:
        raise SettingsError(
            f"there is no .env dialect {dialect!r}", f"one of {', '.join(DIALECTS)}"
        )
    return reader(text, environment or {})


def decode_file(data: bytes, name: str = "the file") -> str:
    """Decode a .env file. Raises SettingsError, with the line, for what is not UTF-8 text."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"line {line} of {name} is not UTF-8"
    else:
        if "\0" not in text:
            return text
        where = f"{name} holds a NUL in line {text[: text.index(chr(0))].count(chr(10)) + 1}"
    raise SettingsError(
        f"{where}, so it is no text that every program reads",
        "save it as UTF-8 text; is it the right file?",
    )


def file_bytes(path: str) -> bytes:
    """Read a .env file. Raises SettingsError when it cannot be opened."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {(error.strerror or 'unknown error').lower()}",
            "name the application's .env file, and see who may read it",
        ) from None


def load_file(
    path: str, dialect: str = "dotenv", environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Read the variables of a .env file as the program of `dialect` does.

    Raises SettingsError when the file cannot be opened, is not text, or is refused by the program.
    """
    reading = read(decode_file(file_bytes(path), path), dialect, environment)
    if reading.refused:
        raise SettingsError(
            f"{path} is refused as {TITLES[dialect]} reads it: {reading.refused}",
            f"keywright env check {path} says how each program reads it",
        )
    return reading.values()
