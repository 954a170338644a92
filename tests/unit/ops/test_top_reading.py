"""Two samples make a reading; the numbers are those of INFO as real servers print it."""

from keywright_ops.facts.info import parse_info
from keywright_ops.ops.top.reading import read

BEFORE = parse_info(
    "# Stats\r\ntotal_commands_processed:1000\r\nkeyspace_hits:50\r\nkeyspace_misses:50\r\n"
    "used_cpu_sys:1.5\r\nused_cpu_user:2.5\r\nexpired_keys:3\r\nevicted_keys:0\r\n"
    "total_net_input_bytes:1000\r\ntotal_net_output_bytes:2000\r\nused_memory:100\r\n"
)
AFTER = parse_info(
    "# Stats\r\ntotal_commands_processed:1400\r\nkeyspace_hits:80\r\nkeyspace_misses:60\r\n"
    "used_cpu_sys:1.6\r\nused_cpu_user:2.7\r\nexpired_keys:13\r\nevicted_keys:4\r\n"
    "total_net_input_bytes:3000\r\ntotal_net_output_bytes:6000\r\nused_memory:120\r\n"
    "db0:keys=10,expires=4,avg_ttl=0\r\ndb3:keys=5,expires=5,avg_ttl=100\r\n"
    "rdb_last_save_time:900\r\nrdb_saves:1\r\nrdb_changes_since_last_save:7\r\n"
    "master_repl_offset:500\r\nslave0:ip=10.0.0.2,port=6379,state=online,offset=420,lag=1\r\n"
)


def test_counters_become_rates_per_second():
    """What counts up is divided by the span; what is a level is taken as it is."""
    found = read(BEFORE, AFTER, 2.0, 1000.0)
    assert (200.0, 5.0, 2.0, 1000.0, 2000.0) == (
        found.ops, found.expired, found.evicted, found.input, found.output,
    )  # fmt: skip
    assert (120, 15, 9, 80, 100, 7) == (
        found.used, found.keys, found.expiring, found.lag, found.saved_ago, found.unsaved,
    )  # fmt: skip
    assert round(found.cpu, 3) == 0.15
    assert found.hit_ratio == 0.75


def test_a_restart_in_between_counts_from_nought():
    """Counters that went back belong to another process: no rate is negative."""
    found = read(AFTER, BEFORE, 1.0, 0.0)
    assert (found.ops, found.hit_ratio) == (1000.0, 0.5)
    assert min(found.ops, found.expired, found.evicted, found.input, found.output, found.cpu) >= 0


def test_nothing_read_has_no_hit_ratio():
    """Without a single read there is no share to be told."""
    assert read(BEFORE, BEFORE, 1.0, 0.0).hit_ratio is None


def test_a_server_that_never_saved_says_so():
    """rdb_last_save_time is the start of a server that never saved: that is no snapshot."""
    young = {"rdb_last_save_time": "990", "rdb_last_bgsave_time_sec": "-1", "rdb_saves": "0"}
    assert read({}, young, 1.0, 1000.0).saved_ago is None
    old_version = {
        "rdb_last_save_time": "990",
        "rdb_last_bgsave_time_sec": "0",
    }  # Redis 6.2 has no rdb_saves
    assert read({}, old_version, 1.0, 1000.0).saved_ago == 10


def test_strange_fields_are_nought():
    """A field that is missing or no number never ends the screen."""
    odd = read({}, {"db0": "keys=x", "dbs": "keys=5", "db1": ""}, 0.0, 0.0)
    assert (odd.keys, odd.expiring) == (0, 0)
    assert read({}, {"used_memory": "many", "loading": "yes"}, 0.0, 0.0).used == 0
