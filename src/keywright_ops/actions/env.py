"""env: the application's .env, and what is wrong with one that exists."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from keywright.errors import InputError
from keywright_ops.actions.environment import choose_secrets, open_plan
from keywright_ops.actions.render import STAND_IN, starred
from keywright_ops.apply.lock import lock
from keywright_ops.model.plan import Plan
from keywright_ops.render.dotenv import render_dotenv
from keywright_ops.render.dotenv_lines import HEADER
from keywright_ops.targets.local import LocalTransport
from keywright_ops.vault.file import Vault


class EnvReport(NamedTuple):
    """The .env's text with the password (`masked` without it), and where it was written."""

    plan: Plan
    text: str
    masked: str
    path: str


def env(
    file: str | None,
    environment: str | None,
    environ: Mapping[str, str],
    write: str | None,
    reveal: bool = False,
) -> EnvReport:
    """Render the application's .env, and with `write` put it there, readable by you alone.

    A password that is told (`write` or `reveal`) is kept first, so that it is the one that will hold.
    An existing file that Keywright did not write is never replaced: InputError.
    """
    place, plan = open_plan(file, environment, environ)
    home = place.home(plan.environment)
    transport = LocalTransport()
    vault = Vault(transport, f"{home}/vault.json")
    secrets = choose_secrets(plan, vault, place, environ)
    masked = starred(render_dotenv(plan, dict.fromkeys(secrets, STAND_IN)))
    report = EnvReport(plan, render_dotenv(plan, secrets), masked, "")
    path = "" if write is None else os.path.abspath(write)
    if path:
        _refuse_foreign(path)
    if vault.drafted and (path or reveal):
        with lock(f"{home}/lock", "keywright env"):
            vault.keep(vault.drafted)
    if path:
        transport.write(path, report.text.encode("utf-8", "surrogateescape"), 0o600)
    return report._replace(path=path)


def _refuse_foreign(path: str) -> None:
    """Only a file that Keywright wrote may be replaced: anybody else's may hold more than ours."""
    if not os.path.lexists(path):
        return
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            ours = HEADER.match(stream.read(400)) is not None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if not ours:
        raise InputError(
            f"{path} is there and was not written by Keywright",
            "name another file, or move it away first",
        )
