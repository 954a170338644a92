"""People with servers of their own; whatever they started is ended by its pid."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.embedded.stranger import Person


@pytest.fixture(scope="session")
def rooms() -> Iterator[Callable[[], Path]]:
    """Short, world-passable folders: another user must be able to walk into theirs."""
    made: list[str] = []

    def room() -> Path:
        made.append(tempfile.mkdtemp(prefix="kw-"))
        os.chmod(made[-1], 0o755)
        return Path(made[-1])

    yield room
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def person(rooms: Callable[[], Path]) -> Iterator[Callable[..., Person]]:
    """Make people, each with a root of their own."""
    met: list[Person] = []

    def meet(*settings: str, **more: str) -> Person:
        met.append(Person(rooms() / "p", *settings, **more))
        return met[-1]

    yield meet
    for each in met:
        each.leave()


@pytest.fixture
def stranger(person: Callable[..., Person]) -> Person:
    """One person whose server does not run yet."""
    return person()


@pytest.fixture
def settled(stranger: Person) -> Person:
    """One person whose server runs, proven."""
    said = stranger.say("up")
    assert said.code == 0, said
    return stranger


@pytest.fixture(scope="module")
def neighbour(rooms: Callable[[], Path]) -> Iterator[Person]:
    """A person whose server runs for a whole file of tests that change nothing for good."""
    one = Person(rooms() / "p")
    said = one.say("up")
    assert said.code == 0, said
    yield one
    one.leave()
