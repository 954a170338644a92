"""Reads what OpenSSH and a docker program behind it say when they fail, and docker's own files."""

from typing import Any

from keywright_ops.model.engine_host import EngineHost

# What ssh prints, in lower case → our sentence (about the host) and what a person can do.
COMPLAINTS = (
    (
        "remote host identification has changed",
        "the host key of {host} is another one than before",
        "was it set up anew? Then ssh-keygen -R '{known}'; if not, somebody may stand in between",
    ),
    (
        "host key verification failed",
        "the host key of {host} is not known here",
        "log in once by hand and compare its fingerprint: {login}",
    ),
    (
        "permission denied",
        "{host} takes neither your key nor a password",
        "name the key with --key FILE (only you may read it); this has to work: {login}",
    ),
    (
        "too many authentication failures",
        "{host} takes neither your key nor a password",
        "name the key with --key FILE (only you may read it); this has to work: {login}",
    ),
    ("could not resolve hostname", "there is no host called {host}", "is {source} right?"),
    (
        "address already in use",
        "the local port was taken meanwhile",
        "choose another one with --local-port",
    ),
)
NOT_REACHED = ("connection refused", "timed out", "no route to host", "network is unreachable")
AWAY = "does ssh listen there, is the port right, does a firewall or VPN stand in between?"


def parse_ssh_failure(errors: str, host: EngineHost) -> tuple[str, str]:
    """Return the sentence and the hint for what ssh printed before it ended."""
    # (what a channel says is about the service behind an open tunnel, not about ssh)
    lines = [line.strip() for line in errors.splitlines() if not line.startswith("channel ")]
    text = "\n".join(lines).lower()
    port = f" -p {host.port}" if host.port else ""
    words = {
        "host": host.host,
        "source": host.source,
        "login": f"ssh{port} {host.destination}",
        "known": f"[{host.host}]:{host.port}" if host.port not in (0, 22) else host.host,
    }
    for part, sentence, hint in COMPLAINTS:
        if part in text:
            return sentence.format(**words), hint.format(**words)
    for part in NOT_REACHED:
        if part in text:
            return f"{host.host} cannot be reached by ssh: {part}", AWAY
    last = next((line for line in reversed(lines) if line), "it gave no reason")
    return f"ssh to {host.host} ended: {last}", AWAY


def parse_address(networks: Any, network: str) -> str:
    """Return a container's address on a network from .NetworkSettings.Networks; "" when it has none."""
    found = networks.get(network) if isinstance(networks, dict) else None
    address = found.get("IPAddress") if isinstance(found, dict) else None
    return address if isinstance(address, str) else ""


def parse_context_endpoint(contexts: Any) -> str:
    """Return the engine that `docker context inspect` names; "" when it names none."""
    try:
        found = contexts[0]["Endpoints"]["docker"]["Host"]
    except (LookupError, TypeError):
        return ""
    return found if isinstance(found, str) else ""
