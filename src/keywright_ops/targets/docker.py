"""The docker program: every question and every change is a command that a person could type.

Rule: no secret is ever among its arguments or in a container's environment.
"""

from keywright.errors import ApplyError, KeywrightError, Unreachable
from keywright.secret import Secret
from keywright_ops.targets.target import Completed, Transport

ENGINE = "sudo systemctl start docker (Linux), or start Docker Desktop; `docker info` tells more"
# What the client says, in lower case → our sentence and what a person can do.
COMPLAINTS = (
    (
        "permission denied while trying to connect",
        "your user may not use the Docker Engine",
        "sudo usermod -aG docker $USER, then log in again (that group is as good as root)",
    ),
    ("cannot connect to the docker daemon", "no Docker Engine answers", ENGINE),
    ("error during connect", "no Docker Engine answers", ENGINE),
    ("no such host", "the Docker host is unknown", "is DOCKER_HOST (or `docker context`) right?"),
)


class Docker:
    """Runs `docker` on the transport's host, and Compose of either generation."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._compose: tuple[str, ...] = ()

    def run(self, *argv: str, stdin: str | Secret = "") -> Completed:
        """Run docker with these arguments; its exit code is the caller's to judge.

        Raises Unreachable when there is no docker, no engine, or no right to use it.
        """
        try:
            done = self._transport.run(("docker", *argv), stdin)
        except ApplyError:
            raise Unreachable(
                "docker is not installed here", "docs.docker.com/engine/install says how"
            ) from None
        if done.code != 0:
            refuse_engine(done.errors)
        return done

    def demand(self, *argv: str, stdin: str | Secret = "") -> str:
        """Run docker and return what it printed. Raises ApplyError with its own words when it fails."""
        done = self.run(*argv, stdin=stdin)
        if done.code != 0:
            raise ApplyError(f"docker {argv[0]} failed: {told(done.errors)}")
        return done.output

    def inspect(self, *names: str) -> str:
        """Return what `docker inspect` prints of those that exist, of whatever kind: a JSON list."""
        return self.run("inspect", *names).output

    def compose(self, *argv: str) -> None:
        """Run Compose, v2 or 1.29. Raises ApplyError with its last words, Unreachable without one."""
        done = self._transport.run((*self.compose_argv(), *argv))
        if done.code != 0:
            refuse_engine(done.errors)
            raise ApplyError(f"compose failed: {told(done.errors)}")

    def compose_argv(self) -> tuple[str, ...]:
        """Return how to call Compose here: the plugin where there is one, else docker-compose."""
        if not self._compose:
            self._compose = self._find_compose()
        return self._compose

    def _find_compose(self) -> tuple[str, ...]:
        for argv in (("docker", "compose"), ("docker-compose",)):
            try:
                if self._transport.run((*argv, "version")).code == 0:
                    return argv
            except KeywrightError:
                continue
        raise Unreachable(
            "Docker is here, but Compose is not",
            "sudo apt-get install docker-compose-plugin (or Debian's docker-compose)",
        )


def refuse_engine(errors: str) -> None:
    """Raise Unreachable when what docker said means that there is no engine, or no right to use it."""
    text = errors.lower()
    for words, sentence, hint in COMPLAINTS:
        if words in text:
            raise Unreachable(sentence, hint)


def told(errors: str) -> str:
    """The telling line of what docker or Compose printed: the first that speaks of an error."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "cannot" in line.lower()]
    return (telling or lines or ["it gave no reason"])[-1].removeprefix(
        "Error response from daemon: "
    )
