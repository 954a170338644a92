"""env check: how docker, compose, systemd and python-dotenv would read a .env, and where they disagree."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright.dotenv.compare import Finding, compare_dialects
from keywright.errors import SettingsError


class EnvCheckReport(NamedTuple):
    """The file and what is to be known about it; no findings when all read it alike."""

    path: str
    findings: tuple[Finding, ...]


def env_check(path: str, environ: Mapping[str, str]) -> EnvCheckReport:
    """Read the file as every program does. Raises SettingsError when it cannot be opened."""
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {(error.strerror or '').lower()}",
            "name the application's .env: keywright env check src/backend/.env",
        ) from None
    return EnvCheckReport(path, compare_dialects(content, environ))
