"""What was done, when, and where the undo copies lie: one JSON line per event, never any content.

Nothing is replayed from it. After a crash the world is gathered and diffed again; the journal is for
people, and for finding the copies.
"""

import json
import os
from typing import Any

from keywright.errors import ApplyError

JOURNAL = "journal.jsonl"
KEEP_RUNS = 20  # undo folders that are kept; older ones are removed


class Journal:
    """The journal of one environment: `folder`/journal.jsonl and `folder`/undo/RUN/.

    `now` is the UTC time as text; it names the run.
    """

    def __init__(self, folder: str, run: str) -> None:
        self.path = f"{folder}/{JOURNAL}"
        self.run = run
        self.undo_folder = f"{folder}/undo/{run}"

    def note(self, event: str, step: str, **more: Any) -> None:
        """Append one event. Raises ApplyError when it cannot be written (then nothing is done)."""
        line = json.dumps({"run": self.run, "event": event, "step": step, **more})
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "a", encoding="utf-8") as stream:
                stream.write(line + "\n")
        except OSError as error:
            raise ApplyError(
                f"cannot write the journal {self.path}: {error.strerror}",
                "is the disk full, or does the folder belong to another user?",
            ) from None

    def undo_copy(self, number: int, path: str) -> str:
        """Where the copy of a file that is about to be changed goes."""
        return f"{self.undo_folder}/{number:02d}-{os.path.basename(path)}"

    def prune(self) -> None:
        """Remove the undo folders of old runs."""
        import shutil

        parent = os.path.dirname(self.undo_folder)
        runs = sorted(os.listdir(parent)) if os.path.isdir(parent) else []
        for name in runs[:-KEEP_RUNS]:
            shutil.rmtree(os.path.join(parent, name), ignore_errors=True)
