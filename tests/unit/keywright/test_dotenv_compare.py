"""`compare_dialects`: every disagreement between readers is found, and no secret is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.keywright.passwords import passwords

from keywright.dotenv import compare_dialects, read
from keywright.dotenv.compare import COMPARED, ERROR, WARNING

GUIDE_DOCKER = """\
# Redis Configuration (Docker Development)
ENABLE_REDIS_CACHING=true
REDIS_HOST=redis                    # Docker service name
REDIS_PORT=6379
REDIS_PASSWORD=esab_redis_password  # Default dev password
REDIS_DB=0
"""


def test_the_guides_inline_comments_are_found() -> None:
    """The guide's own file: two lines that systemd and docker run read with the comment."""
    found = compare_dialects(GUIDE_DOCKER)
    assert [(ERROR, 3, "REDIS_HOST"), (ERROR, 5, "REDIS_PASSWORD")] == [
        (each.level, each.line, each.name) for each in found
    ]
    assert (
        "line 3: REDIS_HOST is read in 2 ways: “redis” by python-dotenv and docker compose; "
        "“redis …” by systemd and docker run --env-file (what follows # is a comment only to some)"
    ) == str(found[0])
    assert "put the comment on its own line" == found[0].hint
    assert "esab_redis_password" not in " ".join(map(str, found))


@pytest.mark.parametrize(
    ("line", "level", "says"),
    [
        ("export REDIS_DB=1", ERROR, "refuses the whole file, because this line has export"),
        ("export REDIS_DB=1", ERROR, "not at all by systemd"),
        ("REDIS_HOST='redis'", ERROR, "quotation marks"),
        ("REDIS_PASSWORD=${REDIS_PASSWORD}", ERROR, "$ begins a variable"),
        ("REDIS_PASSWORD=a\\b", ERROR, "a backslash"),
        ("REDIS_PASSWORD=<REDIS_PASSWORD>", ERROR, "left-over placeholder"),
        ("REDIS_PORT=637x", ERROR, "'637x'"),
        ("REDIS_PASWORD=x", WARNING, "REDIS_PASSWORD was probably meant"),
        ("CACHE_TTL=1\nCACHE_TTL=2", WARNING, "stands here again, first in line 2"),
        ("REDIS_HOST=a\nREDIS_URL=redis://b", WARNING, "REDIS_URL and REDIS_HOST differ"),
        ("REDIS_HOST=redis   ", ERROR, "blanks around"),
        ("REDIS_PASSWORD='a", ERROR, "opens a quotation mark that is never closed"),
        ("OTHER=a # b", WARNING, "OTHER is read in 2 ways"),
    ],
)
def test_each_trap_is_named(line: str, level: str, says: str) -> None:
    """One line of each kind, after a good one, draws a finding with its own line number."""
    found = compare_dialects(f"CACHE_PREFIX=a:\n{line}\n")
    assert any(each.level == level and says in str(each) for each in found), list(map(str, found))
    assert all(each.line >= 2 for each in found)


def test_a_file_that_all_read_the_same_draws_nothing() -> None:
    """No finding means that the readers agree and the settings are valid."""
    assert () == compare_dialects("# c\n\nREDIS_HOST=redis\nREDIS_PASSWORD=abc-DEF_1\n")


@pytest.mark.parametrize(("content", "says"), [(b"A=\xff\n", "line 1"), (b"A=\0\n", "NUL")])
def test_a_binary_file_is_one_finding(content: bytes, says: str) -> None:
    """What is no text is said once, and nothing is guessed about it."""
    (found,) = compare_dialects(content)
    assert (ERROR, 0) == (found.level, found.line)
    assert says in str(found)


lines = st.tuples(
    st.sampled_from(["REDIS_HOST=", "REDIS_PASSWORD=", "export CACHE_TTL=", "OTHER=", "# "]),
    st.text(st.sampled_from("ab'\"\\$#{}A_ \t`=:-;"), max_size=8),
).map("".join)


@given(st.lists(lines, max_size=4))
def test_no_disagreement_is_overlooked(content: list[str]) -> None:
    """Where two readers see another value, or one refuses the file, there is an error or warning
    about exactly that; where no finding is, they agree."""
    text = "\n".join(content) + "\n"
    readings = {each: read(text, each) for each in COMPARED}
    found = compare_dialects(text)
    for dialect, reading in readings.items():
        said = any(dialect in each.dialects and "refuse" in each.text for each in found)
        assert bool(reading.refused) == said
    able = [each.values() for each in readings.values() if not each.refused]
    for name in {name for values in able for name in values}:
        differ = len({values.get(name) for values in able}) > 1
        said = any(each.name == name and "ways" in each.text for each in found)
        unnamed = any(each.name == "" and "what stands here" in each.text for each in found)
        assert differ == said or (differ and unnamed), name


@given(passwords, st.sampled_from(["{}", "'{}'", '"{}"', "{} # c", "a{}", "export {}"]))
def test_no_secret_is_shown(password: str, shape: str) -> None:
    """Findings hold no password: plain, quoted, commented, expanded elsewhere or swallowed."""
    secret = "S3cr3t" + password
    for text in (
        f"REDIS_PASSWORD={shape.format(secret)}\nREDIS_PORT=${{REDIS_PASSWORD}}\n",
        f"REDIS_URL=redis://:{shape.format(secret)}@h\nREDIS_HOST=$REDIS_URL\n",
        f"CACHE_PREFIX='a\nREDIS_PASSWORD={shape.format(secret)}\n",
        f"DB_TOKEN={shape.format(secret)}\nREDIS_HOST=a # {secret}\n",
        f"REDIS_PASSWORD=${{NONE:-{secret}}}\nREDIS_SSL=${{REDIS_PASSWORD}}\n",
    ):
        for finding in compare_dialects(text):
            assert "S3cr3t" not in str(finding) + finding.hint + finding.name
