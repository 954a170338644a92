"""What is allowed but questionable in a plan, and what it can cost."""

from keywright_ops.model.plan import Plan, Warning


def judge_plan(plan: Plan) -> tuple[Warning, ...]:
    """Return the warnings of a plan, in the order of its file."""
    return ()
