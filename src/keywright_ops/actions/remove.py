"""down --volumes: stop the server, keep a proven copy of its data, and remove the data."""

from functools import partial
from typing import NamedTuple

from keywright.errors import ApplyError, KeywrightError, Refused, Unreachable
from keywright_ops.actions.declared import declare, file_paths
from keywright_ops.actions.docker_refusals import refuse_foreign_container, refuse_shared_volume
from keywright_ops.actions.environment import Opened
from keywright_ops.actions.refusals import refuse_foreign, refuse_silent, refuse_suspended
from keywright_ops.actions.restart_record import RECORD
from keywright_ops.actions.taking_back import taken_back
from keywright_ops.actions.up import Ask, home_of, open_for_change, workshop
from keywright_ops.apply.apply import Done, Workshop, apply, confirm
from keywright_ops.apply.keep_copy import Storeroom
from keywright_ops.apply.lock import lock
from keywright_ops.facts.ending import is_ending
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.gather.scratch_server import load_second_copy, program_of
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Kept, Lying
from keywright_ops.model.facts import Facts
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import KeepCopy, Step
from keywright_ops.steps.diff import before_stop
from keywright_ops.steps.housing import take_down
from keywright_ops.steps.removal import hold_still, remove, stop_and_keep
from keywright_ops.steps.restart import stop
from keywright_ops.store.copies import Store
from keywright_ops.targets.local_data import LocalData

COPIES = "copies"  # the store's folder below the environment's own


class RemoveReport(NamedTuple):
    """What `down --volumes` did: the steps, the copy that was kept, and where the data lay."""

    plan: Plan
    home: str
    steps: tuple[Step, ...]
    place: str
    kept: Kept | Missing


class Removal(NamedTuple):
    """The steps of a removal in its three parts, as far as they can be known yet."""

    still: tuple[Step, ...]
    keep: tuple[Step, ...]
    remove: tuple[Step, ...]
    lying: Lying

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of them, in order."""
        return (*self.still, *self.keep, *self.remove)


def open_with_data(ask: Ask) -> Opened:
    """Open the environment for a change, with its data at hand."""
    opened = open_for_change(ask)
    data = opened.target.data or LocalData(opened.plan.persistence.directory)
    return opened._replace(target=opened.target._replace(data=data))


def removal_steps(opened: Opened) -> Removal:
    """Return the steps that remove the data, and change nothing. Raises what stands in the way."""
    declared = declare(opened)
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
    refuse_foreign(opened, facts, adopt=False)
    lying = look(opened)
    still: tuple[Step, ...] = ()
    if not isinstance(facts.housing, Missing):
        refuse_foreign_container(opened, facts, adopt=False)
        refuse_shared_volume(opened)
    if is_ending(facts.log) and not isinstance(facts.process, Missing):
        still = (stop(facts, "it was asked to end already"),)  # what lies there then is the truth
    elif not isinstance(facts.process, Missing):
        _refuse_unknown(facts)
        still = (*before_stop(declared, facts), *hold_still(facts))
    _refuse_without_room(opened, facts, lying)
    if not isinstance(facts.housing, Missing):  # RedisInsight goes first: it is a client
        still = (*take_down(opened.plan, facts.housing)[0], *still)
    return Removal(still, *_parts(opened, facts, lying), lying)


def _parts(opened: Opened, facts: Facts, lying: Lying) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    keep = stop_and_keep(opened.plan, facts, lying, _program(opened, facts))
    return tuple(keep), tuple(remove(facts, lying, f"{opened.home}/{RECORD}"))


def look(opened: Opened) -> Lying:
    """Look at the data as it lies. Raises ApplyError when it cannot be looked at."""
    lying = opened.target.data.look() if opened.target.data else Missing("not from here")
    if isinstance(lying, Missing):
        raise ApplyError(f"the data cannot be looked at: {lying.why}")
    return lying


def copies_folder(opened: Opened) -> str:
    """Where the copies of this environment are kept."""
    return f"{opened.home}/{COPIES}"


def remove_data(ask: Ask) -> RemoveReport:
    """Stop the server, keep a proven copy, remove the data. Asks first.

    Raises Refused when not confirmed, ApplyError when a step fails: until the copy is good everything
    is taken back then, and a server that ran runs again.
    """
    with lock(f"{home_of(ask)}/lock", "keywright down --volumes"):
        opened = open_with_data(ask)
        known = removal_steps(opened)
        shop = workshop(opened, ask)._replace(storeroom=_storeroom(opened))
        confirm(known.steps, shop)
        last = _keep(opened, known, shop)
        apply(last, shop, [])  # what is removed stays removed: the next run finishes it
        shop.journal.prune()
    steps = (*known.still, *known.keep, *last)
    copied = any(isinstance(step.do, KeepCopy) for step in steps)
    kept = Store(copies_folder(opened)).find() if copied else Missing("there was nothing to copy")
    return RemoveReport(opened.plan, opened.home, steps, known.lying.place, kept)


def _keep(opened: Opened, known: Removal, shop: Workshop) -> tuple[Step, ...]:
    """Hold still, count, stop and keep; return what is to be done then. A failure is taken back."""
    done: list[Done] = []
    try:
        apply(known.still, shop, done)
        facts = gather(
            opened.target, opened.plan, EVERYTHING
        )  # nothing changes any more: it counts
        keep, last = _parts(opened, facts, look(opened))
        apply(keep, shop, done)
    except KeywrightError as error:
        raise taken_back(error, done, shop) from None
    return last


def _storeroom(opened: Opened) -> Storeroom:
    if opened.target.container is None:
        return Storeroom(Store(copies_folder(opened)), load_second_copy)
    from keywright_ops.gather.scratch_container import load_in_container  # as the data, in Docker

    load = partial(load_in_container, ("docker",))
    return Storeroom(Store(copies_folder(opened)), load)


def _program(opened: Opened, facts: Facts) -> str:
    """Who loads the copy: the very program that ran, else the environment's own."""
    if opened.target.container is not None:
        found = opened.target.container.glance().container
        return opened.plan.engine.image if isinstance(found, Missing) else found.image_id
    if not isinstance(facts.process, Missing):
        return program_of(facts.process)
    return str(opened.plan.engine.program)


def _refuse_unknown(facts: Facts) -> None:
    """What a server holds must be known before it is removed. Raises Unreachable or Refused."""
    assert not isinstance(facts.process, Missing)
    refuse_suspended(facts.process)
    refuse_silent(facts)
    if isinstance(facts.info, Missing) or isinstance(facts.config, Missing):
        raise Unreachable(
            "the server runs, but does not tell Keywright what it holds",
            "`keywright up` mends that; after a plain `keywright down` what lies on the disk is copied",
        )
    if facts.info.get("aof_enabled") == "1" and facts.info.get("aof_last_write_status") == "err":
        raise Refused(
            "the server cannot write its append-only file: what lies on the disk is not all it holds",
            "is the disk full? free some space, then run the same command again",
        )
    if facts.info.get("loading", "0") != "0":
        raise Unreachable(
            "the server still loads its data", "wait until it has, then run the same command again"
        )


def _refuse_without_room(opened: Opened, facts: Facts, lying: Lying) -> None:
    """Say so before anything is stopped: the copy, and a second one that a scratch server loads."""
    memory = 0
    if not isinstance(facts.info, Missing) and not isinstance(facts.config, Missing):
        snapshot = facts.config.get("appendonly") != "yes"
        memory = int(facts.info.get("used_memory_dataset", "0")) if snapshot else 0
    Store(copies_folder(opened)).refuse_without_room(2 * max(lying.size, memory))
