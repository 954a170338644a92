"""What is written from the tables: init, explain, and the pages of docs/reference."""

import re
from pathlib import Path

import pytest

from keywright.errors import ProfileError
from keywright_ops.profile.declared import Values, fields_of
from keywright_ops.profile.differences import DIFFERENCES, differences_table
from keywright_ops.profile.explain import explain
from keywright_ops.profile.fields import BUILT_IN, BY_PATH, FIELDS, TOP_FIELDS
from keywright_ops.profile.load import built_in_profile, load_profile
from keywright_ops.profile.pages import fields_table, render_init
from keywright_ops.profile.toml_text import find_line, toml

DOCS = Path(__file__).parents[3] / "docs" / "reference"
FILE = """\
app = "shop"

[env.prod]
maxmemory = "600mb"
settings.hz = 20

[env.prod.container]
memory = "1g"

[env.staging]
like = "prod"
"""


def test_init_loads_to_the_defaults() -> None:
    """A fresh keywright.toml changes nothing."""
    assert load_profile(render_init(), "k").environments == built_in_profile().environments


def test_init_uncommented_loads_to_the_defaults() -> None:
    """Every line that shows a default shows exactly it: taking each "#" away changes nothing."""
    text = re.sub(r"(?m)^#(?=[a-z\[])", "", render_init())
    written, built_in = load_profile(text, "k"), built_in_profile()
    for name, kind in BUILT_IN.items():
        shown, real = Values(written, name), Values(built_in, name)
        for field in fields_of(kind):
            assert shown.origin(field.path) == name
            assert real.any(field.path) == shown.any(field.path), field.path


@pytest.mark.parametrize("field", FIELDS + TOP_FIELDS, ids=lambda field: field.path)
def test_every_field_says_everything(field) -> None:  # type: ignore[no-untyped-def]
    """A meaning of one sentence, a source, and an example that its own parser takes."""
    import tomllib

    assert field.meaning.endswith(".")
    assert field.source
    for example in field.example.split(" or "):
        field.type.parse(tomllib.loads(f"x = {example}")["x"])


def test_explain_says_where_a_value_comes_from() -> None:
    """The line of the file, the environment that it is like, or the kind's default."""
    profile = load_profile(FILE, "k.toml")
    (found,) = explain(profile, "env.prod.maxmemory")
    assert (found.value, found.origin) == ('"600mb"', "k.toml, line 4")
    assert found.becomes == "redis.conf maxmemory"
    assert found.source == "guide: Configuration Comparison"
    (found,) = explain(profile, "env.staging.container.memory")
    assert (found.value, found.origin) == (
        '"1g"',
        "k.toml, line 8, from env.prod, which it is like",
    )
    (found,) = explain(profile, "env.prod.appendonly")
    assert found.origin == "the default of docker-prod"
    (found,) = explain(profile, "env.prod.settings.hz")
    assert (found.value, found.origin) == ('"20"', "k.toml, line 5")
    (found,) = explain(profile, "app")
    assert (found.value, found.origin) == ('"shop"', "k.toml, line 1")
    (found,) = explain(profile, "env.linux.protected_mode")
    assert found.difference.startswith("The guide: `protected-mode no`")


def test_explain_takes_tables_and_short_paths() -> None:
    """A table is all its keys; a path without env. is of the default environment."""
    profile = load_profile(FILE, "k.toml")
    assert len(explain(profile, "env.azure")) == len(fields_of("azure"))
    assert [each.path for each in explain(profile, "env.dev.tls")] == [
        f"env.dev.tls.{key}"
        for key in (
            "enabled",
            "names",
            "cert_file",
            "key_file",
            "ca_cert_file",
            "auth_clients",
            "port",
        )
    ]
    assert explain(profile, "maxmemory")[0].path == "env.local.maxmemory"
    assert explain(profile, "prod.maxmemory")[0].path == "env.prod.maxmemory"
    assert [each.path for each in explain(profile, "")] == ["app", "prefix", "default_env"]


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("env.prod.maxmemry", "env.prod.maxmemry: there is no such key", "env.prod.maxmemory"),
        ("env.prd", "env.prd: there is no such environment", "'prod'"),
        ("env.azure.maxmemory", "env.azure.maxmemory: an environment of kind azure", "local"),
        ("env", "env: this is the table of all environments", "env.prod"),
        ("maxmemry", "env.local.maxmemry: there is no such key", "maxmemory"),
    ],
)
def test_explain_of_nothing_names_the_nearest(path: str, message: str, hint: str) -> None:
    """A path that does not exist is told with the one that was probably meant."""
    with pytest.raises(ProfileError) as caught:
        explain(built_in_profile(), path)
    assert str(caught.value).startswith(message)
    assert hint in caught.value.hint


def test_explain_explains_every_field_of_every_environment() -> None:
    """No row of the table is left out, and each value is TOML that loads to itself."""
    import tomllib

    for name, kind in BUILT_IN.items():
        found = explain(built_in_profile(), f"env.{name}")
        assert [each.path for each in found] == [
            f"env.{name}.{field.path}" for field in fields_of(kind)
        ]
        for each in found:
            tomllib.loads(f"x = {each.value}")


def test_lines_are_found() -> None:
    """Headers, dotted keys and tables."""
    assert find_line("[env.a]\nb.c = 1\n[env.a.d]\ne=2", "env.a.b.c") == 2
    assert find_line("[env.a]\nb.c = 1\n[env.a.d]\ne=2", "env.a.d.e") == 4
    assert find_line("[env.a]\n# x = 1\n", "env.a.x") == 0
    assert toml('a"b\\\n') == '"a\\"b\\\\\\u000a"'


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("keywright-toml.md", fields_table),
        ("differences-from-the-guide.md", differences_table),
    ],
)
def test_the_reference_pages_are_the_tables(page: str, table) -> None:  # type: ignore[no-untyped-def]
    """Between its markers a page is exactly what the code says."""
    text = (DOCS / page).read_text(encoding="utf-8")
    between = text.split("tests hold this part to it -->\n")[1].split("<!-- end -->")[0]
    assert between == table()


def test_the_page_shows_a_file_that_loads() -> None:
    """The example at the head of the page is a right keywright.toml."""
    text = (DOCS / "keywright-toml.md").read_text(encoding="utf-8")
    load_profile(text.split("```toml\n")[1].split("```")[0], "k")


def test_differences_name_fields_that_exist() -> None:
    """A difference that `explain` should say is under a key that there is."""
    assert {row.field for row in DIFFERENCES if row.field} <= set(BY_PATH)
