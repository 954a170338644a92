"""Keywright's own certificate: where its files lie, and for which names it is made."""

from collections.abc import Iterator

from keywright_ops.model.plan import Application, Container, Listen
from keywright_ops.plan.directives import DOCKER_CONFIG
from keywright_ops.profile.declared import Values

FOLDER = "tls"  # below the folder of redis.conf, and below the environment's own state
# Where an application in a container finds the authority's file, which a person mounts there.
MOUNTED = "/certs/ca.crt"
ALWAYS = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("*", "::*", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


def suffix(compose_file: str) -> str:
    """Return what tells the files of one compose file from another's: "-prod", or "" for the plain.

    Two compose files may share a folder, as in the guide.
    """
    stem = compose_file.rpartition("/")[2].rpartition(".")[0]
    rest = stem.removeprefix("docker-").removeprefix("compose").strip(".-")
    return f"-{rest}" if rest else ""


def authority_file(container: Container, directory: str) -> str:
    """Return the authority's file for applications, from the project's folder."""
    base = f"{directory}/" if directory else ""
    return f"{base}ca{suffix(container.compose_file)}.crt"


def authority_for_application(
    values: Values, listen: Listen, container: Container | None, folder: str
) -> str:
    """Return the authority's file where the application runs; "" is the system's.

    `folder` is the project's, absolute, or "" where nobody knows it.
    """
    tls = listen.tls
    if tls is None or not tls.own:
        return tls.ca_cert_file if tls else ""
    if values.text("app.runs_in") == "container":
        return MOUNTED
    if container is None:
        return tls.ca_cert_file
    path = authority_file(container, values.text("directory"))
    return f"{folder}/{path}" if folder else path


def place_certificate(
    values: Values,
    listen: Listen,
    container: Container | None,
    application: Application,
    home: str,
    folder: str,
) -> Listen:
    """Return the same with what Keywright must know of the certificate: its files here, its names.

    Its own lies in the environment's `home`; a person's beside the compose file, or where it says.
    """
    tls = listen.tls
    if tls is None:
        return listen
    paths = (tls.cert_file, tls.key_file, tls.ca_cert_file)
    if not tls.own:
        on_host = tuple(_on_host(each, values, container, folder) for each in paths)
        return listen._replace(tls=tls._replace(here=(on_host[0], on_host[1], on_host[2])))
    own = f"{home}/{FOLDER}"
    here = (f"{own}/server.crt", f"{own}/server.key", f"{own}/ca.crt")
    found = dict.fromkeys(_names(values, listen, container, application))
    names = tuple(name for name in found if name and name not in EVERYWHERE)
    return listen._replace(tls=tls._replace(here=here, names=names))


def _on_host(path: str, values: Values, container: Container | None, folder: str) -> str:
    """Where a file of the container lies on the host: its folder is mounted beside the compose file."""
    if container is None:
        return path
    inside, _, name = path.rpartition("/")
    mounted = inside.rpartition("/")[2]
    if path.startswith(DOCKER_CONFIG + "/"):
        mounted = f"redis{suffix(container.compose_file)}{inside.removeprefix(DOCKER_CONFIG)}"
    return f"{folder}/{values.text('directory')}/{mounted}/{name}"


def _names(
    values: Values, listen: Listen, container: Container | None, application: Application
) -> Iterator[str]:
    if container is not None:
        yield from (container.service, container.name)
        yield container.publish.rpartition(":")[0].strip("[]")
    yield from ALWAYS
    yield from (each.removeprefix("-") for each in listen.bind if isinstance(each, str))
    if isinstance(application.host, str):
        yield application.host
    yield from values.words("tls.names")
