"""Writing .env lines: whoever is said to read a value reads it, python-dotenv itself included."""

import io
import string

import pytest
from dotenv import dotenv_values
from hypothesis import given
from tests.unit.keywright.passwords import passwords

from keywright.dotenv import DIALECTS, quote_for, read, write_line
from keywright.errors import SettingsError
from keywright.settings import Settings


@given(passwords)
def test_who_is_said_to_read_a_value_reads_it(password: str) -> None:
    """settings → .env line → settings, in every dialect that the quoting names."""
    quoting = quote_for(DIALECTS, password)
    assert set(DIALECTS) == {*quoting.reads, *quoting.fails}
    assert bool(quoting.fails) == bool(quoting.why)
    text = f"REDIS_HOST=one\nREDIS_PASSWORD={quoting.text}\nREDIS_PORT=7\n"
    for dialect in quoting.reads:
        found = Settings.from_env(read(text, dialect).values())
        assert ("one", password, 7) == (
            found.host,
            found.password.reveal() if found.password else "",
            found.port,
        ), dialect


@given(passwords)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_any_password_can_be_written_for_these(dialect: str, password: str) -> None:
    """Each of these programs reads any password, when the file is written for it alone."""
    line = write_line("REDIS_PASSWORD", password, must=(dialect,))
    assert {"REDIS_PASSWORD": password} == read(line + "\n", dialect).values()


@given(passwords)
def test_python_dotenv_itself_reads_it(password: str) -> None:
    """The installed python-dotenv gives back what was written for it."""
    line = write_line("REDIS_PASSWORD", password, must=("dotenv",))
    assert {"REDIS_PASSWORD": password} == dotenv_values(stream=io.StringIO(line + "\n"))


@given(passwords)
def test_a_reason_holds_no_value(password: str) -> None:
    """Why some program cannot read a value is said without the value."""
    secret = "S3cr3t" + password
    assert "S3cr3t" not in quote_for(DIALECTS, secret).why
    try:
        write_line("REDIS_PASSWORD", secret, must=("docker", "shell"))
    except SettingsError as error:
        assert "S3cr3t" not in str(error) + error.hint


@pytest.mark.parametrize(
    "value", [string.ascii_letters + string.digits + "_-.", "", "a@b:c/d", "é"]
)
def test_a_plain_value_is_written_bare_for_all(value: str) -> None:
    """What needs no quoting gets none, and every program reads it: docker's raw reader too."""
    assert (value, DIALECTS, (), "") == quote_for(DIALECTS, value)


@pytest.mark.parametrize(
    ("value", "text", "fails"),
    [
        ("a #b", "'a #b'", ("docker",)),
        ("a$b", "'a$b'", ("docker",)),
        (" a", "' a'", ("docker",)),
        ('"a"', "'\"a\"'", ("docker",)),
        ("a b", "a b", ("shell",)),
        ("p${x}", "'p${x}'", ("dotenv", "docker", "compose1")),
        ("x\\", '"x\\\\"', ("docker", "compose1")),
    ],
)
def test_the_quoting_that_most_readers_share(value: str, text: str, fails: tuple[str, ...]) -> None:
    """The plainest of the ways that the most programs read; the others are named."""
    quoting = quote_for(DIALECTS, value)
    assert (text, fails) == (quoting.text, quoting.fails)


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "\ud800"])
def test_what_no_line_can_hold(value: str) -> None:
    """A line break, a NUL and text that is no unicode are refused by name, not bent."""
    with pytest.raises(SettingsError, match="^REDIS_PASSWORD "):
        write_line("REDIS_PASSWORD", value)


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "É"])
def test_what_no_name_can_be(name: str) -> None:
    """A name that some program would not take is an error."""
    with pytest.raises(SettingsError):
        write_line(name, "x")
