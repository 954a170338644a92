"""From any declaration to any other, whatever happens to the server between: as declared, no key lost."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.apply.scenes import cut, stopped, untouched
from tests.unit.apply.stage import OTHER_PROGRAM, PROGRAM, Wish, keys, put, run_up, still_differs

from keywright_ops.model.proof import PASSED
from keywright_ops.targets.fake import World

WISHES = st.builds(
    "port = {}\nappendonly = {}\nsave = {}\nmaxmemory = {}\ndatabases = {}\nserver = {}\n".format,
    st.sampled_from([7001, 7002]),
    st.sampled_from(["true", "false"]),
    st.sampled_from(["[]", '["900 1"]']),
    st.sampled_from([0, '"64mb"', '"512mb"']),
    st.sampled_from([16, 32]),
    st.sampled_from([f'"{PROGRAM}"', f'"{OTHER_PROGRAM}"']),
)


def promises(toml: str) -> bool:
    """Whether what is written under it survives a stop."""
    return "appendonly = true" in toml or "save = []" not in toml


@settings(max_examples=150, deadline=None)
@given(st.lists(WISHES, min_size=2, max_size=4), st.sampled_from([untouched, stopped, cut]))
def test_any_chain_of_declarations(chain: list[str], event: object) -> None:
    """Each `up` of a chain ends as declared and proven, with an empty diff, and keeps every key, but for
    those that a declaration gave up (which is asked about)."""
    world, expected = World(programs=[PROGRAM, OTHER_PROGRAM]), set[str]()
    for number, toml in enumerate(chain):
        ran = run_up(world, Wish(toml), token=f"token{number}")
        assert {PASSED} == set(ran.verdicts.values())
        assert () == still_differs(world, Wish(toml))
        if not promises(toml):
            expected.clear()
        assert expected <= keys(world)
        put(world, f"key:{number}")
        expected.add(f"key:{number}")
        if "appendonly = false" in toml and promises(toml):
            assert world.server is not None
            world.server.save()
        event(world)  # type: ignore[operator]
        if not promises(toml) and event is not untouched:
            expected.clear()
