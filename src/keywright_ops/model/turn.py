"""The rotation of one secret: which phase it is in, and which moves there are between phases.

    (none) → both → named → only → done          on
    (none) ← dropped ← both ← named ← only       back

In `both` and `named` the server accepts two passwords; which of them the artefacts name is what
the turn to `named` changes. In `only` one is left, and the sessions of the other are being ended.
"""

from typing import NamedTuple

from keywright.secret import Secret

BOTH, NAMED, ONLY, DONE, DROPPED = "both", "named", "only", "done", "dropped"

ON = {BOTH: NAMED, NAMED: ONLY, ONLY: DONE}
BACK = {ONLY: NAMED, NAMED: BOTH, BOTH: DROPPED}


class Turn(NamedTuple):
    """An unfinished rotation: `other` is the password that is not named at present (in `both` the new
    one, later the old one), `held` says to wait after `named`, `begun` is a UTC date.

    `before` is what the vault had kept until then: None when a variable or the guide gave the old one.
    """

    phase: str
    other: Secret
    held: bool
    begun: str
    before: Secret | None

    @property
    def two_hold(self) -> bool:
        """Whether the server accepts both passwords in this phase."""
        return self.phase in (BOTH, NAMED)
