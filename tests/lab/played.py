"""Pages of the documentation that are played in the lab: which they are, and the stage for one of them."""

from pathlib import Path

from tests.embedded.stranger import Person
from tests.house.examples import RUN, Example, Stage, commands, examples, pages
from tests.house.tree import ROOT


class PersonStage(Stage):
    """The project of somebody in the lab, in which a page is played."""

    patience = 240  # seconds; containers and packages are waited for

    def __init__(self, folder: Path, person: Person) -> None:
        super().__init__(folder)
        tools = self.environment["PATH"].partition(":")[0]
        self.folder, self.prefix = person.project, person.prefix
        self.environment = {
            **person.environ,
            "PATH": f"{tools}:{person.environ['PATH']}",
            "NO_COLOR": "1",
        }


def pages_for(lab: str) -> list[str]:
    """The names of the pages with blocks that say `lab: …`."""
    return [
        str(page.relative_to(ROOT))
        for page in pages()
        if any(each.lab == lab for each in examples(page))
    ]


def blocks(name: str, lab: str) -> list[Example]:
    """The blocks of a page that say `lab: …`, in order."""
    return [each for each in examples(ROOT / name) if each.lab == lab]


def shown(name: str, lab: str) -> list[str]:
    """Every command of these blocks."""
    return [command for each in blocks(name, lab) for command, _ in commands(each.body)]


def play(name: str, lab: str, stage: Stage) -> None:
    """Every command of the page, in order, prints what the page shows; AssertionError where not."""
    for example in blocks(name, lab):
        assert example.kind in RUN, f"{name}:{example.line}: only what runs can be marked"
        wrong = stage.play(example)
        assert "" == wrong, f"{name}:{example.line}\n{wrong}"
