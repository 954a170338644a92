"""Work on a store written once for threads and for asyncio: a generator that yields `lambda store: …`."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from keywright.errors import KeywrightError

T = TypeVar("T")
Step = Callable[[Any], Any]  # is given a store; its result is awaited in asyncio
Steps = Generator[Step, Any, T]


def walk(steps: Steps[T], store: Any) -> T:
    """Take the steps on a store for threads."""
    try:
        step = next(steps)
        while True:
            try:
                value = step(store)
            except KeywrightError as error:
                step = steps.throw(error)
            else:
                step = steps.send(value)
    except StopIteration as end:
        result: T = end.value
        return result


async def awalk(steps: Steps[T], store: Any) -> T:
    """Take the steps on a store for asyncio."""
    try:
        step = next(steps)
        while True:
            try:
                value = await step(store)
            except KeywrightError as error:
                step = steps.throw(error)
            else:
                step = steps.send(value)
    except StopIteration as end:
        result: T = end.value
        return result
