"""render: write every artefact of any environment, for a person to read and to use by hand."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from keywright.errors import ApplyError, InputError
from keywright.secret import Secret
from keywright_ops.actions.certificate import authority_of
from keywright_ops.actions.declared import authority_files
from keywright_ops.actions.environment import choose_secrets, open_plan
from keywright_ops.apply.lock import lock
from keywright_ops.model.artefact import Artefact, WholeFile
from keywright_ops.model.certificates import Certificates
from keywright_ops.model.plan import Plan
from keywright_ops.render.artefacts import render
from keywright_ops.render.nginx import render_passwords
from keywright_ops.steps.files import digest
from keywright_ops.targets.local import LocalTransport
from keywright_ops.vault.file import Vault

# Rendered in place of a password: letters only, so that no quoting or URL encoding changes it.
STAND_IN = Secret("keywrightstandsinforasecret")
ASTERISKS = "********"
# What is shown for certificates that `write` makes.
PEM = "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n"
SHOWN = Certificates(None, PEM, PEM, Secret(f"{STAND_IN.reveal()}\n"))


class RenderReport(NamedTuple):
    """The plan, its artefacts, and where the files were written ("" when only shown)."""

    plan: Plan
    artefacts: tuple[Artefact, ...]
    folder: str
    written: tuple[str, ...]


def show(file: str | None, environment: str | None, environ: Mapping[str, str]) -> RenderReport:
    """Render for reading: asterisks stand where `write` puts passwords; nothing is kept."""
    _, plan = open_plan(file, environment, environ, ask_host=True)
    return RenderReport(plan, masked(plan), "", ())


def masked(plan: Plan) -> tuple[Artefact, ...]:
    """Return the artefacts with asterisks for every password, and for the hashes in users.acl."""
    secrets = {user.secret: STAND_IN for user in plan.users} | {"default": STAND_IN}
    if plan.insight is not None and plan.insight.secret:
        secrets[plan.insight.secret] = STAND_IN
    artefacts = render(plan, secrets, certificates=SHOWN)
    return tuple(
        each._replace(content=starred(each.text())) if isinstance(each, WholeFile) else each
        for each in artefacts
    )


def starred(text: str) -> str:
    """Put asterisks where the stand-in, or a hash of it, was rendered."""
    word = STAND_IN.reveal()
    text = text.replace(render_passwords(STAND_IN).rpartition(":")[2], f"{ASTERISKS}\n")
    return text.replace(digest(word), ASTERISKS).replace(word, ASTERISKS)


def write(
    file: str | None, environment: str | None, environ: Mapping[str, str], out: str
) -> RenderReport:
    """Render into the folder `out`; new passwords are kept in the vault first.

    A file on the target's host (/etc/…) goes to out/etc/…. Files with secrets are for you alone.
    Raises InputError when `out` is not a folder, ApplyError when it cannot be written.
    """
    if os.path.lexists(out) and not os.path.isdir(out):
        raise InputError(f"{out} is not a folder", "name a folder for the artefacts: -o out/")
    place, plan = open_plan(file, environment, environ, ask_host=True)
    home = place.home(plan.environment)
    transport = LocalTransport()
    with lock(f"{home}/lock", "keywright render"):
        vault = Vault(transport, f"{home}/vault.json")
        secrets = choose_secrets(plan, vault, place, environ)
        authority = authority_of(plan, transport)
        certificates = authority.certificates() if authority else None
        artefacts = render(plan, secrets, vault.beside, certificates)
        if vault.drafted:
            vault.keep(vault.drafted)
        for own in authority_files(home, certificates):
            _write(transport, own.path, own)
        written = []
        for artefact in artefacts:
            if isinstance(artefact, WholeFile):
                path = os.path.join(out, _inside(artefact.path, home))
                _write(transport, path, artefact)
                written.append(path)
    return RenderReport(plan, artefacts, out, tuple(written))


def _inside(path: str, home: str) -> str:
    """Where an artefact goes below the output folder."""
    return path.removeprefix(f"{home}/").lstrip("/")


def _write(transport: LocalTransport, path: str, file: WholeFile) -> None:
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ApplyError(f"cannot make {folder}: {error.strerror}") from None
    transport.write(path, file.text().encode("utf-8", "surrogateescape"), file.mode)
