"""What a refused command may not have touched: the engine's objects, the project's files, the state kept."""

from pathlib import Path
from typing import NamedTuple

from tests.embedded.stranger import Said
from tests.lab.person import DockerPerson

# What a command may leave that changed nothing: that it ran, and new passwords, which the next one takes.
TRACES = {"lock", "journal.jsonl", "vault.json"}


class World(NamedTuple):
    """Everything that a refused command must leave as it was."""

    containers: frozenset[str]
    networks: frozenset[str]
    volumes: frozenset[str]
    files: frozenset[tuple[str, bytes]]


def world(person: DockerPerson) -> World:
    """Look at everything."""
    docker = person.engine.docker
    row = "{{.ID}} {{.Names}} {{.Image}} {{.State}} {{.Ports}}"
    return World(
        frozenset(docker("ps", "-a", "--format", row).stdout.splitlines()),
        frozenset(docker("network", "ls", "--format", "{{.Name}}").stdout.split()),
        frozenset(docker("volume", "ls", "--format", "{{.Name}}").stdout.split()),
        frozenset(
            (str(path), path.read_bytes())
            for folder in (person.project, Path(person.environ["HOME"]) / ".local")
            for path in folder.rglob("*")
            if path.is_file() and path.name not in TRACES and "undo" not in path.parts
        ),
    )


def refused(person: DockerPerson, before: World, code: int, *words: str, verb: str = "up") -> str:
    """Say it, and hold what holds for every refusal; return what was said.

    One sentence and one hint on standard error (a server's own last words may stand after it), the exit
    code, and a world that is as before.
    """
    said = person.say(verb, *words)
    assert (code, True) == (said.code, _short(said)), said
    after = world(person)
    for name, was, now in zip(World._fields, before, after, strict=True):
        assert not now - was, f"{name}: new is {_names(now - was)}"
        assert not was - now, f"{name}: gone is {_names(was - now)}"
    return said.err


def _short(said: Said) -> bool:
    lines = said.err.strip().splitlines()
    hints = [line for line in lines if line.startswith("  hint: ")]
    longest = 4 if "hint: the server's last words:" in said.err else 2
    return lines[0].startswith("keywright: ") and len(hints) <= 1 and len(lines) <= longest


def _names(things: frozenset[object]) -> list[str]:
    return sorted(str(each)[:120] for each in things)
