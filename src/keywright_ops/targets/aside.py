"""A question that is asked while others are: its answer is taken when it is needed."""

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

from keywright.errors import KeywrightError

Answer = TypeVar("Answer")


class Aside(Generic[Answer]):
    """Asks at once, in a thread; `answer` waits for it, and raises what the question raised."""

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._answers: list[Answer] = []
        self._error: KeywrightError | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answers.append(self._ask())
        except KeywrightError as error:
            self._error = error

    def answer(self) -> Answer:
        """Return the answer, as often as it is asked for."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._answers[0]
