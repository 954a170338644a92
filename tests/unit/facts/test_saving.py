"""When a snapshot has truly ended, by INFO as real servers answered it."""

import pytest

from keywright_ops.facts.saving import (
    DONE,
    FAILED,
    RUNNING,
    UNSEEN,
    cause_of,
    judge_rewrite,
    judge_snapshot,
    parse_saving,
)

# redis 7.0.15, the fields that change
QUIET = {
    "rdb_bgsave_in_progress": "0", "rdb_last_bgsave_status": "ok", "rdb_last_save_time": "1000",
    "rdb_saves": "3", "aof_rewrite_in_progress": "0", "aof_rewrite_scheduled": "0",
    "aof_last_bgrewrite_status": "ok", "current_save_keys_processed": "0", "current_save_keys_total": "0",
}  # fmt: skip


@pytest.mark.parametrize(
    ("before", "now", "started", "verdict"),
    [
        ({}, {"rdb_bgsave_in_progress": "1"}, True, RUNNING),
        ({}, {"rdb_saves": "4", "rdb_last_save_time": "2000"}, True, DONE),
        # two saves within one second have the same LASTSAVE
        (
            {"rdb_last_save_time": "2000"},
            {"rdb_saves": "4", "rdb_last_save_time": "2000"},
            True,
            DONE,
        ),
        ({}, {"rdb_last_bgsave_status": "err"}, True, FAILED),
        # it failed before, and fails again: the status never moved
        ({"rdb_last_bgsave_status": "err"}, {"rdb_last_bgsave_status": "err"}, True, FAILED),
        # scheduled behind a rewrite: the old file's "ok" proves nothing
        ({}, {"aof_rewrite_in_progress": "1"}, False, UNSEEN),
        ({}, {}, False, UNSEEN),
        ({}, {"aof_rewrite_in_progress": "1", "rdb_last_save_time": "2000"}, False, UNSEEN),
        # a server of 6.2 counts no saves: the time alone tells
        ({"rdb_saves": ""}, {"rdb_saves": "", "rdb_last_save_time": "2000"}, False, DONE),
    ],
)
def test_a_snapshot_is_done_when_it_is_the_one_that_was_asked_for(
    before: dict[str, str], now: dict[str, str], started: bool, verdict: str
) -> None:
    """Law: asked for at second 2000, what was there before counts for nothing."""
    found = judge_snapshot(parse_saving(QUIET | before), parse_saving(QUIET | now), 2000, started)
    assert found == verdict


def test_a_scheduled_rewrite_is_not_done() -> None:
    """Law: accepted and waiting is running; failed is told."""
    assert judge_rewrite(parse_saving(QUIET | {"aof_rewrite_scheduled": "1"})) == RUNNING
    assert judge_rewrite(parse_saving(QUIET)) == DONE
    assert judge_rewrite(parse_saving(QUIET | {"aof_last_bgrewrite_status": "err"})) == FAILED


def test_the_share_of_a_running_child() -> None:
    """Law: keys written of keys there were; nothing is claimed where the server does not tell."""
    told = {"current_save_keys_processed": "50", "current_save_keys_total": "200"}
    assert parse_saving(QUIET | told).share == 0.25
    assert parse_saving({}).share is None


def test_the_servers_last_words() -> None:
    """Law: the child's line says more than the parent's; the latest failure counts."""
    log = (
        "7:M 01 Jan 2026 00:00:00.000 * Background saving started by pid 9",
        "9:C 01 Jan 2026 00:00:00.010 # Write error saving DB on disk(rdbSaveRio): No space left on device",
        "7:M 01 Jan 2026 00:00:00.100 # Background saving error",
    )
    assert cause_of(log) == "Write error saving DB on disk(rdbSaveRio): No space left on device"
    assert cause_of(log[:1]) == ""
