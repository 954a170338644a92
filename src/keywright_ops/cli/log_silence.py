"""Why nothing was found: what no server ever writes, a window that holds nothing, a level not logged."""

import argparse
from collections.abc import Iterator

from keywright_ops.actions.logs import Logs, newest
from keywright_ops.cli.log_lines import local_time
from keywright_ops.logs.topics import never


def why_nothing(arguments: argparse.Namespace, logs: Logs) -> Iterator[str]:
    """Give the reasons, the likeliest first."""
    asked = logs.asked
    if "redis" in {each.service for each in logs.sources}:
        yield from never(arguments.grep, arguments.about)
    if asked.wish.priorities and any("priorities" in each.able for each in logs.sources):
        yield "in a journal all lines of the server have priority info: --level warning tells theirs apart"
    last = newest(logs)
    if last is None:
        yield f"nothing was written yet: {', '.join(each.place for each in logs.sources)}"
        return
    if asked.wish.since is not None and last < asked.wish.since:
        yield f"the newest line is of {local_time(last)}, before --since"
    elif asked.wish.boot and last < (asked.booted or 0):
        yield f"the newest line is of {local_time(last)}, before the host was started"
    elif asked.wish.until is not None:
        yield f"the newest line is of {local_time(last)}"
    if asked.question.levels is not None and "notice" not in asked.question.levels:
        yield "warning is the gravest that the servers write; nothing of it is good news"
