"""The documentation cannot drift: examples run, links lead somewhere, nothing is left out."""

import re
from pathlib import Path

import pytest
from tests.conftest import NOT_RUN
from tests.house.examples import READ, RUN, Stage, agrees, commands, examples, pages
from tests.house.tree import ROOT, SRC

# These start servers on the usual port: one after the other, also in a parallel run.
pytestmark = pytest.mark.xdist_group("usual port")
READY = (SRC / "keywright_ops/cli/main.py").exists()
NAMES = [str(page.relative_to(ROOT)) for page in pages()]


@pytest.mark.skipif(not READY, reason="the command line has no file yet")
@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_page_hold(name: str, tmp_path: Path):
    """Every example of a page does what the page says, in the page's order.

    Those that need a Docker Engine or a Linux host are run by tests/lab/test_readme_docker.py and
    test_readme_linux.py.
    """
    stage = Stage(tmp_path)
    try:
        for example in examples(ROOT / name):
            if example.lab:
                continue
            if example.kind in RUN and example.why is None:
                wrong = stage.play(example)
                assert wrong == "", f"{name}:{example.line}\n{wrong}"
            elif example.kind in RUN:
                NOT_RUN.append(f"{name}:{example.line}: {example.why}")
    finally:
        stage.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_block_has_a_kind_and_every_exception_a_reason(name: str):
    """A block says what it is; one that is not run says why, in words."""
    for example in examples(ROOT / name):
        assert example.kind in (*RUN, *READ), f"{name}:{example.line}: {example.kind!r}"
        assert example.why is None or len(example.why.split()) > 2, f"{name}:{example.line}"


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str):
    """A link to a file of the project leads to a file."""
    page = ROOT / name
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.skipif(not READY, reason="the command line has no file yet")
def test_every_command_is_in_the_reference():
    """Each command has its own heading in docs/reference/commands.md, and no other has one."""
    from keywright_ops.cli.main import COMMANDS

    text = (ROOT / "docs/reference/commands.md").read_text()
    headings = re.findall(r"^### `keywright ([a-z-]+)", text, re.MULTILINE)
    assert sorted(headings) == sorted(COMMANDS)


@pytest.mark.skipif(not READY, reason="the command line has no file yet")
def test_every_option_is_in_the_reference():
    """Each option of a command stands under that command, or among the options of all."""
    import argparse

    from keywright_ops.cli.arguments import common, load
    from keywright_ops.cli.main import COMMANDS

    text = (ROOT / "docs/reference/commands.md").read_text()
    sections = re.split(r"^###? ", text, flags=re.MULTILINE)
    common_section = next(each for each in sections if each.startswith("Options of every command"))
    common_section += next(each for each in sections if each.startswith("Looking\n"))
    missing = []
    for name in COMMANDS:
        parser = argparse.ArgumentParser(conflict_handler="resolve")  # as `build` makes it
        common(parser)
        load(name).arguments(parser)
        section = next(each for each in sections if re.match(rf"`keywright {name}[` ]", each))
        missing += [
            f"{name} {option}"
            for action in parser._actions
            for option in action.option_strings
            if f"`{option}" not in section + common_section
        ]
    assert missing == []


def test_the_sentences_of_a_linux_host_are_those_that_are_said():
    """What an entry of troubleshooting/linux.md begins with stands in the source, its longest fixed part."""
    source = "\n".join(path.read_text() for path in sorted(SRC.glob("keywright_ops/**/*.py")))
    source = re.sub(r'"\s*\n\s*f?"', "", source)  # one sentence in two lines
    text = (ROOT / "docs/troubleshooting/linux.md").read_text()
    said = re.findall(r"(?:\n\n|\| )`([^`]+)`", re.sub(r"\|[^|]*\|$", "", text, flags=re.M))
    variable = (
        r"HOST|NAME|…|[0-9][0-9:.]*|'[^']*'|/\S+|redis-server|valkey-server|Fedora Linux|Debian|nginx"
        r"|connection refused|ahead of|failed:|a site"
    )
    parts = [max(re.split(variable, each), key=len).strip() for each in said]
    assert len(parts) > 25
    assert [part for part in parts if part not in source] == []


def test_a_console_block_reads_as_commands_and_output():
    """Commands, their continuation lines and their output are told apart."""
    body = "$ one\nout\n\n$ two \\\n  more\n$ three\n…\nlast\n"
    expected = [("one", "out\n"), ("two \\\n  more", ""), ("three", "…\nlast")]
    assert list(commands(body)) == expected


def test_the_comparison_can_fail():
    """`…` stands for any text in a line or any lines; everything else is literal."""
    output = "first\nport 6379 taken\nlast\n"
    assert agrees("first\nport … taken\nlast", output)
    assert agrees("…\nlast", output)
    assert agrees("first\n…", output)
    assert not agrees("first\nlast", output)
    assert not agrees("first\nport … free\nlast", output)
    assert not agrees("port … taken", output)
