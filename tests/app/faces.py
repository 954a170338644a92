"""Both faces of a store driven the same way, so that each law is held for threads and for asyncio."""

import asyncio
import inspect
from typing import Any


class Driven:
    """Calls the methods of an asyncio store as if they blocked, in a loop of its own."""

    def __init__(self, store: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.store, self.loop = store, loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        if not callable(found):
            return found

        def call(*args: Any, **named: Any) -> Any:
            async def inside() -> Any:
                value = found(*args, **named)
                return await value if inspect.isawaitable(value) else value

            return self.loop.run_until_complete(inside())

        return call

    def pause(self, seconds: float) -> None:
        """Let the loop run for a while."""
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def close(self) -> None:
        """Close the store and the loop."""
        self.loop.run_until_complete(self.store.aclose())
        self.loop.close()


def driven(store: Any) -> Driven:
    """An asyncio store with a loop of its own."""
    return Driven(store, asyncio.new_event_loop())
