"""Settings: one table, URL over parts, mistakes named, secrets never shown."""

import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given
from tests.unit.keywright.passwords import passwords

from keywright.errors import SettingsError
from keywright.secret import Secret
from keywright.settings import FIELDS, Settings, settings_table
from keywright.url import Address, Node

KINDS = {"switch": bool, "whole": int, "seconds": float, "url": Secret}

GUIDE_LINUX = {
    "ENABLE_REDIS_CACHING": "true",
    "REDIS_URL": "redis://default:s3cret@127.0.0.1:6379/0",
    "REDIS_HOST": "127.0.0.1",
    "REDIS_PORT": "6379",
    "REDIS_DB": "0",
    "REDIS_USERNAME": "default",
    "REDIS_PASSWORD": "s3cret",
    "REDIS_POOL_MAX_CONNECTIONS": "100",
    "REDIS_SOCKET_TIMEOUT": "5",
    "REDIS_SOCKET_CONNECT_TIMEOUT": "5",
    "CACHE_PREFIX": "esabcfg:",
    "CACHE_TTL": "3600",
    "CACHE_TTL_SHORT": "300",
    "CACHE_TTL_LONG": "86400",
    "LOCK_PREFIX": "esabcfg:lock:",
    "LOCK_TTL": "30",
    "REDIS_HEALTHCHECK_ON_START": "true",
    "REDIS_HEALTHCHECK_KEY": "esabcfg:health",
}


def test_every_row_has_an_attribute_of_its_kind() -> None:
    """FIELDS and Settings agree: same names, and each default has the attribute's type."""
    hints = get_type_hints(Settings)
    found = Settings.from_env({})
    for field in FIELDS:
        value = getattr(found, field.attribute)
        expected = KINDS.get(field.kind, str)
        if field.kind == "password":
            assert value is None
            continue
        assert isinstance(value, expected), field.name
        if field.kind != "url":
            assert hints[field.attribute] is expected, field.name
    own = {"address", "contradictions", "warnings"}
    assert {field.attribute for field in FIELDS} - {"url"} == set(Settings._fields) - own


def test_the_guides_linux_file_is_read_without_complaint() -> None:
    """URL and parts of the guide say the same; nothing is reported, and defaults are the guide's."""
    found = Settings.from_env(GUIDE_LINUX)
    assert () == found.warnings
    assert Address("redis", (Node("127.0.0.1", 6379),), 0, "default", Secret("s3cret")) == (
        found.address
    )
    bare = Settings.from_env({"REDIS_URL": GUIDE_LINUX["REDIS_URL"]})
    assert found == bare


def test_the_url_wins_over_the_parts_and_says_where_they_differ() -> None:
    """Each part that says something else is one contradiction, without any password in it."""
    found = Settings.from_env(
        {
            "REDIS_URL": "rediss://app:from-url@one:1/2?socket_timeout=9",
            "REDIS_HOST": "two",
            "REDIS_PORT": "2",
            "REDIS_DB": "3",
            "REDIS_USERNAME": "other",
            "REDIS_PASSWORD": "from-part",
            "REDIS_SSL": "false",
            "REDIS_SOCKET_TIMEOUT": "8",
        }
    )
    assert ("one", 1, 2, "app", "from-url", True, 9.0) == (
        found.host,
        found.port,
        found.database,
        found.username,
        found.password.reveal() if found.password else "",
        found.ssl,
        found.socket_timeout,
    )
    named = [each.split()[2] for each in found.contradictions]
    assert [
        "REDIS_HOST",
        "REDIS_PORT",
        "REDIS_DB",
        "REDIS_USERNAME",
        "REDIS_PASSWORD",
        "REDIS_SSL",
        "REDIS_SOCKET_TIMEOUT",
    ] == [each.rstrip(";") for each in named]
    assert set(found.contradictions) <= set(found.warnings)
    assert "from-" not in " ".join(found.warnings)


def test_parts_fill_what_the_url_leaves_out() -> None:
    """A URL without credentials, port or database takes them from the variables beside it."""
    found = Settings.from_env(
        {
            "REDIS_URL": "redis://one",
            "REDIS_PORT": "7",
            "REDIS_DB": "3",
            "REDIS_USERNAME": "app",
            "REDIS_PASSWORD": "pw",
        }
    )
    assert Address("redis", (Node("one", 7),), 3, "app", Secret("pw")) == found.address
    assert () == found.contradictions


