"""A copy of all that a running server holds, taken by a snapshot and proven to load, without stopping it."""

from functools import partial

from keywright.errors import ApplyError, Refused, ReplyError
from keywright_ops.actions.persist import explained, places
from keywright_ops.actions.reach import Reached
from keywright_ops.actions.remove import COPIES
from keywright_ops.apply.keep_copy import Storeroom, keep_copy
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.loaded import parse_held, parse_scratch
from keywright_ops.gather.disk import file_size
from keywright_ops.gather.scratch_server import load_second_copy, program_of
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Kept, Layout, Loaded
from keywright_ops.model.host import Process
from keywright_ops.model.step import KeepCopy
from keywright_ops.ops.saving import SaveFailed, Watch, snapshot
from keywright_ops.store.copies import Store
from keywright_ops.targets.snapshot_file import SnapshotFile
from keywright_ops.targets.target import Target

SENDS = ("INFO", "TIME", "CONFIG GET", "BGSAVE")
ATTEMPTS = 3  # when the server itself replaces the snapshot between its end and our reading


def refuse_without_way(reached: Reached) -> None:
    """Where no copy can be taken, that is said before anything. Raises Refused."""
    if reached.opened is None:
        raise Refused(
            f"no copy can be taken of a managed service ({reached.plan.kind}) from here",
            "export it with the service's own tools first; --no-copy then goes on without one",
        )
    dataset = parse_info(reached.call("INFO", "memory")).get("used_memory_dataset", "0")
    _store(reached).refuse_without_room(2 * int(dataset))


def copies_folder(reached: Reached) -> str:
    """Where the copies of this environment lie."""
    return f"{reached.home}/{COPIES}"


def safety_copy(reached: Reached, reason: str, watch: Watch) -> Kept:
    """Write a snapshot to its true end, copy it, prove the copy and make it good.

    Hold the environment's lock. Raises ApplyError; the server's data is untouched then.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _once(reached, reason, watch)
        except SaveFailed as failure:
            raise explained(reached, failure) from None
        except ApplyError as error:
            if attempt == ATTEMPTS - 1 or "not complete" not in str(error):
                raise
    raise AssertionError("the last attempt returns or raises")


def _once(reached: Reached, reason: str, watch: Watch) -> Kept:
    opened = reached.opened
    assert opened is not None
    target, plan = opened.target, opened.plan
    where = places(reached)
    if not where.get("dir"):
        raise ApplyError(f"the server does not tell {reached.login} where its snapshots lie")
    process = _process(target)
    path = f"{where['dir']}/{where.get('dbfilename', 'dump.rdb')}"
    lay = not isinstance(file_size(target, path), Missing)
    try:
        saved = snapshot(reached.ask, watch, exact=True)
    except ReplyError as refusal:
        raise reached.explain(refusal, ("BGSAVE",)) from None
    size = file_size(target, path)
    if isinstance(size, Missing):
        raise ApplyError(f"the snapshot cannot be found: {size.why}")
    settings = reached.call("CONFIG", "GET", "databases")
    names = (("databases", settings[1]), ("dbfilename", where.get("dbfilename", "dump.rdb")))
    do = KeepCopy(
        reason, _program(target, process), Layout(False, names), parse_held(saved.info), names
    )
    container = plan.container.name if plan.container is not None else ""
    data = SnapshotFile(target, path, size, container)
    kept = keep_copy(do, data, _storeroom(reached, target, where["dir"]), plan.environment)
    if not where.get("save") and not (lay and where.get("appendonly") == "yes"):
        # nobody else writes it: left there, a crash would bring back what is to go
        target.transport.remove(path)
    return kept


def _process(target: Target) -> Process:
    process = target.supervisor.find()
    if isinstance(process, Missing):
        raise ApplyError(f"the server's process cannot be seen: {process.why}")
    return process


def _program(target: Target, process: Process) -> str:
    """Who loads the copy: the very program that runs, or the image that the container was made of."""
    if target.container is not None:
        found = target.container.glance().container
        return process.executable if isinstance(found, Missing) else found.image_id
    if target.host is not None:
        return process.command[0].split(" ")[0]  # a server adds its address to its own title
    return program_of(process)


def _store(reached: Reached) -> Store:
    return Store(copies_folder(reached))


def _storeroom(reached: Reached, target: Target, folder: str) -> Storeroom:
    if target.container is not None:
        from keywright_ops.gather.scratch_container import load_in_container

        return Storeroom(_store(reached), partial(load_in_container, ("docker",)))
    if target.host is not None:
        return Storeroom(_store(reached), partial(_load_there, reached, target, folder))
    return Storeroom(_store(reached), load_second_copy)


def _load_there(
    reached: Reached, target: Target, there: str, program: str, data: str, layout: Layout
) -> Loaded | Missing:
    """Let the host load the very file that was copied: the copy is its equal, byte for byte."""
    from keywright_ops.gather.scratch_container import LIMIT, load_options
    from keywright_ops.store.copies import digest_of

    host, unit, name = target.host, reached.plan.unit, dict(layout.settings)["dbfilename"]
    assert host is not None and unit is not None
    found = target.transport.file(f"{there}/{name}")
    if isinstance(found, Missing) or found.digest != digest_of(f"{data}/{name}"):
        return Missing("the copy is not complete: the snapshot was replaced meanwhile")
    options = load_options(layout)
    return parse_scratch(host.load_copy(program, unit.account, there, options, "", LIMIT))
