"""What a change needs of a Linux host: told before the first step, and by a dry run."""

from keywright_ops.actions.environment import Opened
from keywright_ops.actions.linux_refusals import called, machine_of
from keywright_ops.actions.linux_target import stays_here
from keywright_ops.model.facts import Facts
from keywright_ops.model.step import Step
from keywright_ops.steps.declared import Declared
from keywright_ops.steps.foreseen import Needs, foresee, needs


def needs_of(opened: Opened, declared: Declared, facts: Facts) -> Needs:
    """Return what bringing the environment to its plan needs, as far as it can be known now."""
    return needs_for(opened, foresee(declared, facts))


def needs_for(opened: Opened, steps: tuple[Step, ...]) -> Needs:
    """Return what these steps need."""
    assert opened.plan.unit is not None
    here = stays_here(opened.plan, opened.home, opened.base)
    where = called(opened.plan.unit)
    return needs(where, machine_of(opened), steps, lambda path: path.startswith(here))
