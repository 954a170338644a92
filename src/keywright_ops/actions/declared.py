"""What an opened local environment should be: its artefacts, with absolute paths, for the diff."""

from keywright_ops.actions.environment import CHOICES, Opened, choices_text
from keywright_ops.model.artefact import WholeFile
from keywright_ops.render.acl import declared_users
from keywright_ops.render.artefacts import render
from keywright_ops.steps.diff import Declared


def declare(opened: Opened) -> Declared:
    """Render the environment's artefacts and name those that the server itself reads."""
    files = {}
    for artefact in render(opened.plan, opened.secrets, opened.vault.beside):
        if isinstance(artefact, WholeFile):
            path = (
                artefact.path if artefact.path.startswith("/") else f"{opened.home}/{artefact.path}"
            )
            files[path] = artefact._replace(path=path)
    conf = files.pop(f"{opened.home}/redis.conf")
    acl = files.pop(f"{opened.home}/users.acl")
    choices = WholeFile(f"{opened.home}/{CHOICES}", choices_text(opened.plan), 0o600)
    return Declared(
        plan=opened.plan,
        conf=conf,
        acl=acl,
        others=(choices, *files.values()),
        users=declared_users(opened.plan, opened.secrets, opened.vault.beside),
        drafted=opened.vault.drafted,
    )


def file_paths(declared: Declared) -> tuple[str, ...]:
    """Return the paths of everything that should exist."""
    return tuple(file.path for file in (declared.conf, declared.acl, *declared.others))
