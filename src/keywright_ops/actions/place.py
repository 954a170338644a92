"""Finds what a command is about: keywright.toml at or above the working directory, and its state folder."""

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

from keywright.errors import InputError, ProfileError
from keywright_ops.profile.declared import Profile
from keywright_ops.profile.load import built_in_profile, load_profile_bytes

FILE = "keywright.toml"


class Place(NamedTuple):
    """The project: its profile, the folder of keywright.toml ("" without one) and of its state."""

    profile: Profile
    folder: str
    state: str

    def home(self, environment: str) -> str:
        """The folder of one environment: vault, journal, configuration and, for `local`, the data."""
        return f"{self.state}/{environment}"


def find_place(file: str | None, environ: Mapping[str, str]) -> Place:
    """Find and load the profile.

    `file` is what --file names; without it keywright.toml is looked for in the working directory and
    above, as git looks for its repository; without one the built-in profile holds everywhere.
    Raises InputError or ProfileError, always naming the file.
    """
    path = os.path.abspath(file) if file else _search()
    if path is None:
        profile = built_in_profile()
        return Place(profile, "", f"{state_root(environ)}/{profile.app}")
    profile = load_profile_bytes(_read(path), os.path.relpath(path))
    folder = os.path.dirname(os.path.realpath(path))
    from hashlib import sha256  # loads OpenSSL (3 ms): only a project with a file of its own

    # two projects with the same app name must never share a server
    mark = sha256(folder.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return Place(profile, folder, f"{state_root(environ)}/{profile.app}-{mark}")


def _search() -> str | None:
    folder = os.getcwd()
    while True:
        path = os.path.join(folder, FILE)
        if os.path.lexists(path):
            return path
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
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
    given = environ.get("XDG_STATE_HOME", "")
    if given.startswith("/"):
        return os.path.join(given, "keywright")
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise InputError(
            "there is no home directory to keep the state in",
            "set HOME, or XDG_STATE_HOME, to a folder of yours",
        )
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support", "keywright")
    return os.path.join(home, ".local", "state", "keywright")
