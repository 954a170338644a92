"""Reads which process a systemd service runs, from systemctl and /proc."""

from keywright_ops.facts.process import parse_proc_stat_start
from keywright_ops.model.absence import Missing
from keywright_ops.model.host import Process


def parse_main_process(text: str, unit: str) -> Process | Missing:
    """Return the process that systemd and, below an empty line, /proc/PID's stat, exe and cmdline tell of.

    Missing says how the service is.
    """
    told_of, _, rest = text.partition("\n\n")
    state = dict(line.split("=", 1) for line in told_of.split("\n") if "=" in line)
    lines = rest.split("\n")
    start = parse_proc_stat_start(lines[0]) if rest else None
    pid = state.get("MainPID", "")
    if start is None or len(lines) < 3 or not pid.isdecimal():
        if state.get("LoadState") == "not-found":
            return Missing(f"there is no service {unit}")
        sub, result = state.get("SubState", ""), state.get("Result", "")
        why = f", {result}" if result not in ("", "success") else ""
        return Missing(f"no server of this environment runs ({unit} is {sub or 'unknown'}{why})")
    suspended = lines[0].rpartition(")")[2].split()[0] == "T"
    command = tuple(line for line in lines[2:] if line)
    return Process(int(pid), start, lines[1], command or (lines[1],), suspended)
