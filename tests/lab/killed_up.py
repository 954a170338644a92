"""`keywright up` that kills itself with SIGKILL at one boundary; run as a program, where the person is.

Arguments: the environment, and a boundary: its name ("effect start") or its number ("17"). Boundaries
are everything that is told of a step (begin, doing, done), the moment after its effect, before the
journal says "done" (effect), and every proof. It exits with 9 when it ended before the boundary.
"""

import os
import signal
import sys
from typing import Any

from keywright_ops.actions.up import Ask, up
from keywright_ops.apply import apply
from keywright_ops.model.proof import Outcome
from keywright_ops.model.step import Step

NOT_MET = 9


class Walk:
    """Counts the boundaries that are passed, and ends at the wanted one."""

    def __init__(self, wanted: str) -> None:
        self.wanted, self.count, self.current = wanted, -1, ""

    def passes(self, name: str) -> None:
        """One boundary."""
        self.count += 1
        if self.wanted in (name, str(self.count)):
            print(name, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, event: str, step: Step) -> None:
        """What is told of a step."""
        self.current = step.id
        self.passes(f"{event} {step.id}")

    def proved(self, outcome: Outcome) -> None:
        """What is told of a proof."""
        self.passes(f"proved {outcome.proof.id}")


def walk(environment: str, wanted: str) -> None:
    """Run `up` with every answer yes."""
    walking = Walk(wanted)
    real = apply._do

    def do(doing: Any, shop: Any) -> None:
        real(doing, shop)
        walking.passes(f"effect {walking.current}")

    apply._do = do
    up(Ask(None, environment, os.environ, walking.watch, walking.proved, lambda steps: True))
    sys.exit(NOT_MET)


if __name__ == "__main__":
    walk(sys.argv[1], sys.argv[2])
