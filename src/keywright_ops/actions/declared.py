"""What an opened environment should be: its artefacts, with absolute paths, for the diff."""

from keywright_ops.actions.application_env import settle_dotenv
from keywright_ops.actions.environment import CHOICES, Opened, choices_text
from keywright_ops.model.artefact import WholeFile
from keywright_ops.render.acl import declared_users
from keywright_ops.render.artefacts import render
from keywright_ops.render.compose import configuration_folder
from keywright_ops.steps.diff import Declared


def declare(opened: Opened) -> Declared:
    """Render the environment's artefacts and name those that the server itself reads."""
    plan, base = opened.plan, opened.base
    files = {}
    for artefact in render(plan, opened.secrets):
        if isinstance(artefact, WholeFile):
            path = artefact.path if artefact.path.startswith("/") else f"{base}/{artefact.path}"
            file = artefact._replace(path=path)
            if artefact.path == plan.application.dotenv:
                file = settle_dotenv(file, opened)
            files[file.path] = file
    folder, compose = base, None
    if plan.container is not None:
        folder = f"{base}/{plan.directory}".rstrip("/")
        compose = files.pop(f"{folder}/{plan.container.compose_file}")
        folder = f"{folder}/{configuration_folder(plan.container.compose_file)}"
    conf = files.pop(f"{folder}/redis.conf")
    acl = files.pop(f"{folder}/users.acl")
    choices = WholeFile(f"{opened.home}/{CHOICES}", choices_text(plan), 0o600)
    return Declared(
        plan=plan,
        conf=conf,
        acl=acl,
        others=(choices, *files.values()),
        users=declared_users(plan, opened.secrets),
        drafted=opened.vault.drafted,
        compose=compose,
    )


def file_paths(declared: Declared) -> tuple[str, ...]:
    """Return the paths of everything that should exist."""
    return tuple(file.path for file in declared.files)
