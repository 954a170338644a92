"""What a Linux host tells of its nginx, as far as RedisInsight's site needs it."""

from typing import NamedTuple


class Web(NamedTuple):
    """nginx as it was seen at one moment.

    `version` is "" where there is none, `group` the one that its workers read files as. `ours` and
    `foreign` are those of the site's own two paths at which a file of Keywright's or somebody else's lies;
    `lacking` the files of the certificate that are not there. `complaint` is why nginx refuses its
    configuration as it lies there, "" when it does not. `fresh` says that the running workers were
    started after the last change of site and certificate.
    """

    version: str
    group: str
    ours: frozenset[str]
    foreign: frozenset[str]
    lacking: tuple[str, ...]
    complaint: str
    fresh: bool
