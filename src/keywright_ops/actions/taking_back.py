"""Performs steps as one: when one fails, everything that was done until then is taken back."""

from keywright.errors import ApplyError, KeywrightError, Refused
from keywright_ops.apply.apply import Done, Workshop, apply, undo
from keywright_ops.model.step import Step


def apply_or_undo(steps: tuple[Step, ...], shop: Workshop) -> None:
    """Apply; when a step fails take back everything that was done and say so."""
    done: list[Done] = []
    try:
        apply(steps, shop, done)
    except KeywrightError as error:
        raise taken_back(error, done, shop) from None


def taken_back(error: KeywrightError, done: list[Done], shop: Workshop) -> KeywrightError:
    """Take everything back, and return the error that says so; with nothing done the error itself."""
    if not done:
        return error
    count = sum(each.undo is not None for each in done)
    failures = undo(done, shop)
    told = f"; {count} steps were taken back" if count else ""
    if failures:
        told = "; not everything could be taken back: " + "; ".join(failures)
    kind = Refused if isinstance(error, Refused) else ApplyError
    return kind(f"{error}{told}", error.hint)
