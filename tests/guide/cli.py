"""redis-cli as the guide calls it somewhere: one half of every way of the walk."""

import subprocess
from collections.abc import Mapping, Sequence


class Cli:
    """redis-cli with the words that reach a server, in an environment of variables."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        self._argv, self._environ = tuple(argv), dict(environ)

    def cli(self, *words: str) -> str:
        """What redis-cli prints for one command, in a pipe."""
        done = subprocess.run(
            [*self._argv, *words], env=self._environ, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done
        return done.stdout

    def program(self, *words: str) -> "subprocess.Popen[str]":
        """redis-cli with these words, running."""
        return subprocess.Popen(
            [*self._argv, *words], env=self._environ, stdout=subprocess.PIPE, text=True
        )
