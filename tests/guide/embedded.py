"""The embedded server as a way of the walk: this machine's redis-cli beside Keywright."""

import subprocess

from tests.embedded.stranger import Person, Said
from tests.guide.cli import Cli


class EmbeddedWay(Cli):
    """A person's `local`; `options` are what redis-cli needs to reach it."""

    def __init__(self, person: Person, *options: str) -> None:
        self.person = person
        environ = person.environ | {"REDISCLI_AUTH": person.secrets["admin"]}
        super().__init__(("redis-cli", *options, "--user", "admin"), environ)

    def say(self, *words: str) -> Said:
        """What `keywright WORDS` answers."""
        return self.person.say(*words)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """`keywright WORDS`, running."""
        return self.person.start(*words)
