"""Finds what a command is about: keywright.toml at or above the working directory, and its state folder."""

import os
import sys
from binascii import crc32
from collections.abc import Iterator, Mapping
from stat import S_ISREG
from typing import NamedTuple

from keywright.errors import InputError, ProfileError
from keywright_ops.profile.declared import Profile
from keywright_ops.profile.load import built_in_profile, load_profile_bytes
from keywright_ops.profile.toml_text import LARGEST_FILE

FILE = "keywright.toml"


class Place(NamedTuple):
    """The project: its profile, its folder (where a .env of its own may lie) and that of its state."""

    profile: Profile
    folder: str
    state: str

    def home(self, environment: str) -> str:
        """The folder of one environment: vault, journal, configuration and, for `local`, the data."""
        return f"{self.state}/{environment}"


def find_place(file: str | None, environ: Mapping[str, str]) -> Place:
    """Find and load the profile.

    `file` is what --file names; without it keywright.toml is looked for in the working directory and
    above, as git looks for its repository. Without one the built-in profile holds, for the nearest
    folder at or above this one that has a state already, else for this one: so a keywright.toml that
    `init` writes here later finds the server that runs. Raises InputError or ProfileError.
    """
    root = state_root(environ)
    path = _absolute(file) if file else _search()
    if path is None:
        folder = _used(root)
        return Place(built_in_profile(), folder, state_folder(root, folder))
    profile = load_profile_bytes(_read(path), file or os.path.relpath(path))
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    project = folder if os.path.basename(path) == FILE else path
    return Place(profile, folder, state_folder(root, project))


def state_folder(root: str, project: str) -> str:
    """Return where a project's state lies: its name for people, and its whole path as a check sum.

    Two projects never share a server, and a new `app` or `prefix` in the file keeps the one it has.
    """
    mark = crc32(os.fsencode(project))  # no hashlib: loading OpenSSL costs `status` 3 ms
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in os.path.basename(project))
    return f"{root}/{name[:40] or 'root'}-{mark:08x}"


def _used(root: str) -> str:
    """The nearest folder at or above the working directory that has a state, else this one."""
    here = os.path.realpath(_here())
    used = (each for each in _upward(here) if os.path.isdir(state_folder(root, each)))
    return next(used, here)


def _upward(folder: str) -> Iterator[str]:
    """The folder and those above it, up to the root."""
    yield folder
    while os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        yield folder


def _absolute(file: str) -> str:
    return file if file.startswith("/") else os.path.join(_here(), file)


def _here() -> str:
    """Return the working directory. Raises InputError when somebody has removed it."""
    try:
        return os.getcwd()
    except OSError:
        raise InputError(
            "the folder you are in does not exist any more", "change to another one (cd ~)"
        ) from None


def _search() -> str | None:
    """The nearest keywright.toml at or above the working directory."""
    paths = (os.path.join(folder, FILE) for folder in _upward(_here()))
    return next((path for path in paths if os.path.lexists(path)), None)


def _read(path: str) -> bytes:
    """Read the file, but hardly more than a profile may have: a device or a pipe would never end."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, "rb") as stream:
            if not S_ISREG(os.fstat(handle).st_mode):
                raise ProfileError(f"{path} is not a file", "is this the right path?")
            return stream.read(LARGEST_FILE + 1)
    except IsADirectoryError:
        raise ProfileError(f"{path} is a folder, not a file") from None
    except FileNotFoundError:
        hint = "`keywright init` writes one; without one the built-in profile holds"
        raise ProfileError(f"{path} is not there", hint) from None
    except OSError as error:
        raise ProfileError(f"{path} cannot be read: {error.strerror}") from None


def state_root(environ: Mapping[str, str]) -> str:
    """Return the platform's state directory for Keywright (XDG on Linux, Application Support on macOS).

    Raises InputError when there is neither a home directory nor XDG_STATE_HOME.
    """
    # without links: the server tells its own folder so, and a link may point elsewhere tomorrow
    given = environ.get("XDG_STATE_HOME", "")
    if given.startswith("/"):
        return os.path.join(os.path.realpath(given), "keywright")
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise InputError(
            "there is no home directory to keep the state in",
            "set HOME, or XDG_STATE_HOME, to a folder of yours",
        )
    home = os.path.realpath(home)
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support", "keywright")
    return os.path.join(home, ".local", "state", "keywright")
