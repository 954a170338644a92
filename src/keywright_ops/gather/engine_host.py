"""Finds out which machine the Docker Engine runs on, as the docker program itself would."""

from collections.abc import Mapping

from keywright.errors import InputError, KeywrightError
from keywright_ops.facts.ssh import parse_context_endpoint
from keywright_ops.model.absence import Missing
from keywright_ops.model.engine_host import HERE, EngineHost, parse_engine_host
from keywright_ops.targets.target import Transport


def find_engine_host(declared: str, environ: Mapping[str, str], transport: Transport) -> EngineHost:
    """Return the host that the file declares (container.host, "" for none), else docker's own.

    That is DOCKER_HOST's, else that of the docker context in use; docker itself is asked only where
    another context than the default one is in use. Raises InputError for one that makes no sense.
    """
    for text, source in (
        (declared, "container.host"),
        (environ.get("DOCKER_HOST", ""), "DOCKER_HOST"),
    ):
        if text:
            return _parse(text, source)
    context = environ.get("DOCKER_CONTEXT") or _current(environ, transport)
    if context in ("", "default"):
        return EngineHost(HERE)
    import json  # only who uses contexts pays

    try:
        done = transport.run(("docker", "context", "inspect", "--", context))
        endpoint = parse_context_endpoint(json.loads(done.output or "[]"))
    except (KeywrightError, ValueError):
        endpoint = ""
    return _parse(endpoint, f"docker context {context}")


def _parse(text: str, source: str) -> EngineHost:
    try:
        return parse_engine_host(text, source)
    except ValueError as problem:
        raise InputError(
            f"{source} names no machine: {problem}", "write it as ssh://user@host:22"
        ) from None


def _current(environ: Mapping[str, str], transport: Transport) -> str:
    """The context in use, from docker's own file (starting docker for it would cost 30 ms)."""
    folder = environ.get("DOCKER_CONFIG") or f"{environ.get('HOME', '')}/.docker"
    content = transport.read(f"{folder}/config.json")
    if isinstance(content, Missing) or b'"currentContext"' not in content:
        return ""
    import json

    try:
        found = json.loads(content)
    except ValueError:
        return ""
    name = found.get("currentContext") if isinstance(found, dict) else ""
    return name if isinstance(name, str) else ""
