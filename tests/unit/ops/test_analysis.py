"""The sums of `analyze`: exact whatever is folded, bounded whatever is fed, the same once resumed."""

import json
from collections import Counter
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from keywright_ops.ops.analysis import tree
from keywright_ops.ops.analysis.report import (
    Prefix,
    Sums,
    chosen,
    flat,
    prefixes_of,
    total,
    types_of,
)
from keywright_ops.ops.analysis.sample import margin
from keywright_ops.ops.analysis.tally import BOUNDS, Tally
from keywright_ops.ops.analysis.tree import MANY, ROOM, Branch, is_id
from keywright_ops.ops.analysis.whole import fraction

segments = st.sampled_from(
    [b"user", b"a", b"", b"*", b"7", b"1002", b"deadbeef01", b"\xff\r\n", b"b c"]
)
names = st.lists(segments, min_size=1, max_size=6).map(b":".join)
kinds = st.sampled_from([b"string", b"hash", b"zset"])
ttls = st.one_of(st.just(-1), st.integers(0, 10**12))
rows = st.lists(st.tuples(names, kinds, ttls, st.integers(0, 10**9)), max_size=60)


def tallied(found: list[tuple[bytes, bytes, int, int]], depth: int = 3, top: int = 5) -> Tally:
    """The sums of these keys."""
    tally = Tally(b":", depth, top)
    if found:
        tally.feed(*zip(*found, strict=True))
    return tally


@settings(deadline=None)
@given(rows, st.integers(0, 4))
def test_nothing_is_lost_in_the_tree(
    found: list[tuple[bytes, bytes, int, int]], depth: int
) -> None:
    """Law: keys, bytes and keys without TTL are those of a naive count, in all, by type and in the tree."""
    tally = tallied(found, depth)
    prefixes = prefixes_of(tally)
    sizes = [size for _, _, _, size in found]
    lasting = sum(ttl < 0 for _, _, ttl, _ in found)
    assert total(types_of(prefixes)) == Sums(len(found), sum(sizes), lasting)
    counts = {name: sums.keys for name, sums in types_of(prefixes).items()}
    assert counts == Counter(kind.decode() for _, kind, _, _ in found)
    assert (tally.read, tally.size, tally.lasting) == (len(found), sum(sizes), lasting)
    assert sum(keys for keys, _ in tally.lifetimes) == len(found) - lasting
    for prefix in flat(prefixes):
        assert not prefix.below or total(prefix.types) == prefix.sums


@settings(deadline=None)
@given(rows)
def test_what_is_kept_goes_on_as_if_never_interrupted(
    found: list[tuple[bytes, bytes, int, int]],
) -> None:
    """Law: sums kept as JSON in the middle and revived end as those that were never interrupted."""
    half = len(found) // 2
    first = tallied(found[:half])
    second = Tally(b":", 3, 5)
    second.revive(json.loads(json.dumps(first.kept())))
    if found[half:]:
        second.feed(*zip(*found[half:], strict=True))
    whole = tallied(found)
    assert prefixes_of(second) == prefixes_of(whole)
    assert second.biggest() == whole.biggest()
    assert second.lifetimes == whole.lifetimes


@settings(deadline=None)
@given(rows)
def test_the_biggest_are_the_biggest(found: list[tuple[bytes, bytes, int, int]]) -> None:
    """Law: the sizes of the biggest keys are those that sorting all would give (SCAN may tell one twice)."""
    once = {key: (key, kind, ttl, size) for key, kind, ttl, size in found}
    tally = tallied(list(once.values()))
    expected = sorted((size for _, _, _, size in once.values()), reverse=True)[:5]
    assert [big.size for big in tally.biggest()] == expected


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4).map(":".join), max_size=80)
)
def test_folding_in_the_middle_loses_nothing(found: list[str]) -> None:
    """Law: whatever is folded after keys were counted under it, each key counts once, and what was folded
    stays so."""
    keys = [each.encode() for each in found]
    with patch.object(tree, "MANY", 3):
        tally = tallied([(key, b"string", -1, 1) for key in keys])
        prefixes = prefixes_of(tally)
    assert total(types_of(prefixes)).keys == len(keys)
    for branch in branches(tally.root):
        assert not branch.closed or not branch
        assert len(branch) <= 3
    first = Counter(key.partition(b":")[0] for key in keys if b":" in key)
    if len(first) > 3:
        assert not tally.root
        assert tally.root.star is not None


def branches(root: Branch) -> list[Branch]:
    """A branch and all below it."""
    return [root, *(each for _, below in root.named() for each in branches(below))]


