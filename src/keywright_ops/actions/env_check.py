"""env check: how docker, compose, systemd and python-dotenv would read a .env, and where they disagree."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright.dotenv.compare import Finding, compare_dialects
from keywright.dotenv.dialects import file_bytes


class EnvCheckReport(NamedTuple):
    """The file and what is to be known about it; no findings when all read it alike."""

    path: str
    findings: tuple[Finding, ...]


def env_check(path: str, environ: Mapping[str, str]) -> EnvCheckReport:
    """Read the file as every program does. Raises SettingsError when it cannot be opened."""
    return EnvCheckReport(path, compare_dialects(file_bytes(path), environ))
