"""The readers of keywright.dotenv against the programs themselves; no root, no running engine.

A program that is not installed skips its tests with its name; the lab and CI have all of them.
"""

import glob
import re
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.lab import real_readers
from tests.unit.keywright.passwords import passwords

from keywright.dotenv import quote_for, read, write_line
from keywright.settings import Settings

PROGRAMS = {
    "dotenv": (real_readers.by_dotenv, True),
    "systemd": (real_readers.by_systemd, bool(real_readers.SYSTEMD)),
    "docker": (real_readers.by_docker, bool(shutil.which("docker"))),
    "compose": (real_readers.by_compose, bool(real_readers.compose_v2())),
    "compose1": (real_readers.by_compose1, bool(real_readers.compose_v1())),
    "shell": (real_readers.by_shell, bool(glob.glob("/bin/sh"))),
}
# How many runs of each program a test may cost: in process, 40 ms, 500 ms.
RUNS = {"dotenv": 300, "systemd": 300, "docker": 40, "compose": 60, "compose1": 4, "shell": 60}

dialects = pytest.mark.parametrize(
    "dialect",
    [
        pytest.param(
            each,
            marks=[] if there else pytest.mark.skip(reason=f"the program of {each} is not here"),
        )
        for each, (_, there) in PROGRAMS.items()
    ],
)

pieces = st.sampled_from(
    [
        *"AB_=\n \t'\"\\$#{};|~:`-0é😀%!",
        "${A}",
        "${B:-d}",
        "${B-d}",
        "${OUTER}",
        "$OUTER",
        "${A:+x}",
    ]
    + ["${A", " # c", "export ", "\\n", "\\$", '\\"', "\\'", "\\0101", "$$", "\r\n", "\x0b"]
    + ["\u00a0", "\u2028", "\n# c\n", "\n; c\n", "\n# c\\\n"]
)
lines = st.tuples(
    st.sampled_from(["A=", "B=", "_C=", "export A=", "A =", "A= ", "", "B: "]),
    st.lists(pieces, max_size=7).map("".join),
).map("".join)
files = st.tuples(st.lists(lines, max_size=3).map("\n".join), st.sampled_from(["", "\n"])).map(
    "".join
)


# One rule each; what stands behind `A=`, after B=1 and OUTER in the environment.
VALUES = [
    *("", "x", "x y", " x", "x  ", "#x", "x#y", "x # y", "x\t# y", " # y", "'x # y'", '"x # y"'),
    *("'x'", '"x"', "'x' # y", "'x'y", "'x' y", "'x'\"y\"", "x'y", 'x"y', "'it'\"'\"'s'"),
    *("'it\\'s'", '"a\\"b"', "'a\\\\b'", '"a\\\\b"', "'a\\nb'", '"a\\tb"', '"a\\$b"', '"a\\`b"'),
    *('"a\\qb"', "a\\b", "a\\", "a\\ ", "'a\\'", '"a\\\\"', '"\\0101"', '"\\08"', '"\\a\\c\\v"'),
    *("$B", "${B}", "'$B'", "'${B}'", '"$B"', '"${B}"', "$$", "$$B", "$", "$1", "a$b", "${", "${}"),
    *("${B", "${NO}", "${NO:-d}", "${NO-d}", "${B:-d}", "${NO:-${B}}", "${B:+x}", "${NO?e}"),
    *(
        "${OUTER}",
        "${:-$}{B}",
        "a}b",
        "a;b",
        ";a",
        "a&b",
        "`a`",
        "~",
        "a:~",
        "(a)",
        "a|b",
        "!",
        "%",
    ),
    *("é", "😀", "a=b", "=a", "a\x0bb", "a\x7fb", "a\xa0", "\u2028a", "'a\nC=2", '"a\nC=2'),
    *("'a\nb'", "a\r\nC=2\r", "a\\\nC=2", "\nA", "\nA\n", "\nexport A=2", "\n# c\\\nC=2", "\n;c"),
    *(
        "\nA =2",
        "\nA: 2",
        "\n=2",
        "\n2A=2",
        "\nA-B=2",
        "\n'A'=2",
        "\n A=2",
        "\nOUTER=2\nC=${OUTER}",
    ),
    *(
        "${B}${B}",
        "1\nA=${A}2",
        "x\ny z",
        "'x",
        '"x',
        "'x'=",
        '"${B}" # c',
        "\nexport=2",
        "\nexport =2",
    ),
]


