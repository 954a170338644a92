"""Two ways of not having a value, each with its reason."""

from typing import NamedTuple


class Missing(NamedTuple):
    """A fact that could not be asked, or was not there; `why` completes "unknown: …"."""

    why: str


class Discovered(NamedTuple):
    """A value that only the environment's host can tell.

    `why` says what must be asked, `usually` what most hosts answer ("" if there is no such thing).
    `render` and `compare` print it so; `up` refuses a plan that still holds one.
    """

    why: str
    usually: str = ""

    def __str__(self) -> str:
        return f"<{self.why}>" if not self.usually else f"<{self.why}, usually {self.usually}>"


NOT_THERE = "it is not there"  # the one reason for a missing file that is an answer
