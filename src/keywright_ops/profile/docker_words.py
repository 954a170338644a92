"""Values that docker and compose read as names: containers, services, projects, images. Pure."""

from keywright_ops.model.engine_host import SSH, parse_engine_host
from keywright_ops.profile.values import NotThat, called
from keywright_ops.profile.words import DIGITS, LOWER, parse_text, spelled


def parse_docker_name(value: object) -> str:
    """Read the name of a container, volume or network, by docker's rule."""
    letters = LOWER + LOWER.upper() + DIGITS
    text = parse_text(value)
    if not spelled(text, letters, letters + "_.-", 128) or len(text) < 2:
        hint = "docker takes letters, digits, _ . and -, the first a letter or digit, at least two"
        raise NotThat(f"{called(text)} is not a name that docker takes", hint)
    return text


def parse_service(value: object) -> str:
    """Read a compose service: it is also the host name that other containers use."""
    hint = 'write a host name such as "redis": lower-case letters, digits and -'
    text = parse_text(value)
    if not spelled(text, LOWER, LOWER + DIGITS + "-", 63) or text.endswith("-"):
        raise NotThat(f"{called(text)} is not a host name", hint)
    return text


def parse_project(value: object) -> str:
    """Read the name of a compose project, by the narrower of both compose generations' rules."""
    hint = 'write a name such as "esab-prod": lower-case letters, digits, - and _'
    text = parse_text(value)
    if not spelled(text, LOWER + DIGITS, LOWER + DIGITS + "-_", 80):
        raise NotThat(f"{called(text)} is not a name that compose takes for a project", hint)
    return text


def parse_image(value: object) -> str:
    """Read a docker image with its tag or digest; what moves under one's feet is refused."""
    text = parse_text(value)
    letters = LOWER + LOWER.upper() + DIGITS
    if not spelled(text, LOWER + DIGITS, letters + "_.-/:@", 255):
        hint = 'write an image with a tag, such as "redis:8.2"'
        raise NotThat(f"{called(text)} is not the name of an image", hint)
    name, _, digest = text.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]  # a registry's port stands before the slash
    if not digest and tag in ("", "latest"):
        reason = "names no version, and tomorrow another server would read the data"
        raise NotThat(f"{called(text)} {reason}", 'pin one by its tag, such as "redis:8.2"')
    return text


def parse_ssh_host(value: object) -> str:
    """Read ssh://USER@HOST:PORT, or "" for this machine."""
    hint = 'write host = "ssh://user@host", or "" for the machine that Keywright runs on'
    if not isinstance(value, str):
        raise NotThat(f"text in quotes is needed, not {called(value)}", hint)
    if not value:
        return ""
    try:
        if parse_engine_host(value).way == SSH:
            return value
    except ValueError as problem:
        raise NotThat(f"{called(value)}: {problem}", hint) from None
    raise NotThat(f"{called(value)} does not begin with ssh://", hint)