@dialects
def test_each_rule_is_the_programs(dialect: str) -> None:
    """For one line of each kind: the same names and values as the program, or both refuse it."""
    program = PROGRAMS[dialect][0]
    values = (
        VALUES if dialect != "compose1" else VALUES[::40]
    )  # half a second each; all of them below
    for value in values:
        text = f"B=1\nA={value}\n"
        if dialect == "systemd" and _long_comments(text):
            continue
        ours = read(text, dialect, real_readers.OUTER)
        if dialect != "shell" or not ours.refused:
            seen = program(text.encode())
            assert _plain(seen) == (None if ours.refused else _plain(ours.values())), text


@pytest.mark.skipif(not PROGRAMS["compose1"][1], reason="docker-compose 1.29 is not here")
def test_each_rule_is_docker_compose_1s() -> None:
    """The same for docker-compose 1.29, every rule on a line of one file."""
    single = [value for value in VALUES if "\n" not in value and value.count("'") != 1]
    text = "B=1\n" + "".join(f"A{at}={value}\n" for at, value in enumerate(single))
    ours = read(text + "OUTER=2\nC=${OUTER}\n", "compose1", real_readers.OUTER)
    seen = real_readers.by_compose1(text.encode() + b"OUTER=2\nC=${OUTER}\n")
    assert _plain(seen) == _plain(ours.values())
    assert len(ours.entries) > len(single) - 16


def _plain(values: dict[str, str] | None) -> dict[str, str] | None:
    """Without the variable that the tests set outside, and without the empty name that only Docker
    Compose allows."""
    if values is None:
        return None
    return {name: value for name, value in values.items() if name not in ("", "OUTER")}


def _long_comments(text: str) -> bool:
    """A comment that ends with a backslash runs on before systemd 254 and no more since."""
    version = re.search(r"shared-(\d+)", real_readers.SYSTEMD[-1])
    return version is not None and int(version[1]) >= 254 and "\\" in text and "#" in text


@dialects
def test_a_reader_reads_as_its_program(dialect: str) -> None:
    """For any file: the same names and values as the program, or both refuse the file.

    The shell's reader may refuse what the shell would run; nothing else is allowed to differ."""
    program = PROGRAMS[dialect][0]

    @settings(
        max_examples=RUNS[dialect], deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(files)
    def same(text: str) -> None:
        if dialect == "systemd" and _long_comments(text):
            return
        ours = read(text, dialect, real_readers.OUTER)
        if dialect == "shell" and ours.refused:
            return
        theirs = _plain(program(text.encode()))
        assert theirs == (None if ours.refused else _plain(ours.values()))

    same()


@dialects
def test_many_passwords_survive_in_one_file(dialect: str) -> None:
    """settings → .env → program → settings, for any passwords, written for that program."""
    program = PROGRAMS[dialect][0]

    @settings(
        max_examples=max(2, RUNS[dialect] // 10),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(passwords, min_size=20, max_size=60))
    def survive(values: list[str]) -> None:
        expected = {f"P{at}": value for at, value in enumerate(values)}
        text = "".join(
            write_line(name, value, must=(dialect,)) + "\n" for name, value in expected.items()
        )
        assert expected == program(text.encode())

    survive()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(passwords, min_size=10, max_size=40))
def test_one_file_for_all_is_read_by_whom_it_says(values: list[str]) -> None:
    """The shared quoting is read back by every program that quote_for names."""
    there = tuple(each for each, (_, there) in PROGRAMS.items() if there and each != "compose1")
    quotings = {f"P{at}": quote_for(there, value) for at, value in enumerate(values)}
    for dialect in there:
        expected = {
            name: value
            for (name, quoting), value in zip(quotings.items(), values, strict=True)
            if dialect in quoting.reads
        }
        text = "".join(f"{name}={quotings[name].text}\n" for name in expected)
        assert expected == PROGRAMS[dialect][0](text.encode()), dialect


@dialects
def test_settings_come_out_of_the_real_program(dialect: str) -> None:
    """What one writes for a program, the application reads from that program's environment."""
    password = "p ä'\"$x\\ #y"
    text = write_line("REDIS_PASSWORD", password, must=(dialect,)) + "\nREDIS_PORT=7\n"
    seen = PROGRAMS[dialect][0](text.encode())
    assert seen is not None
    found = Settings.from_env(seen)
    assert (password, 7) == (found.password.reveal() if found.password else "", found.port)
