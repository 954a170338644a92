"""What servers say of the data they hold, load or refuse; all of it pasted from real ones."""

from typing import Any

import pytest

from keywright_ops.facts.info import parse_info
from keywright_ops.facts.loaded import (
    CANARY,
    INFO,
    LOG,
    parse_databases,
    parse_held,
    parse_loaded,
    parse_scratch,
    shortfall,
    telling,
)
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Held, Loaded

TIMES = "rdb_last_load_keys_expired:2\r\nrdb_last_load_keys_loaded:3\r\nexpired_keys:1\r\n"
# each holds two keys in db0, one of them with a time to live, and a hash in db3 with a field that has one
VALKEY_9 = (
    "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\nnumber_of_functions:1\r\n"
    f"{TIMES}expired_fields:0\r\n# Keyspace\r\n"
    "db0:keys=2,expires=1,avg_ttl=0,keys_with_volatile_items=0\r\n"
    "db3:keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=1\r\n"
)
REDIS_8 = (
    f"redis_version:8.2.3\r\nnumber_of_functions:1\r\n{TIMES}expired_subkeys:0\r\n# Keyspace\r\n"
    "db0:keys=2,expires=1,avg_ttl=0,subexpiry=0\r\ndb3:keys=1,expires=0,avg_ttl=0,subexpiry=1\r\n"
    "db0_distrib_strings_sizes:1=2\r\ndb3_distrib_hashes_items:1=1\r\n"
)
REDIS_7 = (
    f"redis_version:7.0.15\r\nnumber_of_functions:0\r\n{TIMES}# Keyspace\r\n"
    "db0:keys=2,expires=1,avg_ttl=0\r\ndb3:keys=1,expires=0,avg_ttl=0\r\n"
)
REDIS_6 = (
    "redis_version:6.2.5\r\nexpired_keys:1\r\n# Keyspace\r\n"
    "db0:keys=2,expires=1,avg_ttl=0\r\ndb3:keys=1,expires=0,avg_ttl=0\r\n"
)
BOTH = (("db0", 2), ("db3", 1))


@pytest.mark.parametrize(
    ("text", "uncounted"),
    [(VALKEY_9, 1), (REDIS_8, 1), (REDIS_7, 0), (REDIS_6, 1)],
    ids=["valkey 9", "redis 8", "redis 7", "redis 6"],
)
def test_what_is_held(text: str, uncounted: int, pure: Any) -> None:
    """Keys by database; those that a load may lose without a word: by volatile fields, or before 7.0 by
    any time to live."""
    assert Held(BOTH, uncounted) == pure(parse_held, parse_info(text))
    assert 3 == pure(parse_held, parse_info(text)).keys
    assert () == pure(parse_databases, {})


@pytest.mark.parametrize(
    ("text", "expired", "functions", "server", "version"),
    [
        (VALKEY_9, 3, 1, "valkey", "9.1.2"),
        (REDIS_8, 3, 1, "redis", "8.2.3"),
        (REDIS_7, 3, 0, "redis", "7.0.15"),
        (REDIS_6, 1, 0, "redis", "6.2.5"),
    ],
)
def test_what_was_loaded(
    text: str, expired: int, functions: int, server: str, version: str, pure: Any
) -> None:
    """Keys, those that expired while loading and since, functions, the canary and who loaded it."""
    expected = Loaded(BOTH, expired, functions, "found", server, version)
    assert expected == pure(parse_loaded, parse_info(text), "found")
    assert expected == pure(parse_scratch, f"{INFO}\n{text}\n{CANARY}\nfound\n")
    without = expected._replace(canary="")
    assert without == pure(parse_scratch, f"{INFO}\n{text}\n{CANARY}\n")


@pytest.mark.parametrize(
    ("before", "after", "expired", "uncounted", "short"),
    [
        (3, 3, 0, 0, False),
        (3, 2, 1, 0, False),
        (3, 2, 0, 1, False),
        (3, 2, 0, 0, True),
        (3, 1, 0, 1, True),
        (3, 4, 0, 0, True),
        (3, 3, 1, 5, True),  # more than was held: it is another server's data
        (0, 0, 0, 0, False),
    ],
)
def test_every_key_is_accounted_for(
    before: int, after: int, expired: int, uncounted: int, short: bool, pure: Any
) -> None:
    """Neither too few nor too many, whatever expired."""
    held = Held((("db0", before),), uncounted)
    loaded = Loaded((("db0", after),), expired, 0, "", "redis", "7.0.15")
    assert short == bool(pure(shortfall, held, loaded))


START_7 = """\
19202:C 23 Nov 2026 07:12:53.137 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo
19202:C 23 Nov 2026 07:12:53.139 # Redis version=7.0.15, bits=64, commit=00000000, pid=19202, just started
19202:C 23 Nov 2026 07:12:53.139 # Configuration loaded
19202:M 23 Nov 2026 07:12:53.139 * monotonic clock: POSIX clock_gettime
19202:M 23 Nov 2026 07:12:53.140 * Running mode=standalone, port=0.
19202:M 23 Nov 2026 07:12:53.140 # Server initialized
15442:M 23 Nov 2026 07:12:25.947 # WARNING Memory overcommit must be enabled! Without it, a background …
"""
FATAL_7 = (
    "15442:M 23 Nov 2026 07:12:25.965 # Fatal error loading the DB: Invalid argument. Exiting.\n"
)
START_9 = """\
15472:M 23 Nov 2026 07:12:26.074 * Static Module 'lua' successfully loaded
15472:M 23 Nov 2026 07:12:26.075 * Server initialized
15472:M 23 Nov 2026 07:12:26.075 * Cleaning slot migration log in anticipation of a load operation.
"""
FATAL_9 = (
    "15472:M 23 Nov 2026 07:12:26.075 # Fatal error loading the DB, check server logs. Exiting.\n"
)
SHORT = """\
19202:M 23 Nov 2026 07:12:53.140 # Short read or OOM loading DB. Unrecoverable error, aborting now.
19202:M 23 Nov 2026 07:12:53.140 # Internal error in RDB reading offset 0 -> Unexpected EOF
[offset 0] Checking RDB file dump.rdb
--- RDB ERROR DETECTED ---
[info] 0 already expired
"""


NEWER, WRONG, INNER, BROKEN, SLOW = (
    "Can't handle RDB format version 80",
    "Wrong signature trying to load DB from file",
    "Internal error in RDB reading offset 0 -> Unexpected EOF",
    "Bad file format reading the append only file",
    "it was not loaded within 2 seconds",
)


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (f"{START_7}1:M # {NEWER}\n{FATAL_7}", NEWER),
        (f"{START_7}1:M # {WRONG}\n{FATAL_7}", WRONG),
        (f"{START_9}1:M # {NEWER}\n{FATAL_9}", NEWER),
        (f"{START_9}1:M # {BROKEN}", BROKEN),
        (START_7 + SHORT, INNER),
        (f"{START_7}{FATAL_7}", "Fatal error loading the DB: Invalid argument. Exiting."),
        (f"sh: {SLOW}", SLOW),
        (START_7, ""),
        (START_9, ""),
        ("", ""),
    ],
)
def test_the_line_that_says_why(log: str, why: str, pure: Any) -> None:
    """Neither the last line, which says only that it ends, nor what a server warns of its host."""
    assert why == pure(telling, log.splitlines())
    expected = Missing(f"the copy does not load: {why or 'the server gave no reason'}")
    assert expected == pure(parse_scratch, f"{LOG}\n{log}")
