"""The documentation's examples, and how each kind is tried.

    ```console   lines that begin with `$ ` are commands, the rest is what they print; `…` stands
                 for any text, alone on a line for any number of lines; a command shown alone ends with 0
    ```sh        a script; it ends with 0
    ```toml      a profile; it loads
    ```python    a program; it ends with 0
    anything else (text, yaml, ini, json, dotenv, nginx) is only read

`<!-- not run: reason -->` before a block says that no test runs it, and why.
`<!-- lab: docker -->` before a block says that it needs a Docker Engine, `<!-- lab: linux -->` a Linux host:
tests/lab/test_readme_docker.py and test_readme_linux.py run it in the lab, with the others of its page
that say the same, in a folder of their own.
The blocks of one page run in order, in one empty folder that is also HOME.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.house.tree import ROOT, SRC

RUN = ("console", "sh", "toml", "python")
READ = ("", "text", "yaml", "ini", "json", "dotenv", "nginx", "make", "redis")

BLOCK = re.compile(
    r"^(?:<!-- (?:not run: (?P<why>[^\n]*?)|lab: (?P<lab>docker|linux)) -->\n\n?)?"
    r"```(?P<kind>[^\n]*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Example(NamedTuple):
    """One fenced block: `line` in the page, `why` it is not run (None when it is).

    `lab` says what of the lab it needs ("docker", "linux"), "" for nothing.
    """

    page: str
    line: int
    kind: str
    body: str
    why: str | None
    lab: str = ""


def pages() -> tuple[Path, ...]:
    """README, CONTRIBUTING and everything under docs/."""
    return (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))


def examples(page: Path) -> Iterator[Example]:
    """Every fenced block of a page, in order."""
    text = page.read_text()
    name = str(page.relative_to(ROOT))
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("kind")) + 1
        yield Example(
            name, line, match["kind"].strip(), match["body"], match["why"], match["lab"] or ""
        )


class Stage:
    """An empty folder in which a page is played; `keywright` on PATH is this source tree."""

    prefix: tuple[str, ...] = ()  # what stands before the words of every program: `nsenter … --`
    patience = 300  # seconds for one script, also on a machine that is busy

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "home"
        self.folder.mkdir()
        tools = folder / "bin"
        tools.mkdir()
        for name, words in (("keywright", "-m keywright_ops"), ("python", "")):
            script = tools / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
            script.chmod(0o755)
        self.environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "PYTHONPATH": str(SRC),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
        }

    def play(self, example: Example) -> str:
        """Try one example; return "" or what went wrong."""
        return getattr(self, f"_{example.kind}")(example)

    def shell(self, script: str) -> tuple[int, str]:
        """Run a script with bash; return its exit code and all that it printed."""
        run = subprocess.run(
            [*self.prefix, "bash", "-c", script], cwd=self.folder, env=self.environment,
            timeout=self.patience,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        return run.returncode, run.stdout

    def close(self) -> None:
        """Stop what the page started: every server whose configuration lies in the folder."""
        for pid in self._servers():
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while self._servers() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _servers(self) -> list[int]:
        listed = subprocess.run(
            ["ps", "-axwwo", "pid=,stat=,args="], capture_output=True, text=True
        )
        rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
        return [
            int(pid)
            for pid, state, words in (row for row in rows if len(row) == 3)
            if f"{self.folder}/" in words and "redis.conf" in words and state[0] != "Z"
        ]

    def _console(self, example: Example) -> str:
        for command, expected in commands(example.body):
            code, output = self.shell(command)
            if code and not expected.strip():
                return f"$ {command}\n--- exit {code}\n{output}"  # shown alone, it ends well
            if not agrees(expected, output):
                return f"$ {command}\n--- expected\n{expected}\n--- printed\n{output}"
        return ""

    def _sh(self, example: Example) -> str:
        code, output = self.shell(f"set -euo pipefail\n{example.body}")
        return "" if code == 0 else f"exit {code}\n{output}"

    def _python(self, example: Example) -> str:
        script = self.folder.parent / "example.py"
        script.write_text(example.body)
        code, output = self.shell(f"python '{script}'")
        return "" if code == 0 else f"exit {code}\n{output}"

    def _toml(self, example: Example) -> str:
        from keywright.errors import KeywrightError
        from keywright_ops.profile.load import load_profile

        try:
            load_profile(example.body, f"{example.page}:{example.line}")
        except KeywrightError as error:
            return f"{error}\n  {error.hint}"
        return ""


def commands(body: str) -> Iterator[tuple[str, str]]:
    """(command, expected output) of a console block; a command ending in \\ goes on."""
    command, expected = "", []
    lines = iter(body.splitlines())
    for line in lines:
        if line.startswith("$ "):
            if command:
                yield command, "\n".join(expected)
            command, expected = line[2:], []
            while command.endswith("\\"):
                command += "\n" + next(lines)
        else:
            expected.append(line)
    if command:
        yield command, "\n".join(expected)


def agrees(expected: str, output: str) -> bool:
    """Whether the output is what the page shows, `…` standing for anything."""
    if not expected.strip():
        return True  # a command shown alone says nothing about its output
    parts = []
    for line in expected.strip("\n").splitlines():
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r"[^\n]*?".join(re.escape(p.rstrip()) for p in line.split("…")) + r" *\n")
    return re.fullmatch("".join(parts), output.strip("\n") + "\n") is not None
