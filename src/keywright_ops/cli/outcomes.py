"""How a proof looks: its mark, its claim, and the evidence beside it."""

from keywright_ops.cli.show import DIM, GREEN, RED, WIDTH, YELLOW, coloured, wrapped
from keywright_ops.model.proof import FAILED, PASSED, UNKNOWN, Outcome

CLAIM = 33  # columns for what a proof claims; its evidence stands beside it
MARKS = {PASSED: ("✓", GREEN), FAILED: ("✗", RED), UNKNOWN: ("?", YELLOW)}


def show_outcome(outcome: Outcome) -> None:
    """One proof: its mark, its claim, and beside it the evidence that was read."""
    mark, colour = MARKS[outcome.verdict]
    first, *more = wrapped(outcome.evidence, "", WIDTH - CLAIM - 5) or [""]
    claim = f"{outcome.proof.title:<{CLAIM}}"
    print(f"  {coloured(mark, colour)} {claim} {coloured(first, DIM)}".rstrip(), flush=True)
    for line in more:
        print(f"{'':{CLAIM + 5}}{coloured(line, DIM)}")
