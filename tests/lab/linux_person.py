"""Somebody with a Linux host: the real command line, over ssh from outside or on the host itself."""

import os
from pathlib import Path

from tests.embedded.stranger import Person
from tests.lab.linux_host import LinuxHost


class LinuxPerson(Person):
    """Over ssh: a project and an empty home with a key, where the host's address is reached.

    `user` is who logs in there. keywright.toml is written by `declare_linux`, further lines of the
    table [env.linux] in it.
    """

    patience = 240  # seconds; apt is waited for

    def __init__(self, root: Path, host: LinuxHost, user: str = "ops", known: bool = True) -> None:
        super().__init__(root)
        self.host, self.user = host, user
        self.prefix = tuple(host.engine.enter())
        self.environ["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin"
        folder = self.home / ".ssh"
        folder.mkdir(mode=0o700)
        # ssh asks the account's home, not HOME, for its files: so they are named
        (folder / "config").write_text(
            f"Host *\n  IdentityFile {host.key}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
        )
        self.known_hosts = folder / "known_hosts"
        self._name_the_config(folder / "config")
        if known:
            self.learn_host_key()
        self.declare_linux()

    def _name_the_config(self, config: Path) -> None:
        """A folder with an ssh before the system's that reads this person's own configuration."""
        programs = self.root / "bin"
        programs.mkdir()
        wrapper = programs / "ssh"
        wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F "{config}" "$@"\n')
        wrapper.chmod(0o755)
        self.environ["PATH"] = f"{programs}:{self.environ['PATH']}"

    def learn_host_key(self) -> None:
        """Know the host's key, as somebody who has compared its fingerprint."""
        host = self.host
        public = host.read("/etc/ssh/ssh_host_ed25519_key.pub").split()
        name = host.address if host.ssh_port == 22 else f"[{host.address}]:{host.ssh_port}"
        self.known_hosts.write_text(f"{name} {public[0]} {public[1]}\n")

    @property
    def url(self) -> str:
        """The host as keywright.toml names it."""
        port = "" if self.host.ssh_port == 22 else f":{self.host.ssh_port}"
        return f"ssh://{self.user}@{self.host.address}{port}"

    def declare_linux(self, *lines: str, host: str | None = None, top: str = "") -> None:
        """Write keywright.toml anew."""
        where = self.url if host is None else host
        table = ("[env.linux]", f'host = "{where}"', *lines, "")
        (self.project / "keywright.toml").write_text("\n".join((top, *table)))

    def bring_up(self, *lines: str, code: int = 0, words: tuple[str, ...] = ("--yes",)) -> str:
        """Declare these lines of [env.linux] and bring the host there; what was said."""
        self.declare_linux(*lines)
        said = self.say("up", "-e", "linux", *words)
        assert said.code == code, said.text
        return said.text

    def redis(self, *words: str, user: str = "admin") -> str:
        """Ask the host's server on the host itself, as a user of this person's vault."""
        return self.host.redis(self.secrets[user], *words, user=user)

    def journal(self) -> list[dict[str, object]]:
        """What Keywright noted of every step, oldest first."""
        import json

        text = (self.state_of("linux") / "journal.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


class Resident(Person):
    """Somebody on the host itself, as root; project and home are folders of the host."""

    patience = 240

    def __init__(self, root: Path, host: LinuxHost, *lines: str) -> None:
        super().__init__(root)
        self.host = host
        self.there = f"/root/{root.name}"
        host.run("mkdir", "-p", f"{self.there}/home", f"{self.there}/project")
        docker = ("docker", "exec", "-i", "-w", f"{self.there}/project")
        self.environ |= {"DOCKER_HOST": host.engine.socket, "PATH": os.environ["PATH"]}
        self.prefix = (
            *("env", f"DOCKER_HOST={host.engine.socket}", *docker),
            *("-e", f"HOME={self.there}/home", "-e", f"PYTHONPATH={host.code}"),
            *("-e", "PYTHONDONTWRITEBYTECODE=1", "-e", "LANG=C.UTF-8", host.name),
        )
        self.program = ("python3", "-m", "keywright_ops")
        self.declare_here(*lines)

    def declare_here(self, *lines: str) -> None:
        """Write keywright.toml on the host anew."""
        text = "\n".join(("[env.linux]", *lines, ""))
        self.host.write(f"{self.there}/project/keywright.toml", text)
