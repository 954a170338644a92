"""Steps → the lines that a person could type in their stead; what is secret is masked."""

from shlex import join, quote
from typing import assert_never

from keywright.secret import Secret
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import (
    Control,
    Copy,
    Do,
    InOrder,
    KeepCopy,
    KeepSecret,
    Move,
    RedisCommand,
    RemoveData,
    RemoveFile,
    RunCommand,
    Signal,
    Step,
    TurnSecret,
    WriteFile,
)

MASK = "********"


def command_lines(step: Step, plan: Plan) -> tuple[str, ...]:
    """Return what the step does as command lines, in order; a file is told by its mode and path.

    What only Keywright does (its vault, its store of copies) stands as a comment.
    """
    return tuple(_lines(step.do, plan))


def _lines(do: Do, plan: Plan) -> list[str]:
    match do:
        case WriteFile(path, content, mode):
            text = content.reveal() if isinstance(content, Secret) else content
            lines = f"{text.count(chr(10))} lines"
            return [f"install -m {mode:04o} /dev/stdin {quote(path)}  # {lines}"]
        case RunCommand(argv, stdin, typed):
            given = f"  # {_given(stdin)} on its input" if stdin else ""
            return [f"{typed or _typed(argv)}{given}"]
        case RedisCommand(user, argv, _):
            words = join(MASK if isinstance(word, Secret) else word for word in argv)
            return [f"redis-cli --user {user} --askpass {words}"]
        case Control(action, _, service):
            return [_control(plan, action, service)]
        case Signal(pid, _, name):
            return [_signal(plan, pid, name)]
        case RemoveFile(path):
            return [join(("rm", "-f", path))]
        case Copy(source, destination, _):
            return [join(("cp", "-R", source, destination))]
        case Move(source, destination):
            return [join(("mv", source, destination))]
        case InOrder(doings):
            return [line for each in doings for line in _lines(each, plan)]
        case KeepSecret(names) | TurnSecret(names):
            return [f"# in the vault: {', '.join(names)}"]
        case KeepCopy():
            return ["# in the store of copies"]
        case RemoveData():
            return [join(("rm", "-r", plan.persistence.directory))]
        case _:
            assert_never(do)


def _typed(argv: tuple[str, ...]) -> str:
    """A script for `sh -c` is shown on one line."""
    return join(" ".join(word.split()) if "\n" in word else word for word in argv)


def _given(stdin: str | Secret) -> str:
    return "a secret" if isinstance(stdin, Secret) else f"{stdin.count(chr(10))} lines"


def _control(plan: Plan, action: str, service: str) -> str:
    if plan.unit is not None:
        return join(("systemctl", "start" if action == "recreate" else action, plan.unit.name))
    if plan.container is not None:
        name = service or plan.container.service
        words = {"stop": ("stop", name), "start": ("up", "-d", name)}
        verb = words.get(action, ("up", "-d", "--force-recreate", name))
        return join(("docker-compose", "-f", plan.container.compose_file, *verb))
    if action == "stop":
        return "kill -TERM its process"
    return join((str(plan.engine.program), plan.conf_path))


def _signal(plan: Plan, pid: int, name: str) -> str:
    if name == "TERM" and plan.unit is not None:
        return join(("systemctl", "stop", plan.unit.name))
    if name == "TERM" and plan.container is not None:
        return join(("docker", "stop", plan.container.name))
    return f"kill -{name} {pid}"
