"""One way of keeping sessions, driven: in a row, by threads, by tasks. Standard library only."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter, process_time
from typing import Any, NamedTuple

Act = Callable[[int], Any]  # does it with the session of that number


class Way(NamedTuple):
    """`load` gives the session and refreshes its time to live; `save` stores it whole."""

    name: str
    load: Act
    save: Act


class AsyncWay(NamedTuple):
    """The same for tasks."""

    name: str
    load: Callable[[int], Awaitable[Any]]
    save: Callable[[int], Awaitable[Any]]


class Sample(NamedTuple):
    """Operations per second, and microseconds of this process's processor time for each."""

    rate: float
    cpu: float


def in_a_row(act: Act, numbers: Sequence[int]) -> Sample:
    """One after the other, in this thread."""
    cpu, begun = process_time(), perf_counter()
    for number in numbers:
        act(number)
    return _sample(len(numbers), begun, cpu)


def by_threads(act: Act, numbers: Sequence[int], threads: int) -> Sample:
    """Each thread takes its share; the clock runs from when all of them stand ready."""
    ready = threading.Barrier(threads + 1, timeout=30)

    def share(mine: Sequence[int]) -> None:
        try:
            act(mine[0])  # its connection stands
        except BaseException:
            ready.abort()
            raise
        ready.wait()
        for number in mine:
            act(number)

    workers = [
        threading.Thread(target=share, args=(numbers[each::threads],)) for each in range(threads)
    ]
    for worker in workers:
        worker.start()
    ready.wait()
    cpu, begun = process_time(), perf_counter()
    for worker in workers:
        worker.join()
    return _sample(len(numbers), begun, cpu)


async def by_tasks(
    act: Callable[[int], Awaitable[Any]], numbers: Sequence[int], tasks: int
) -> Sample:
    """Each task takes its share, one after the other."""

    async def share(mine: Sequence[int]) -> None:
        for number in mine:
            await act(number)

    cpu, begun = process_time(), perf_counter()
    await asyncio.gather(*(share(numbers[each::tasks]) for each in range(tasks)))
    return _sample(len(numbers), begun, cpu)


async def waits(
    act: Callable[[int], Awaitable[Any]], numbers: Sequence[int], tasks: int
) -> list[float]:
    """How long each operation took (seconds), sorted."""
    took: list[float] = []

    async def share(mine: Sequence[int]) -> None:
        for number in mine:
            begun = perf_counter()
            await act(number)
            took.append(perf_counter() - begun)

    await asyncio.gather(*(share(numbers[each::tasks]) for each in range(tasks)))
    return sorted(took)


def _sample(count: int, begun: float, cpu: float) -> Sample:
    elapsed, used = perf_counter() - begun, process_time() - cpu
    return Sample(count / elapsed, used / count * 1e6)
