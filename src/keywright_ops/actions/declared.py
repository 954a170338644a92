"""What an opened environment should be: its artefacts, with absolute paths, for the diff."""

from keywright_ops.actions.application_env import settle_dotenv
from keywright_ops.actions.environment import CHOICES, Opened, choices_text
from keywright_ops.facts.certificate import parse_pem
from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.certificates import Certificates
from keywright_ops.model.facts import Certificate
from keywright_ops.model.plan import Plan
from keywright_ops.plan.certificate import FOLDER
from keywright_ops.render.acl import declared_users
from keywright_ops.render.artefacts import render
from keywright_ops.render.compose import configuration_folder
from keywright_ops.steps.declared import Declared, conf_text
from keywright_ops.steps.files import digest


def declare(opened: Opened) -> Declared:
    """Render the environment's artefacts and name those that the server itself reads."""
    plan, base = opened.plan, opened.base
    files = {}
    certificates = opened.authority.certificates() if opened.authority else None
    for artefact in render(plan, opened.secrets, opened.vault.beside, certificates):
        if isinstance(artefact, WholeFile):
            if plan.unit is not None and _is_for_people(artefact, plan):
                continue
            path = artefact.path if artefact.path.startswith("/") else f"{base}/{artefact.path}"
            file = artefact._replace(path=path)
            if artefact.path == plan.application.dotenv:
                file = settle_dotenv(file, opened)
            files[file.path] = file
    own = authority_files(opened.home, certificates)
    folder, compose = base, None
    if plan.container is not None:
        folder = f"{base}/{plan.directory}".rstrip("/")
        compose = files.pop(f"{folder}/{plan.container.compose_file}")
        folder = f"{folder}/{configuration_folder(plan.container.compose_file)}"
    path, beneath = f"{folder}/redis.conf", ""
    if plan.unit is not None:
        folder, path = plan.unit.config_directory, plan.unit.conf
    conf = files.pop(path)
    if plan.unit is not None:
        conf, beneath = _within(opened, conf)
    acl = files.pop(f"{folder}/users.acl")
    choices = WholeFile(f"{opened.home}/{CHOICES}", choices_text(plan), 0o600)
    return Declared(
        plan=plan,
        conf=conf,
        acl=acl,
        others=(
            choices,
            *own,
            *(each for path, each in files.items() if path not in paths_of(own)),
        ),
        users=declared_users(plan, opened.secrets, opened.vault.beside),
        drafted=opened.vault.drafted,
        compose=compose,
        certificate=served(opened, certificates),
        beneath=beneath,
    )


def _is_for_people(file: WholeFile, plan: Plan) -> bool:
    """Whether it is what `render` gives a person in Keywright's stead: ufw.sh, the clouds' rules."""
    return not file.path.startswith("/") and file.path != plan.application.dotenv


def _within(opened: Opened, conf: WholeFile) -> tuple[WholeFile, str]:
    """Return redis.conf as it becomes when ours stands within what lies there, and what lies there."""
    found = opened.target.transport.read(conf.path)
    if isinstance(found, Missing):
        return conf._replace(content=conf_text(opened.plan, "")), ""
    beneath = found.decode("utf-8", "surrogateescape")
    made_from = digest(beneath)
    return conf._replace(content=conf_text(opened.plan, beneath), made_from=made_from), beneath


def authority_files(home: str, certificates: Certificates | None) -> tuple[WholeFile, ...]:
    """Return the authority's own files in the environment's folder, in the order that survives a crash:
    whoever reads them after the first one finds what the rest must become."""
    if certificates is None:
        return ()
    found = []
    if certificates.authority is not None:
        found.append(WholeFile(f"{home}/{FOLDER}/ca.key", certificates.authority, 0o600))
    return (
        *found,
        WholeFile(f"{home}/{FOLDER}/ca.crt", certificates.ca, 0o644),
        WholeFile(f"{home}/{FOLDER}/server.key", certificates.key, 0o600),
        WholeFile(f"{home}/{FOLDER}/server.crt", certificates.certificate, 0o644),
    )


def paths_of(files: tuple[WholeFile, ...]) -> frozenset[str]:
    """Return where these files lie."""
    return frozenset(each.path for each in files)


def served(opened: Opened, own: Certificates | None) -> Certificate | Missing:
    """Return the certificate that is to be served; Missing where none can be read from here."""
    return opened.certificate if own is None else parse_pem(own.certificate)


def file_paths(declared: Declared) -> tuple[str, ...]:
    """Return the paths of everything that should exist."""
    return tuple(file.path for file in declared.files)
