"""The live screen fits every terminal, and keys do what the help says."""

from hypothesis import given
from hypothesis import strategies as st

from keywright_ops.cli.pictures import bar, spark
from keywright_ops.cli.top import pressed
from keywright_ops.cli.top_screen import View, screen
from keywright_ops.cli.top_tables import COLUMNS
from keywright_ops.facts.clients import parse_connections
from keywright_ops.facts.rates import CommandRate
from keywright_ops.facts.slowlog import parse_slowlog
from keywright_ops.ops.top.reading import read
from keywright_ops.ops.top.watch import CLIENTS, COMMANDS, SLOW, Seen
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import built_in_profile

PLAN = resolve(built_in_profile(), "prod", None, {}, "/state", "/project")
READING = read({}, {"used_memory": "400", "maxmemory": "512", "role": "master"}, 1.0, 0.0)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40)


def seen(name: str) -> Seen:
    """What a screen is drawn from, with this text wherever a client's words appear."""
    client = parse_connections(f"id=3 addr=10.0.0.1:5 name={name} user=appuser cmd={name} idle=4")
    slow = parse_slowlog([[1, 0, 12_345, ["EVAL", name], "10.0.0.1:5", name]])
    called = (
        CommandRate(name.upper() or "GET", 10.0, 0.0, 0.5, 0.1),
        CommandRate("SET", 1.0, 0.0, 50.0, 0.9),
    )
    return Seen(READING, [READING] * 90, called, client, slow, {"redis_version": "7.0.15"}, {})


@given(st.integers(20, 200), st.integers(6, 70), st.sampled_from((COMMANDS, CLIENTS, SLOW)), NAMES)
def test_the_screen_fits_the_terminal(width: int, height: int, table: str, name: str):
    """Exactly as many lines as there are, none wider than the terminal, whatever the clients are called."""
    lines = screen(PLAN, "127.0.0.1:6379", seen(name), View(table=table), width, height)
    assert len(lines) == height
    assert max(line.cell_len for line in lines) <= width


def test_a_filter_keeps_the_rows_that_hold_it():
    """Rows without the text go; esc brings them back."""

    def told(view: View) -> str:
        return "\n".join(line.plain for line in screen(PLAN, "", seen("get"), view, 80, 24))

    assert "SET" in told(View())
    assert "SET" not in told(View(filter="get"))
    assert "no row holds that" in told(View(filter="nothing like it"))


def test_keys_change_the_view():
    """Each key of the help line does what it says, and a filter is typed letter by letter."""
    view = View()
    assert pressed(view, "2").table == CLIENTS
    assert pressed(view, "shift-tab").table == SLOW
    assert pressed(view, "left").column == len(COLUMNS[COMMANDS]) - 1
    assert pressed(view, "r").reverse
    assert pressed(view, "p").held
    assert (pressed(view, "+").pace, pressed(view, "-").pace) == (0.5, 2.0)
    for key in ("/", "q", "x", "backspace", "enter"):
        view = pressed(view, key)
    assert (view.filter, view.typing) == ("q", None)
    assert pressed(view, "esc").filter == ""


@given(st.lists(st.floats(0, 1e12), max_size=50), st.integers(1, 60))
def test_pictures_keep_their_width(values: list[float], width: int):
    """A sparkline and a bar are as wide as they were asked to be."""
    assert len(spark(values, width)) == width
    assert len(bar(sum(values) % 1.3, width)) == width
