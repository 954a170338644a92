"""The embedded server as a way of the walk: this machine's redis-cli beside Keywright."""

import subprocess

from tests.embedded.stranger import Person, Said


class EmbeddedWay:
    """A person's `local`; `options` are what redis-cli needs to reach it."""

    def __init__(self, person: Person, *options: str) -> None:
        self.person = person
        self._argv = ("redis-cli", *options, "--user", "admin")
        self._environ = person.environ | {"REDISCLI_AUTH": person.secrets["admin"]}

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

    def say(self, *words: str) -> Said:
        """What `keywright WORDS` answers."""
        return self.person.say(*words)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """`keywright WORDS`, running."""
        return self.person.start(*words)