def test_sentinel_comes_in_through_the_url() -> None:
    """The sentinels' names are no contradiction to a REDIS_HOST that is one of them."""
    env = {"REDIS_URL": "redis+sentinel://:pw@h1,h2:26380/mymaster/1", "REDIS_HOST": "h2"}
    found = Settings.from_env(env)
    assert ("mymaster", 1, ()) == (found.address.master, found.database, found.contradictions)
    other = Settings.from_env({**env, "REDIS_HOST": "h3"})
    assert 1 == len(other.contradictions)


@given(passwords)
def test_any_password_survives_settings_to_url_to_settings(password: str) -> None:
    """REDIS_PASSWORD, written as REDIS_URL, is the same password again."""
    first = Settings.from_env({"REDIS_PASSWORD": password})
    second = Settings.from_env({"REDIS_URL": first.url.reveal()})
    assert password == (second.password.reveal() if second.password else "")
    assert first.address == second.address


@given(passwords)
def test_no_password_is_shown_by_what_a_person_sees(password: str) -> None:
    """repr, contradictions and errors hold no secret, even one in the wrong variable."""
    secret = "S3cr3t" + password
    found = Settings.from_env({"REDIS_PASSWORD": secret, "REDIS_URL": "redis://u:other@h"})
    assert "S3cr3t" not in repr(found)
    for name in ("REDIS_PORT", "REDIS_SSL", "REDIS_SSL_CERT_REQS", "REDIS_URL", "REDIS_HOST"):
        try:
            shown = repr(Settings.from_env({"REDIS_PASSWORD": secret, name: secret}))
        except SettingsError as error:
            shown = str(error) + error.hint
        if name != "REDIS_HOST":
            assert "S3cr3t" not in shown


@pytest.mark.parametrize(
    ("name", "value", "says", "hint"),
    [
        ("REDIS_PORT", "637x", "'637x', not a whole number from 1 to 65535", "REDIS_PORT=6379"),
        ("REDIS_PORT", "0", "'0'", "REDIS_PORT=6379"),
        ("REDIS_PORT", "٦٣٧٩", "not a whole number", "REDIS_PORT=6379"),
        ("REDIS_PORT", "tcp://10.0.0.1:6379", "tcp://", "enableServiceLinks"),
        ("REDIS_PORT", "6379     # port", "an inline comment", "own line"),
        ("REDIS_HOST", "'redis'", "quotation marks", "bare"),
        ("REDIS_HOST", "redis://:pw@h", "holds a connection URL", "REDIS_URL"),
        ("REDIS_HOST", "my host", "a space", "without it"),
        ("REDIS_SOCKET_TIMEOUT", "30s", "'30s'", "REDIS_SOCKET_TIMEOUT=30"),
        ("REDIS_SOCKET_TIMEOUT", "nan", "'nan'", "REDIS_SOCKET_TIMEOUT=5"),
        ("CACHE_TTL", "1h", "'1h'", "CACHE_TTL=3600"),
        ("CACHE_TTL", "-1", "'-1'", "CACHE_TTL=3600"),
        ("REDIS_SSL", "maybe", "'maybe', not a switch", "true or false"),
        ("REDIS_SSL_CERT_REQS", "always", "'always'", "required, optional, none"),
        ("REDIS_PASSWORD", "<REDIS_PASSWORD>", "left-over placeholder", "<REDIS_PASSWORD>"),
        ("REDIS_PASSWORD", "${REDIS_PASSWORD}", "left-over placeholder", "not expanded"),
        ("REDIS_PASSWORD", "your-strong-production-password", "placeholder", "token_urlsafe"),
        ("REDIS_PASSWORD", "changeme", "placeholder", "token_urlsafe"),
        ("REDIS_URL", "redis://default:<REDIS_PASSWORD>@h/0", "placeholder", "<REDIS_PASSWORD>"),
        ("REDIS_HOST", "<CACHE_NAME>.redis.cache.windows.net", "placeholder", "<CACHE_NAME>"),
        ("REDIS_URL", "redis://:pw/x@h", "REDIS_URL: the connection URL has a /", "%2F"),
        ("REDIS_URL", "redis://h?socket_timeout=x", "REDIS_SOCKET_TIMEOUT is 'x'", "=5"),
    ],
)
def test_a_bad_value_names_its_variable_and_a_way_out(
    name: str, value: str, says: str, hint: str
) -> None:
    """The sentence names the variable and what is wrong; the hint says what to write."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    assert says in str(caught.value)
    assert str(caught.value).startswith((name, "REDIS_SOCKET_TIMEOUT"))
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("REDIS_PASWORD", "REDIS_PASSWORD"),
        ("REDIS_PASSWROD", "REDIS_PASSWORD"),
        ("redis_host", "REDIS_HOST"),
        ("REDIS_URI", "REDIS_URL"),
        ("CACHE_PREFX", "CACHE_PREFIX"),
        ("REDIS_USER", "REDIS_USERNAME"),
    ],
)
def test_a_name_that_is_nearly_ours_is_a_warning(name: str, meant: str) -> None:
    """A typo is named with what was probably meant; the settings are read all the same."""
    found = Settings.from_env({name: "x"})
    assert (f"{name} is not read: {meant} was probably meant",) == found.warnings


def test_names_of_others_are_left_alone() -> None:
    """Variables of the system and of a Kubernetes service named redis draw no warning."""
    names = ["PATH", "HOME", "LANG", "CLOCK_TTL2", "REDIS_SERVICE_HOST", "REDIS_PORT_6379_TCP"]
    assert () == Settings.from_env(dict.fromkeys(names, "x")).warnings


def test_an_empty_variable_counts_as_unset() -> None:
    """REDIS_PASSWORD= and REDIS_PORT= mean the defaults."""
    assert Settings.from_env({}) == Settings.from_env({field.name: "" for field in FIELDS})


def test_prefixes_follow_the_cache_prefix() -> None:
    """Locks and the health key live under the application's own prefix unless told otherwise."""
    found = Settings.from_env({"CACHE_PREFIX": "shop:"})
    assert ("shop:lock:", "shop:health") == (found.lock_prefix, found.healthcheck_key)


