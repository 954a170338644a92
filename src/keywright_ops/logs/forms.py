"""How the lines of other programs read: RedisInsight's JSON, nginx's error and access log, anything else; and
lines that a carrier (Docker, the journal) put a time in front of.

Pure: reads no clock and asks nobody.
"""

import re
from collections.abc import Callable
from re import Pattern

from keywright_ops.logs.source import Form, Line

ANY = re.compile(rb"(?!\s)")  # a line that is not indented begins an entry

# RedisInsight (pino, winston), nginx and syslog, mapped onto the four levels of Redis.
LEVELS_OF_OTHERS = {
    "trace": "debug", "silly": "debug", "debug": "debug", "verbose": "verbose", "http": "verbose",
    "info": "notice", "log": "notice", "notice": "notice", "warn": "warning", "warning": "warning",
    "error": "warning", "err": "warning", "crit": "warning", "alert": "warning", "emerg": "warning",
    "fatal": "warning", "critical": "warning",
}  # fmt: skip


def level_of(word: str) -> str:
    """Return the level that another program's word is mapped onto; "" for none."""
    return LEVELS_OF_OTHERS.get(word.lower(), "")


def plain_form() -> Form:
    """Return how lines read of which nothing is known: each stands for itself."""
    return Form(ANY, _plain)


def _plain(raw: bytes) -> Line:
    return Line(None, "", 0, "", raw, raw, bool(ANY.match(raw)))


def stamped(
    form: Form, stamp: Pattern[bytes], read: Callable[[bytes], tuple[float, int, str]]
) -> Form:
    """Return the form of lines that begin with a carrier's stamp.

    `stamp` matches it (with the space after it), `read` takes what it matched: seconds since 1970, the
    process id (0: not told) and the program's name ("": the form's own). The carrier's time counts: it is
    in UTC, and a line without a header of its own has it too.
    """

    def parse(raw: bytes) -> Line:
        found = stamp.match(raw)
        if found is None:
            return form.parse(raw)
        line = form.parse(raw[found.end() :])
        seconds, pid, program = read(found[0])
        return line._replace(time=seconds, pid=line.pid or pid, role=line.role or program)

    head = re.compile(
        rb"(?:" + stamp.pattern + rb")(?:" + form.head.pattern + rb")", form.head.flags
    )
    return Form(head, parse, form.marks, carried=True)
