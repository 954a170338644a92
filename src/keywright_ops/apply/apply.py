"""Performs steps on a target, one after the other; on a failure takes back what was done.

Every step: its `expect` must hold (else the world moved: stop), what it overwrites is copied, the journal
is told, it is done, its `until` is waited for. Nothing here chooses what to do next.
"""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, assert_never

from keywright.errors import ApplyError, ConnectionLost, KeywrightError, Refused, ReplyError
from keywright.secret import Secret
from keywright_ops.apply.journal import Journal
from keywright_ops.apply.keep_copy import Storeroom, keep_copy, remove_data
from keywright_ops.facts.ending import is_telling
from keywright_ops.gather.environment import gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import (
    Control,
    Copy,
    Danger,
    Do,
    FileIs,
    InOrder,
    KeepCopy,
    KeepSecret,
    Move,
    NothingRuns,
    ProcessGone,
    RedisCommand,
    RemoveData,
    RemoveFile,
    RunCommand,
    Signal,
    SnapshotFailed,
    Speaks,
    Step,
    TurnSecret,
    Until,
    WriteFile,
    reads_files_again,
)
from keywright_ops.steps.conditions import holds, questions
from keywright_ops.targets.docker import told
from keywright_ops.targets.target import Target
from keywright_ops.vault.file import Vault


class WorldMoved(KeywrightError):
    """What a step expected is no longer so; gather and diff again."""


# Is told what happens: "begin", "doing", "done", "failed" or "undone", with the step.
Watch = Callable[[str, Step], None]


class Workshop(NamedTuple):
    """What applying needs: where, with which secrets, the record, and who is told or asked."""

    target: Target
    plan: Plan
    vault: Vault
    journal: Journal
    watch: Watch
    confirm: Callable[[tuple[Step, ...]], bool]
    storeroom: Storeroom | None = None


class Done(NamedTuple):
    """A step that was performed, and what takes it back."""

    step: Step
    undo: Do | None


def confirm(steps: tuple[Step, ...], shop: Workshop) -> None:
    """Ask before anything that loses data or clients. Raises Refused when the answer is no."""
    dangerous = tuple(step for step in steps if step.danger >= Danger.CLIENTS_FOLLOW)
    if dangerous and not shop.confirm(dangerous):
        raise Refused(
            f"not confirmed: {'; '.join(step.title for step in dangerous)}",
            "nothing was changed; answer yes, or give --yes",
        )


def apply(steps: Iterable[Step], shop: Workshop, done: list[Done]) -> None:
    """Perform the steps in order, adding each to `done`.

    Raises WorldMoved when a step's expectation no longer holds, ApplyError when a step fails: what
    `done` holds is then to be taken back with `undo`.
    """
    for step in steps:
        _perform(step, shop, done)


def _perform(step: Step, shop: Workshop, done: list[Done]) -> None:
    _expect(step, shop)
    shop.watch("begin", step)
    try:
        undo = _save_for_undo(step, shop, len(done))
        shop.journal.note("begin", step.id, title=step.title)
        done.append(Done(step, undo))
        shop.watch("doing", step)
        _do(step.do, shop)
        if step.until is not None:
            _wait(step.until, shop)
    except KeywrightError as error:
        shop.watch("failed", step)
        raise _explained(step, error, shop) from None
    shop.journal.note("done", step.id)
    shop.watch("done", step)


def _expect(step: Step, shop: Workshop) -> None:
    paths = [each.path for each in step.expect if isinstance(each, FileIs)]
    facts = gather(shop.target, shop.plan, questions(step.expect), paths)
    for condition in step.expect:
        answer = holds(condition, facts)
        if answer is not True:
            why = answer.why if isinstance(answer, Missing) else "it is otherwise now"
            raise WorldMoved(f"before '{step.title}' something changed: {why}")


def _save_for_undo(step: Step, shop: Workshop, number: int) -> Do | None:
    """Copy what a file step overwrites; every other step carries its undo itself."""
    match step.do:
        case WriteFile(path) | RemoveFile(path):
            before = shop.target.transport.file(path)
            if isinstance(before, Missing):
                return RemoveFile(path)
            place = shop.journal.undo_copy(number, path)
            shop.target.transport.copy(path, place)
            shop.journal.note("saved", step.id, copy=place, digest=before.digest)
            return Copy(place, path, before.mode)
        case _:
            return step.undo


def _do(do: Do, shop: Workshop) -> None:
    target = shop.target
    match do:
        case WriteFile(path, content, mode):
            text = content if isinstance(content, str) else content.reveal()
            target.transport.write(path, text.encode("utf-8", "surrogateescape"), mode)
        case RemoveFile(path):
            target.transport.remove(path)
        case Copy(source, destination, mode):
            _copy(source, destination, mode, target)
        case Move(source, destination):
            target.transport.move(source, destination)
        case RunCommand(argv, stdin, _):
            completed = target.transport.run(argv, stdin)
            if completed.code != 0:
                raise ApplyError(f"{_called(argv)}{told(completed.errors)}")
        case RedisCommand(user, argv, slow):
            _command(user, argv, slow, target)
        case Control():
            _control(do, target)
        case Signal(pid, start, name):
            process = target.supervisor.find()
            if isinstance(process, Missing) or (process.pid, process.start) != (pid, start):
                return  # it has ended in the meantime: that is what was wanted
            target.supervisor.signal(process, name)
        case KeepSecret(names):
            shop.vault.keep(names)
        case KeepCopy():
            kept = keep_copy(do, target.data, shop.storeroom, shop.plan.environment)
            shop.journal.note("kept", "keep-copy", copy=kept.folder)
        case RemoveData():
            remove_data(target.data)
        case TurnSecret(names, phase, hold):
            shop.vault.turn(names, phase, hold)
        case InOrder(doings):
            for each in doings:
                _do(each, shop)
        case _:
            assert_never(do)


