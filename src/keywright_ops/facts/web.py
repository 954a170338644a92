"""Reads what a Linux host answers to the script that asks for its nginx (targets/nginx.py)."""

from keywright_ops.facts.machine import sections
from keywright_ops.model.absence import Missing
from keywright_ops.model.web import Web

DEFAULT_GROUP = "www-data"  # Debian's nginx
# Clock ticks and files' times are rounded: a worker that is older by less was started after the file.
BLUR = 2.0  # seconds


def parse_web(text: str) -> Web | Missing:
    """Return nginx as the script's sections tell it; Missing when they are not all there."""
    found = sections(text)
    if "end" not in found:
        return Missing("the host did not tell of its nginx")
    written = [line.partition(" ") for line in found["written"].split("\n") if line]
    return Web(
        version=found["version"].partition("nginx/")[2].split()[0]
        if "nginx/" in found["version"]
        else "",
        group=found["group"].strip() or DEFAULT_GROUP,
        ours=frozenset(path for word, _, path in written if word == "ours"),
        foreign=frozenset(path for word, _, path in written if word == "foreign"),
        lacking=tuple(line for line in found["lacking"].split("\n") if line),
        complaint=parse_complaint(found["test"]),
        fresh=parse_fresh(found["changed"], found["workers"]),
    )


def parse_complaint(said: str) -> str:
    """Return the first thing that `nginx -t` refuses, with its file and line; "" when it is content."""
    for line in said.split("\n"):
        _, mark, reason = line.partition("[emerg] ")
        process, colon, rest = reason.partition(": ")  # PID#TID, where nginx tells it
        if mark:
            return rest if colon and "#" in process and " " not in process else reason
    return ""


def parse_fresh(changed: str, workers: str) -> bool:
    """Whether every worker is younger than the last change. `changed` is NOW and the times of files
    (seconds since 1970), `workers` UPTIME, TICKS a second, and the ticks at which each was started."""
    times = [float(word) for word in changed.split()]
    clock = [float(word) for word in workers.split()]
    if len(times) < 2 or len(clock) < 3:
        return True  # no file, or no worker: nothing old is served
    last_change = times[0] - max(times[1:])
    oldest = clock[0] - min(clock[2:]) / clock[1]
    return oldest <= last_change + BLUR
