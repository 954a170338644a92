"""A distribution's redis.conf with the plan's settings in it: found again, winning, nothing else touched."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.render.plans import HOST, built_in

from keywright_ops.facts.canonical import canonical, canonical_name
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.facts.words import split_words
from keywright_ops.model.plan import Directive, Plan
from keywright_ops.render.conf_edit import BEGIN, END, PASSWORDS, SET_BELOW, merge_redis_conf

# Debian 12's own, word for word: /etc/redis/redis.conf of redis-server 5:7.0.15-1~deb12u10.
DEBIAN = (Path(__file__).parent / "debian" / "redis-7.0.15-1.conf").read_text(encoding="utf-8")
PLAN = built_in("linux", HOST)
SAVING = PLAN._replace(
    directives=(
        *(each for each in PLAN.directives if each.name != "save"),
        Directive("save", ("3600", "1"), "persistence"),
    )
)
NAMES = frozenset(each.name for each in PLAN.directives)
HUSH = "hush-hush-4711"

LINES = st.sampled_from(
    [
        "",
        "# a comment",
        "   # keywright",
        "include /etc/redis/extra.conf",
        "loadmodule /usr/lib/redis/modules/a.so",
        "maxmemory 1gb",
        "  MaxMemory\t2gb  ",
        "maxmemory-policy noeviction\r",
        '"bind" 0.0.0.0',
        "'port' 7000",
        "timeout 0",
        "TCP-Keepalive 300\r",
        "\ttimeout 5 \r",
        "save 900 1",
        "slaveof 10.0.0.1 6379",
        "client-output-buffer-limit normal 0 0 0",
        f"requirepass {HUSH}",
        f"RequirePass '{HUSH}'\r",
        f'  "requirepass"\t"{HUSH}"',
        f'requirepass "{HUSH}',
        f"user app on >{HUSH} ~* +@all",
        f"User app on >{HUSH} ~* +@all",
        'logfile "unbalanced',
        "\v",
        "\f\r",
        "\0",
        "é \udcff",
        BEGIN,
        END,
        f"  {END}\r",
        f"{SET_BELOW}maxmemory 3gb",
    ]
)
ANYTHING = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20)
FILES = st.lists(LINES | ANYTHING, max_size=14).map("\n".join)


def name_of(line: str) -> str:
    """The setting that a line sets, as the server reads it; "" for none."""
    bare = line.strip(" \t\r")
    words = [] if bare.startswith("#") else split_words(bare) or bare.split()
    return canonical_name(words[0]) if words else ""


def without_block(text: str) -> list[str]:
    """The lines above our block."""
    lines = text.split("\n")
    return lines[: lines.index(BEGIN)]


@given(FILES)
@example(DEBIAN)
@example("")
@example("\v")
@example(f"{BEGIN}\nmaxmemory 1gb\n{END}\ntimeout 5\n{BEGIN}\n{END}\n")
@example(f"timeout 1\n{BEGIN}\ntimeout 5\n")
def test_merging_twice_is_merging_once(found: str) -> None:
    """What was merged is merged into itself, whatever stood there."""
    once = merge_redis_conf(found, PLAN)
    assert once == merge_redis_conf(once, PLAN)
    assert (1, 1) == (once.split("\n").count(BEGIN), once.split("\n").count(END))
    assert once.endswith(f"\n{END}\n")


@given(FILES)
@example(DEBIAN)
@example(DEBIAN.replace("\n", "\r\n"))
def test_what_the_plan_does_not_set_survives(found: str) -> None:
    """Every line that is neither the plan's, nor a password's, nor between our marks stays, in its place."""
    marks = (BEGIN, END)
    lines = found.split("\n")
    if any(line.strip() in marks for line in lines):
        lines = [line for line in lines if line.strip() not in marks]
        found = "\n".join(lines)
    theirs = [line for line in lines if line.strip() and name_of(line) not in {*NAMES, *PASSWORDS}]
    kept = without_block(merge_redis_conf(found, PLAN))
    assert theirs == [line for line in kept if line in theirs]


@given(FILES)
@example(DEBIAN + f"requirepass {HUSH}\n")
def test_no_password_survives(found: str) -> None:
    """Not as a setting, not as a comment: only the word that one stood there."""
    merged = merge_redis_conf(found, PLAN)
    assert HUSH not in merged
    assert {"requirepass", "user"}.isdisjoint({name_of(line) for line in merged.split("\n")})


@pytest.mark.parametrize("plan", [PLAN, SAVING], ids=["as built in", "with save points"])
@given(found=FILES)
@example(found=DEBIAN)
def test_the_block_wins(plan: Plan, found: str) -> None:
    """The file says of every declared setting what the plan says, and sets nothing of it elsewhere."""
    merged = merge_redis_conf(found, plan)
    read = parse_redis_conf(merged)
    expected = {each.name: canonical(each.name, each.value) for each in plan.directives}
    assert expected == {name: read.get(name) for name in expected}
    names = {each.name for each in plan.directives}
    assert [] == [line for line in without_block(merged) if name_of(line) in names]


def test_debians_own_file_stays_readable(pure: Any) -> None:
    """Each of Debian's lines is there: as it was, or as the comment that says who sets it now."""
    merged = pure(merge_redis_conf, DEBIAN, PLAN)
    kept = without_block(merged)[:-1]
    theirs = DEBIAN.rstrip("\n").split("\n")
    assert theirs == [line.removeprefix(SET_BELOW) for line in kept]
    replaced = {name_of(line.removeprefix(SET_BELOW)) for line in kept if SET_BELOW in line}
    assert {"bind", "port", "dir", "appendonly", "daemonize", "logfile"} <= replaced
    assert [] == [name for name in replaced if name not in NAMES]


def test_a_block_without_its_end_costs_nothing(pure: Any) -> None:
    """A file that was cut within our block keeps what is not the plan's; so does one with an end alone."""
    cut = f"timeout 1\n{BEGIN}\nmaxmemory 1\nhz 20\n"
    kept = without_block(pure(merge_redis_conf, cut, PLAN))
    assert ["timeout 1", f"{SET_BELOW}maxmemory 1", "hz 20", ""] == kept
    kept = without_block(pure(merge_redis_conf, f"timeout 1\n{END}\nhz 20\n", PLAN))
    assert ["timeout 1", "hz 20", ""] == kept


def test_an_empty_file_becomes_the_block_alone(pure: Any) -> None:
    """Nothing there: nothing above the block."""
    for nothing in ("", "\n", "\n \n\t\r\n"):
        assert [] == without_block(pure(merge_redis_conf, nothing, PLAN))


def test_what_is_added_below_the_block_goes_above(pure: Any) -> None:
    """A line that somebody appended stays, and does not win over the plan."""
    merged = pure(merge_redis_conf, DEBIAN, PLAN)
    again = pure(merge_redis_conf, merged + "hz 20\nmaxmemory 1\n", PLAN)
    assert ["hz 20", f"{SET_BELOW}maxmemory 1", ""] == without_block(again)[-3:]
    assert merged.partition(BEGIN)[2] == again.partition(BEGIN)[2]