def test_a_file_is_read_as_its_program_reads_it(tmp_path: Path) -> None:
    """The same file is another setting, or an error, in another dialect; the environment wins."""
    path = tmp_path / ".env"
    path.write_text("REDIS_HOST=redis   # service\nREDIS_PASSWORD='a b'\nCACHE_TTL=60\n")
    found = Settings.from_file(str(path))
    assert ("redis", Secret("a b"), 60) == (found.host, found.password, found.cache_ttl)
    with pytest.raises(SettingsError, match="REDIS_HOST has an inline comment"):
        Settings.from_file(str(path), "systemd")
    assert 5 == Settings.from_file(str(path), environment={"CACHE_TTL": "5"}).cache_ttl


@pytest.mark.parametrize(
    ("content", "dialect", "says"),
    [
        (b"\x7fELF\0\0", "dotenv", "holds a NUL"),
        (b"REDIS_HOST=a\nREDIS_DB=\xff\n", "dotenv", "line 2"),
        (b"export REDIS_DB=1\n", "docker", "line 1 has export before ="),
        (b"REDIS_DB=1\n", "bash", "no .env dialect 'bash'"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes, dialect: str, says: str) -> None:
    """A binary file, a refused one and an unknown dialect are one sentence each."""
    path = tmp_path / ".env"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=says):
        Settings.from_file(str(path), dialect)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is a SettingsError with its path."""
    with pytest.raises(SettingsError, match="no such file"):
        Settings.from_file(str(tmp_path / "none.env"))


def test_the_page_prints_the_table() -> None:
    """docs/application/settings.md holds exactly what settings_table() prints."""
    page = Path(__file__).parents[3] / "docs" / "application" / "settings.md"
    assert settings_table() in page.read_text()


@pytest.mark.parametrize("module", ["keywright", "keywright.settings", "keywright.dotenv"])
def test_the_import_is_light(module: str) -> None:
    """Nothing beyond the standard library, and none of its heavy modules."""
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[3] / 'src')!r}); "
        f"before = set(sys.modules); import {module}; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    found = set(done.stdout.split())
    assert set() == found - set(sys.stdlib_module_names) - {"keywright"}
    heavy = {"dataclasses", "pathlib", "json", "logging", "urllib", "argparse", "subprocess", "ssl"}
    assert set() == found & (heavy | {"inspect", "socket", "asyncio", "difflib"})
    if module == "keywright":
        assert {"keywright"} == found
