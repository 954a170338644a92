"""Does two of the doings: keep a copy of the data that is proven to load, and remove the data.

A copy becomes good only after it was read back and a scratch server loaded all that the server held; what
does not verify is removed again, and nothing else is touched.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from keywright.errors import ApplyError
from keywright_ops.facts.loaded import shortfall
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import CopiedFile, Kept, Layout, Loaded, Manifest
from keywright_ops.model.step import KeepCopy
from keywright_ops.store.copies import Store, verify
from keywright_ops.targets.target import Data

# Loads a copy: the program (or image), the folder that holds the data, how to read it.
Load = Callable[[str, str, Layout], Loaded | Missing]

UNTOUCHED = "the data was not touched"


class Storeroom(NamedTuple):
    """Where copies of this environment go, and who loads one to prove it.

    `load` must not change the folder that it is given.
    """

    store: Store
    load: Load


def keep_copy(
    do: KeepCopy, data: Data | None, storeroom: Storeroom | None, environment: str
) -> Kept:
    """Take a copy, prove it, make it good and let the oldest of its kind go. Raises ApplyError."""
    if data is None or storeroom is None:
        raise ApplyError(f"the data of {environment} cannot be copied from here")
    store = storeroom.store
    lying = data.look()
    if isinstance(lying, Missing):
        raise ApplyError(f"the data cannot be copied: {lying.why}")
    store.refuse_without_room(2 * lying.size)  # the copy, and the one that a scratch server loads
    folder, files = store.take(data.pack())
    try:
        loaded = _proven(do, folder, files, storeroom.load)
    except BaseException:
        store.drop(folder)
        raise
    kept = store.commit(folder, _manifest(do, environment, files, loaded))
    store.prune(do.reason)
    return kept


def _proven(do: KeepCopy, folder: str, files: tuple[CopiedFile, ...], load: Load) -> Loaded:
    problem = verify(folder, files)
    if problem:
        raise ApplyError(
            f"the copy is not what was copied: {problem}", f"{UNTOUCHED}; is the disk well?"
        )
    loaded = load(do.program, f"{folder}/data", do.layout)
    if isinstance(loaded, Missing):
        raise ApplyError(
            loaded.why, f"{UNTOUCHED}; who does not need it removes its folder by hand"
        )
    lacking = shortfall(do.held, loaded) if do.held is not None else ""
    if lacking:
        raise ApplyError(f"the copy is not complete: {lacking}", f"{UNTOUCHED}; run it again")
    return loaded


def _manifest(
    do: KeepCopy, environment: str, files: tuple[CopiedFile, ...], loaded: Loaded
) -> Manifest:
    counted = "as many keys as the server held" if do.held is not None else "no server ran before"
    return Manifest(
        environment=environment,
        taken=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        reason=do.reason,
        engine=loaded.server,
        version=loaded.version,
        appendonly=do.layout.appendonly,
        settings=dict(do.settings),
        databases=dict(loaded.databases),
        functions=loaded.functions,
        files=files,
        verified=f"read back; loaded by {do.program}, {loaded.keys} keys; {counted}",
    )


def remove_data(data: Data | None) -> None:
    """Remove the data. Raises ApplyError when it cannot be removed whole."""
    if data is None:
        raise ApplyError("the data cannot be removed from here")
    data.remove()
