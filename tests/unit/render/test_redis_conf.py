"""redis.conf: what is rendered is read back as declared, for any text."""

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.render.plans import built_in

from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.model.plan import Directive
from keywright_ops.render.redis_conf import render_redis_conf

PLAN = built_in("local")
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
NAMES = ("masterauth", "masteruser", "syslog-ident", "appendfilename", "proc-title-template")


@given(st.dictionaries(st.sampled_from(NAMES), TEXT), TEXT, TEXT, TEXT)
def test_any_text_is_read_back(values, group, why, app):
    """Any values, whatever heading, comment and name stand around them, are read back as written."""
    directives = tuple(Directive(name, (text,), group, why) for name, text in values.items())
    text = render_redis_conf(PLAN._replace(app=app, directives=directives))
    assert values == parse_redis_conf(text)


def test_save_points_and_limits_stand_in_lines_of_their_own(pure):
    """Redis 6.2 reads one save point and one class of limits per line."""
    directives = (
        Directive("save", ("900", "1", "300", "10"), "a"),
        Directive(
            "client-output-buffer-limit", ("normal", "0", "0", "0", "pubsub", "1", "2", "3"), "b"
        ),
    )
    lines = pure(render_redis_conf, PLAN._replace(directives=directives)).split("\n")
    expected = [
        "save 900 1",
        "save 300 10",
        "client-output-buffer-limit normal 0 0 0",
        "client-output-buffer-limit pubsub 1 2 3",
    ]
    assert expected == [line for line in lines if line and not line.startswith("#")]


def test_no_save_points_are_said_so(pure):
    """No snapshots is `save ""`: without the line the server has its own save points."""
    plan = PLAN._replace(directives=(Directive("save", ("",), "a"),))
    assert 'save ""' in pure(render_redis_conf, plan).split("\n")


def test_groups_and_reasons_are_comments(pure):
    """Each group has one heading, and a reason stands above its setting."""
    directives = (
        Directive("port", ("1",), "network", "why so"),
        Directive("timeout", ("2",), "network"),
        Directive("hz", ("3",), "other"),
    )
    text = pure(render_redis_conf, PLAN._replace(directives=directives))
    expected = "# --- network ---\n# why so\nport 1\ntimeout 2\n\n# --- other ---\nhz 3\n"
    assert text.endswith("\n\n" + expected)
