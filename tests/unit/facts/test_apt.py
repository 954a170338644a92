"""What apt could install, from pasted answers of `apt-cache madison` and complaints of `apt-get update`."""

from collections.abc import Callable

import pytest

from keywright_ops.facts.apt import parse_offered
from keywright_ops.model.absence import Missing

Pure = Callable[..., object]

TWO = """\
valkey-server | 8.1.1+dfsg1-3+deb13u3 | http://archive.example/debian trixie/main amd64 Packages
valkey-server | 8.0.1+dfsg1-1~bpo12+1 | file:/srv/apt-backports ./ Packages
"""
SOURCES = "    valkey | 8.1.1+dfsg1-3 | http://archive.example/debian trixie/main Sources\n"
AWAY = """\
E: Failed to fetch file:/srv/away/./Packages  File not found - /srv/away/./Packages (2: No such file)
E: Some index files failed to download. They have been ignored, or old ones used instead.
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TWO, ("8.1.1+dfsg1-3+deb13u3", "8.0.1+dfsg1-1~bpo12+1")),
        (TWO + TWO, ("8.1.1+dfsg1-3+deb13u3", "8.0.1+dfsg1-1~bpo12+1")),
        (SOURCES, ()),
        ("", ()),
        (AWAY + TWO, ("8.1.1+dfsg1-3+deb13u3", "8.0.1+dfsg1-1~bpo12+1")),
        (
            AWAY,
            Missing(
                "Failed to fetch file:/srv/away/./Packages  File not found - /srv/away/./Packages"
                " (2: No such file)"
            ),
        ),
    ],
)
def test_versions_are_told_and_a_complaint_where_there_are_none(
    pure: Pure, text: str, expected: tuple[str, ...] | Missing
) -> None:
    """Binary packages count, each version once; apt's first complaint only where nothing is offered."""
    assert pure(parse_offered, text) == expected