def test_ids_are_folded_and_words_are_not() -> None:
    """Law: digits, long hexadecimal numbers, UUIDs and dates are ids; words of the same letters are not."""
    ids = [b"7", b"1002", b"deadbeef01", b"5f4dcc3b5aa765d61d8327deb882cf99", b"2024-01-15"]
    ids.append(b"123e4567-e89b-12d3-a456-426614174000")
    words = [
        b"user",
        b"cafe",
        b"facade",
        b"deadbeef",
        b"v1",
        b"",
        b"abc-123",
        b"x" * 40,
        b"----------",
    ]
    assert [each for each in ids if not is_id(each)] == []
    assert [each for each in words if is_id(each)] == []


def patterns(keys: list[bytes], depth: int = 3) -> dict[bytes, int]:
    """Every pattern of the tree with its keys."""
    tally = tallied([(key, b"string", -1, 10) for key in keys], depth)
    return {each.pattern: each.sums.keys for each in flat(prefixes_of(tally))}


def test_patterns_read_as_one_would_write_them() -> None:
    """Law: a leaf is named where its kind is a word, and * stands for ids and for what lies too deep."""
    keys = [
        b"user:1:profile",
        b"user:2:profile",
        b"user:2:roles",
        b"session:9f86d081884c7d65",
        b"flag",
    ]
    expected = {
        b"user:*:*": 3,
        b"user:*:profile": 2,
        b"user:*:roles": 1,
        b"session:*": 1,
        b"flag": 1,
    }
    assert patterns(keys) == expected
    assert patterns([b"a:b:c:d:e", b"a:b:c:x:y"]) == {b"a:b:c:*": 2}
    assert patterns([b"a:b", b"a:c:d"], depth=0) == {b"*": 2}


def test_names_that_never_repeat_become_a_star() -> None:
    """Law: more different names than MANY under one prefix are one *, and none of their keys is lost."""
    users = [
        b"cart:user%s:items" % bytes(chr(97 + n % 26) * (n // 26 + 1), "ascii")
        for n in range(MANY + 50)
    ]
    assert patterns(users) == {b"cart:*:items": MANY + 50}
    few = users[: MANY // 2]
    assert len(patterns(few)) == MANY // 2 + 1


def test_the_tree_is_bounded() -> None:
    """Law: however many names there are, the tree holds no more than its room, and every key."""
    words = ["".join(chr(97 + int(digit)) for digit in str(n)) for n in range(900)]
    keys = [f"{a}:{b}:{c}".encode() for a in words[:60] for b in words[:30] for c in words[100:130]]
    tally = tallied([(key, b"string", -1, 1) for key in keys])
    found = flat(prefixes_of(tally))
    assert len([each for each in found if not each.below]) <= ROOM
    assert total(types_of(prefixes_of(tally))).keys == len(keys)


def test_lifetimes_fall_between_their_bounds() -> None:
    """Law: a TTL counts under the first bound that is larger."""
    tally = tallied(
        [(b"k", b"string", ttl, 2) for ttl in (0, BOUNDS[0] - 1, BOUNDS[0], BOUNDS[-1])]
    )
    assert tally.lifetimes[0] == [2, 4]
    assert tally.lifetimes[1] == [1, 2]
    assert tally.lifetimes[-1] == [1, 2]


def test_the_margin_is_wilsons() -> None:
    """Law: ±1 point at one half of 10,000 keys, wider for fewer, never zero, zero when all were read."""
    assert abs(margin(0.5, 10_000, 10**7) - 0.0098) < 0.0002
    assert abs(margin(0.01, 10_000, 10**7) - 0.00195) < 0.0001
    assert margin(0.0, 10_000, 10**7) > 0
    assert margin(0.5, 100, 10**7) > margin(0.5, 1000, 10**7)
    assert margin(0.5, 1000, 1000) == 0


def test_a_cursor_tells_how_far_it_is() -> None:
    """Law: SCAN's cursors, counted with their bits reversed, grow from 0 to 1."""
    size = 1024
    cursors = [int(f"{n:010b}"[::-1], 2) for n in range(size)]
    found = [fraction(b"%d" % each, cluster=False) for each in cursors]
    assert found == [n / size for n in range(size)]
    assert fraction(b"%d" % (8192 + (5 << 14)), cluster=True) == 0.5


def test_chosen_patterns_have_their_parents() -> None:
    """Law: a pattern that is shown stands below the one that it is a part of; the rest is counted."""
    keys = [b"a:x:%d" % n for n in range(50)] + [b"a:y:1", b"b:z:1", b"c:w:1"]
    found = prefixes_of(tallied([(key, b"string", -1, 10) for key in keys]))
    rows, left = chosen(found, 2)
    assert [(level, each.pattern) for level, each in rows] == [(0, b"a:*"), (1, b"a:x:*")]
    assert left == 3
    whole: list[Prefix] = flat(found)
    assert len(chosen(found, 0)[0]) == len(whole) == 5
