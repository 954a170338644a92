"""Proves that the data on disk loads: writes a canary, copies the files, and looks for it in the copy."""

import shutil
import time
from collections.abc import Callable

from keywright.errors import ReplyError
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.loaded import parse_scratch
from keywright_ops.gather.scratch_container import LIMIT, load_in_container, load_options
from keywright_ops.gather.scratch_server import (
    folder_size,
    load_with_program,
    program_of,
    short_folder,
)
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import LAYOUT, Layout, Loaded
from keywright_ops.model.facts import Facts
from keywright_ops.model.host import Process
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import FAILED, PASSED, UNKNOWN, Outcome, Proof
from keywright_ops.targets.target import Target

LARGEST = 256 * 2**20  # bytes of data on disk that a check copies and loads without being asked to
LONGEST_POSTPONED = 5.0  # seconds; the server itself postpones an AOF write for 2 at most
ATTEMPTS = 3  # copies, when a rewrite exchanges the files under our hands


def load_copy(proof: Proof, target: Target, plan: Plan, facts: Facts, canary: str) -> Outcome:
    """Write a canary (append-only file), copy the files, load the copy, look for it there."""
    directory = plan.persistence.directory
    size = _size(target, directory)
    if isinstance(size, Missing):
        return Outcome(proof, UNKNOWN, size.why)
    if size > LARGEST:
        hint = "too much to load in a check; `keywright check --restart` proves it by a restart"
        return Outcome(proof, UNKNOWN, f"{size // 2**20} MiB on disk: {hint}")
    if isinstance(facts.process, Missing):
        return Outcome(proof, UNKNOWN, facts.process.why)
    token = canary.rpartition(":")[2]
    appendonly = plan.persistence.appendonly
    if appendonly:
        reply = target.redis.ask(ADMIN, [("SET", canary, token, "EX", "60")])[0]
        if isinstance(reply, ReplyError):
            return Outcome(proof, UNKNOWN, f"no canary could be written: {reply}")
        _await_written(target)
    elif "dump.rdb" not in (target.transport.names(directory) or ()):
        return Outcome(proof, UNKNOWN, "no snapshot has been taken yet")
    found = _way(target)(target, plan, facts.process, canary)
    if found is None:
        return Outcome(proof, UNKNOWN, "the files were being rewritten all the time")
    if isinstance(found, Missing):
        return Outcome(proof, FAILED, found.why)
    if appendonly and found.canary != token:
        return Outcome(proof, FAILED, f"{found.keys} keys loaded, but the canary is not among them")
    canary_too = ", the canary too" if appendonly else ""
    return Outcome(proof, PASSED, f"copy of {size} bytes: {found.keys} keys{canary_too}")


Load = Callable[[Target, Plan, Process, str], "Loaded | Missing | None"]


def _way(target: Target) -> Load:
    """Where the data lies it is copied and loaded: here, in a container of its image, or on its host."""
    if target.host is not None:
        return _load_on_host
    return _load_here if target.container is None else _load_in_container


def _size(target: Target, directory: str) -> int | Missing:
    if target.host is not None:
        return target.host.size(directory)
    if target.data is None:
        return folder_size(directory)
    lying = target.data.look()
    return lying if isinstance(lying, Missing) else lying.size


def _load_here(
    target: Target, plan: Plan, process: Process, canary: str
) -> Loaded | Missing | None:
    """Copy the folder and load it with the program that runs; None when no whole copy could be made."""
    try:
        folder = short_folder()
    except OSError as error:
        return Missing(f"no folder for a copy: {error.strerror}")
    try:
        if not _copy(target, plan.persistence.directory, f"{folder}/data"):
            return None
        return load_with_program(program_of(process), f"{folder}/data", plan_layout(plan), canary)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _load_in_container(
    target: Target, plan: Plan, process: Process, canary: str
) -> Loaded | Missing | None:
    """Let a container of the same image copy the volume and load it; None as above."""
    assert plan.container is not None
    image, volume, layout = process.executable, plan.container.volume, plan_layout(plan)
    return _undisturbed(
        target, lambda: load_in_container(("docker",), image, volume, layout, canary)
    )


def _load_on_host(
    target: Target, plan: Plan, process: Process, canary: str
) -> Loaded | Missing | None:
    """Let the host copy the folder and load it with the program that runs there; None as above."""
    host, unit = target.host, plan.unit
    assert host is not None and unit is not None
    program = process.command[0].split(" ")[0]  # a server adds its address to its own title
    words = (program, unit.account, plan.persistence.directory)
    options = load_options(plan_layout(plan))
    return _undisturbed(
        target, lambda: parse_scratch(host.load_copy(*words, options, canary, LIMIT))
    )


def _undisturbed(target: Target, load: Callable[[], Loaded | Missing]) -> Loaded | Missing | None:
    """Load while no rewrite exchanges the files; None when one did each time."""
    for _ in range(ATTEMPTS):
        before = _rewrites(target)
        found = load()
        if before and before == _rewrites(target):
            return found
        time.sleep(0.1)
    return None


def plan_layout(plan: Plan) -> Layout:
    """How the plan's files are to be read."""
    named = ((name, plan.directive(name)) for name in LAYOUT)
    settings = tuple((name, each.value) for name, each in named if each is not None)
    return Layout(plan.persistence.appendonly, settings)


def _copy(target: Target, source: str, destination: str) -> bool:
    """Copy the data while no rewrite exchanges it: the count of rewrites is the same before and after."""
    for _ in range(ATTEMPTS):
        before = _rewrites(target)
        try:
            shutil.copytree(source, destination, copy_function=shutil.copyfile)
        except (OSError, shutil.Error):
            before = ()  # a file went away under our hands
        if before and before == _rewrites(target):
            return True
        shutil.rmtree(destination, ignore_errors=True)
        time.sleep(0.1)
    return False


def _await_written(target: Target) -> None:
    """Wait until what was answered is in the file: while an fsync runs, a write waits up to 2 s."""
    deadline = time.monotonic() + LONGEST_POSTPONED
    while time.monotonic() < deadline:
        info = parse_info(target.redis.ask(ADMIN, [("INFO", "persistence")])[0])
        if info.get("aof_buffer_length", "0") == "0":
            return
        time.sleep(0.01)


def _rewrites(target: Target) -> tuple[str, ...]:
    info = parse_info(target.redis.ask(ADMIN, [("INFO", "persistence")])[0])
    if info.get("aof_rewrite_in_progress") == "1":
        return ()
    return (info.get("aof_rewrites", ""), info.get("rdb_last_save_time", ""))