def _called(argv: tuple[str, ...]) -> str:
    """How a program is called that failed: by its name and verb; a script of ours by nothing."""
    bare = argv[0] != "env"  # `env NAME=VALUE … apt-get -o … install`
    words = [each for each in argv[not bare :] if bare or not ("=" in each or each[0] == "-")]
    return "" if argv[:2] == ("sh", "-c") else f"{words[0]} {words[1]} failed: "


def _copy(source: str, destination: str, mode: int | None, target: Target) -> None:
    """A file that is put back must be as open as it was: a server that cannot read it does not start."""
    if mode is None:
        target.transport.copy(source, destination)
        return
    content = target.transport.read(source)
    if isinstance(content, Missing):
        raise ApplyError(f"cannot copy {source}: {content.why}")
    target.transport.write(destination, content, mode)


def _command(user: str, argv: tuple[str | Secret, ...], slow: bool, target: Target) -> None:
    try:
        reply = target.redis.ask(user, [argv])[0]
    except ConnectionLost:
        if not slow:
            raise
        return  # it is being done, or was not: what the step waits for tells
    if isinstance(reply, ReplyError):
        raise reply


def _control(do: Control, target: Target) -> None:
    supervisor = target.supervisor
    if do.action == "recreate":
        supervisor.recreate(do.service)
    elif do.action == "stop":
        supervisor.stop()
    elif do.service or isinstance(supervisor.find(), Missing):
        supervisor.start(do.program, do.service)


def _wait(until: Until, shop: Workshop) -> None:
    """Ask again at the step's pace until all conditions hold. Raises ApplyError with the last answer."""
    wanted = questions((*until.conditions, *until.unless))
    begun = heard = time.monotonic()
    while True:
        facts = gather(shop.target, shop.plan, wanted)
        answers = [holds(condition, facts) for condition in until.conditions]
        if all(answer is True for answer in answers):
            return
        if any(holds(condition, facts) is True for condition in until.unless):
            raise ApplyError(_instead(until))
        now = time.monotonic()
        silent = [answer.why for answer in answers if isinstance(answer, Missing)]
        heard = heard if silent else now
        if now - begun > until.limit or now - heard > until.silence:
            why = silent[0] if silent else "it is not so"
            raise ApplyError(f"it was not done within {now - begun:.0f} s: {why}")
        time.sleep(until.pace)


def _instead(until: Until) -> str:
    """What happened in place of what was waited for."""
    if any(isinstance(each, SnapshotFailed) for each in until.unless):
        return "the server cannot write it"
    ends = any(isinstance(each, ProcessGone) for each in until.conditions)
    return "the server refuses to end" if ends else "the server ended instead"


def _explained(step: Step, error: KeywrightError, shop: Workshop) -> ApplyError:
    """The failure as a sentence, with the server's own last words where it is about the server."""
    hint = error.hint
    if isinstance(step.do, Control | Signal) or step.id == "snapshot":
        words = shop.target.supervisor.last_words()
        telling = [line for line in words if is_telling(line)] or list(words)
        none = "the server left no word in its log: is the disk full?"
        hint = "\n".join(["the server's last words:", *telling[-4:]]) if telling else hint or none
    return ApplyError(f"'{step.title}' failed: {error}", hint)


def undo(done: list[Done], shop: Workshop) -> list[str]:
    """Take back what was done, newest first; return a sentence for each that could not be.

    What made the server read a file again (ACL LOAD, the certificate) is taken back last, by doing
    it once more: only then does the old file stand there again.
    """
    failures: list[str] = []
    all_done = [each for each in reversed(done) if each.undo is not None]
    for each in sorted(all_done, key=lambda each: reads_files_again(each.undo)):
        try:
            _take_back(each, shop)
        except KeywrightError as error:
            failures.append(f"'{each.step.title}' could not be taken back: {error}")
    done.clear()
    return failures


def _take_back(each: Done, shop: Workshop) -> None:
    assert each.undo is not None
    doings = each.undo.doings if isinstance(each.undo, InOrder) else (each.undo,)
    for doing in doings:
        if isinstance(doing, Move) and not _can_move(doing, shop):
            continue  # the step failed before it moved anything, or the server made it anew
        _do(doing, shop)
    if isinstance(each.undo, Control):
        # the old server may know another administrator than we do now: that it speaks is enough
        up = Until((Speaks(),), limit=600.0, unless=(NothingRuns(),))
        _wait(up if each.undo.action == "start" else Until((NothingRuns(),), limit=60.0), shop)
    if each.step.undone is not None:
        _wait(each.step.undone, shop)
    shop.journal.note("undone", each.step.id)
    shop.watch("undone", each.step)


def _can_move(move: Move, shop: Workshop) -> bool:
    there = []
    for path in (move.source, move.destination):
        folder, _, name = path.rpartition("/")
        names = shop.target.transport.names(folder)
        there.append(not isinstance(names, Missing) and name in names)
    return there == [True, False]
