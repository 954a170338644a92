"""What a fork's child must not share with its parent begins anew there.

One hook for the whole process, over weak references: hooks cannot be taken back, objects come and go.
"""

import os
import weakref
from typing import Protocol


class Beginner(Protocol):
    """Something with connections, threads or locks of its own."""

    def begin(self) -> None:
        """Begin without any of them; what was inherited stays the parent's."""
        ...


_all: "weakref.WeakSet[Beginner]" = weakref.WeakSet()


def begin_anew_in_a_child(thing: Beginner) -> None:
    """Call `thing.begin()` in every child that is forked while it exists."""
    _all.add(thing)


def _in_child() -> None:
    for thing in list(_all):
        thing.begin()


os.register_at_fork(after_in_child=_in_child)
