"""What may be asked of `analyze`, before anybody is asked."""

import pytest

from keywright.errors import InputError
from keywright_ops.actions.analyze import Wanted
from keywright_ops.cli import analyze
from keywright_ops.cli.arguments import build


def wanted(*words: str) -> tuple[str, Wanted]:
    """What these words mean: the file, and what is wanted."""
    return analyze._wanted(build("analyze", analyze).parse_intermixed_args(list(words)))


@pytest.mark.parametrize(
    "line",
    [
        "--pace 5 --full-speed", "--pace 0", "--pace 101", "--sample 0", "--sample -3", "a b", "x.rdb a b",
        "--csv --json", "--sample 5 --resume", "--depth 99", "--depth -1", "--top -1", "--delimiter=",
        "dump.rdb --resume", "dump.rdb --replica", "dump.rdb --sample 5", "dump.rdb --encodings",
    ],
)  # fmt: skip
def test_what_does_not_go_together(line: str) -> None:
    """Law: options that contradict each other, or mean nothing, are refused."""
    with pytest.raises(InputError):
        wanted(*line.split())


def test_what_the_words_mean() -> None:
    """Law: a file is told by its ending, a pattern follows it, a bare * is no pattern, escapes are bytes."""
    assert wanted() == ("", Wanted())
    assert wanted("*")[1].pattern == b""
    assert wanted("user:*")[1].pattern == b"user:*"
    assert wanted(r"\xff*", "--delimiter", r"\x00")[1][:2] == (b"\xff*", b"\x00")
    file, meant = wanted("a/dump.rdb", "user:*")
    assert (file, meant.pattern) == ("a/dump.rdb", b"user:*")
    assert wanted("--full-speed")[1].share is None
    assert wanted("--pace", "5")[1].share == 0.05
