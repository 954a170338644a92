"""Processes of a system without /proc (macOS), as ps tells them; each question costs a few milliseconds.

`-ww` because BSD's ps cuts a command at the terminal's width; `LC_ALL=C` because the start time is compared.
"""

import os

from keywright_ops.facts.process import parse_ps
from keywright_ops.model.host import Process


def pids(conf: str) -> list[int]:
    """The processes whose command line names this file: candidates, to be looked at one by one."""
    lines = _ps("-ax", "-o", "pid=,command=").splitlines()
    return [int(line.split(None, 1)[0]) for line in lines if conf in line]


def process(pid: int) -> Process | None:
    """The process; its command is one text for ps, so a path with blanks is kept whole."""
    return parse_ps(_ps("-o", "lstart=,command=", "-p", str(pid)), pid)


def _ps(*words: str) -> str:
    import subprocess

    environ = {"LC_ALL": "C", "PATH": os.defpath}
    done = subprocess.run(
        ("ps", "-ww", *words), capture_output=True, text=True, env=environ, check=False
    )
    return done.stdout
