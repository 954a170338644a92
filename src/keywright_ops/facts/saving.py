"""Reads what INFO tells of snapshots and the append-only file, and judges when one has truly ended.

BGSAVE answers at once: that its file is there is told by nothing but INFO, some time later. Asked of redis
6.2, 7.0, 8.2 and Valkey 9.1.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

RUNNING, DONE, FAILED, UNSEEN = "running", "done", "failed", "unseen"

# What a server logs of a child that could not write; a child's own line is the most telling one.
CAUSES = (
    "Write error saving DB on disk", "Failed opening the temp RDB file", "Error moving temp DB file",
    "Failed fsyncing", "Can't save in background", "Can't rewrite append only file in background",
    "Opening the temp file for AOF rewrite", "Write error writing append only file on disk",
    "Error trying to rename", "Background saving terminated by signal",
    "Background AOF rewrite terminated by signal", "Background saving error",
    "Background AOF rewrite terminated with error",
)  # fmt: skip


class Saving(NamedTuple):
    """How the data is being kept at this moment. Sizes are bytes, times seconds (UTC since 1970 for
    `last_save`), `fork` microseconds; -1 where the server does not tell.

    `saves` and `rewrites` count those that were begun. `processed` of `total` keys are written by the
    child that runs now.
    """

    snapshot_running: bool
    rewrite_running: bool
    rewrite_scheduled: bool
    snapshot_ok: bool
    rewrite_ok: bool
    write_ok: bool
    last_save: int
    changes: int
    snapshot_seconds: int
    rewrite_seconds: int
    snapshot_cow: int
    rewrite_cow: int
    saves: int
    rewrites: int
    processed: int
    total: int
    running_seconds: int
    fork: int
    appendonly: bool
    aof_size: int
    aof_base: int
    loading: bool

    @property
    def share(self) -> float | None:
        """How much of its keys the running child has written (0 to 1); None when not known."""
        return min(1.0, self.processed / self.total) if self.total > 0 else None


def parse_saving(info: Mapping[str, str]) -> Saving:
    """Return what INFO (its sections persistence and stats) tells; missing fields are -1 or fine."""

    def number(name: str) -> int:
        text = info.get(name, "")
        return int(text) if text.removeprefix("-").isdigit() else -1

    running = number("rdb_current_bgsave_time_sec"), number("aof_current_rewrite_time_sec")
    return Saving(
        snapshot_running=info.get("rdb_bgsave_in_progress") == "1",
        rewrite_running=info.get("aof_rewrite_in_progress") == "1",
        rewrite_scheduled=info.get("aof_rewrite_scheduled") == "1",
        snapshot_ok=info.get("rdb_last_bgsave_status", "ok") == "ok",
        rewrite_ok=info.get("aof_last_bgrewrite_status", "ok") == "ok",
        write_ok=info.get("aof_last_write_status", "ok") == "ok",
        last_save=number("rdb_last_save_time"),
        changes=number("rdb_changes_since_last_save"),
        snapshot_seconds=number("rdb_last_bgsave_time_sec"),
        rewrite_seconds=number("aof_last_rewrite_time_sec"),
        snapshot_cow=number("rdb_last_cow_size"),
        rewrite_cow=number("aof_last_cow_size"),
        saves=number("rdb_saves"),
        rewrites=number("aof_rewrites"),
        processed=number("current_save_keys_processed"),
        total=number("current_save_keys_total"),
        running_seconds=max(running),
        fork=number("latest_fork_usec"),
        appendonly=info.get("aof_enabled") == "1",
        aof_size=number("aof_current_size"),
        aof_base=number("aof_base_size"),
        loading=info.get("loading", "0") != "0",
    )


def judge_snapshot(before: Saving, now: Saving, begun: int, started: bool) -> str:
    """Tell how a snapshot stands that was asked for at the server's second `begun`.

    `started` says that its child was there: after that, "none in progress" means that it ended. One that
    was only scheduled is UNSEEN until something moves.
    """
    if now.snapshot_running:
        return RUNNING
    moved = started or now.saves > before.saves or (before.snapshot_ok and not now.snapshot_ok)
    written = now.last_save >= begun or now.last_save < 0  # (a service may not tell)
    if now.snapshot_ok and written and (moved or not now.rewrite_running):
        return DONE
    if not moved:
        return UNSEEN
    return FAILED


def judge_rewrite(now: Saving) -> str:
    """Tell how a rewrite stands that was accepted: the server tells a scheduled one from none."""
    if now.rewrite_running or now.rewrite_scheduled:
        return RUNNING
    return DONE if now.rewrite_ok else FAILED


def cause_of(lines: Iterable[str]) -> str:
    """Return why the last save failed, by the server's log: its own words; "" when it says nothing."""
    found = [(each, line) for line in lines for each in CAUSES if each in line]
    if not found:
        return ""
    latest = found[-4:]  # the child's line stands just before the parent's
    _, line = min(latest, key=lambda pair: CAUSES.index(pair[0]))
    text = line.rpartition(" # ")[2] if " # " in line else line.rpartition(" * ")[2]
    return text.strip()
