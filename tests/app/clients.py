"""`connect()` and `connect_async()` driven the same way, so that each law is held for both."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.app.faces import Driven

from keywright.connecting import connect, connect_async

Knock = Callable[..., Any]


@pytest.fixture(params=["threads", "asyncio"])
def knock(request: pytest.FixtureRequest) -> Iterator[Knock]:
    """Make clients of either kind: `knock(source, **overrides)`."""
    made: list[Any] = []
    loops: list[asyncio.AbstractEventLoop] = []

    def make(source: Any = None, /, **named: Any) -> Any:
        if request.param == "threads":
            made.append(connect(source, **named))
            return made[-1]
        loops.append(asyncio.new_event_loop())
        made.append(Driven(loops[-1].run_until_complete(connect_async(source, **named)), loops[-1]))
        return made[-1]

    yield make
    for each in made:
        each.close()
    for loop in loops:
        loop.close()
