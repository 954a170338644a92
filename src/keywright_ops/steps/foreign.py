"""Tells data that an environment did not write itself."""

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts


def foreign_data(facts: Facts) -> tuple[str, ...]:
    """Return the names of data files although nothing says that this environment ever ran.

    Call it only for an environment without kept choices; an environment's own redis.conf, or its
    running server, is proof enough that the data is its own.
    """
    if isinstance(facts.stored, Missing):
        return ()
    if not isinstance(facts.disk_config, Missing) or not isinstance(facts.process, Missing):
        return ()
    return tuple(name for name in facts.stored if "/" not in name)
