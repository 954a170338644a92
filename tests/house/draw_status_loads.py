"""Draws status-loads.txt anew: `python -m tests.house.draw_status_loads` from the project's folder.

Look at `make bench` before a longer list is committed.
"""

import tempfile
from pathlib import Path

from tests.house.test_light import LIST, counted, loaded_by_status

HEADER = """\
# Every module that `keywright status` loads beyond a bare interpreter (of others the package).
# Look at `make bench` before a line is added.
"""

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        names = counted(loaded_by_status(Path(home)))
    LIST.write_text(HEADER + "".join(f"{name}\n" for name in sorted(names)))
