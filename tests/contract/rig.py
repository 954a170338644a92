"""A target under test, with what every law needs: a configuration, users, a start, an end."""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

from keywright.errors import KeywrightError
from keywright.secret import Secret
from keywright_ops.facts.info import parse_info
from keywright_ops.model.absence import Missing
from keywright_ops.model.host import Process

SECRETS = {
    name: Secret(f"password of {name}") for name in ("default", "admin", "appuser", "health")
}
RULES = {
    "default": "~* &* +@all",
    "admin": "~* &* +@all",
    "appuser": "~app:* resetchannels &app:* +@all -@dangerous +info",
    "health": "resetchannels -@all +ping +info",
}


class Rig(NamedTuple):
    """A target with its home folder, ready to be given a redis.conf and started."""

    transport: Any
    supervisor: Any
    redis: Any
    home: str
    port: int
    knows_listeners: bool = True

    def configure(self, **settings: str) -> None:
        """Write redis.conf and users.acl; the settings come last, with - for _."""
        conf = {
            "port": str(self.port), "bind": "127.0.0.1", "dir": f"{self.home}/data",
            "aclfile": f"{self.home}/users.acl", "pidfile": f"{self.home}/server.pid",
            "logfile": f"{self.home}/server.log", "set-proc-title": "no", "save": '""',
        }  # fmt: skip
        conf |= {name.replace("_", "-"): value for name, value in settings.items()}
        text = "".join(f"{name} {value}\n" for name, value in conf.items())
        self.transport.write(f"{self.home}/redis.conf", text.encode(), 0o600)
        self.write_users(RULES)

    def write_users(self, rules: dict[str, str]) -> None:
        """Write users.acl."""
        lines = [
            f"user {name} on #{sha256(SECRETS[name].reveal().encode()).hexdigest()} {rights}\n"
            for name, rights in rules.items()
        ]
        self.transport.write(f"{self.home}/users.acl", "".join(lines).encode(), 0o600)

    def up(self, **settings: str) -> Process:
        """Configure, start, and wait until the server answers its administrator."""
        self.configure(**settings)
        self.supervisor.start()
        self.wait(lambda: self.info().get("loading") == "0")
        found = self.supervisor.find()
        assert isinstance(found, Process)
        return found

    def end(self, signal: str) -> None:
        """Signal the server and wait until it has gone."""
        self.supervisor.signal(self.supervisor.find(), signal)
        self.wait(lambda: isinstance(self.supervisor.find(), Missing))

    def call(self, *words: str, login: str = "admin") -> Any:
        """Send one command and return the reply, an error as a value."""
        return self.redis.ask(login, [words])[0]

    def info(self) -> dict[str, str]:
        """The fields of INFO; {} while nobody answers."""
        try:
            return parse_info(self.call("INFO"))
        except KeywrightError:
            return {}

    def wait(self, done: Callable[[], bool]) -> None:
        """Wait, at most 10 s."""
        deadline = time.monotonic() + 10
        while not done():
            assert time.monotonic() < deadline, "it never came to be"
            time.sleep(0.005)
