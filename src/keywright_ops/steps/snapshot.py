"""Steps that write a snapshot while the server goes on, and wait for its true end."""

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.login import ADMIN
from keywright_ops.model.step import FieldIs, RedisCommand, SnapshotFailed, Step, Until

SNAPSHOT_PACE = 20 * 2**20  # bytes a second that the slowest disk takes
LEAST_SECONDS = 60


def await_snapshot() -> Step:
    """Wait for the snapshot that is being written: another one is refused meanwhile."""
    return Step(
        id="await-snapshot",
        title="wait for the snapshot that is being written",
        do=RedisCommand(ADMIN, ("PING",)),
        until=Until((FieldIs("info", "rdb_bgsave_in_progress", "0"),), limit=600.0, pace=0.01),
    )


def write_snapshot(facts: Facts, why: str) -> list[Step]:
    """Return the steps after which a snapshot of now is on disk; they fail where none can be written.

    BGSAVE answers when its process is there, so that "none in progress" is told of this very snapshot.
    `facts` must hold info.
    """
    assert not isinstance(facts.info, Missing)
    busy = facts.info.get("rdb_bgsave_in_progress") == "1"
    seconds = LEAST_SECONDS + int(facts.info.get("used_memory", "0")) // SNAPSHOT_PACE
    done = (
        FieldIs("info", "rdb_bgsave_in_progress", "0"),
        FieldIs("info", "rdb_last_bgsave_status", "ok"),
    )
    save = Step(
        id="snapshot",
        title=f"write a snapshot {why}",
        do=RedisCommand(ADMIN, ("BGSAVE",)),
        until=Until(done, limit=float(seconds), pace=0.01, unless=(SnapshotFailed(),)),
    )
    return [*([await_snapshot()] if busy else []), save]
