"""Where log lines come from: the interface of every source, and the nouns that pass through it.

A source reads one log of one environment: a file (file.py), a container, a unit's journal, a log on another
host. It knows how to get at bytes, and nothing of patterns, colours or merging; the engine knows nothing of
where bytes come from. `actions/log_sources.py` makes the sources of an environment: `local_sources`,
`docker_sources` (actions/log_docker.py), `linux_sources` (actions/log_linux.py), each called with
(place, plan, home, services) where `services` are the asked names among "redis", "redisinsight", "nginx".

The laws of a source, which tests/contract/log_source.py holds. A source is tested by `hold_read(rig)` and
`hold_follow(rig)` with a Rig that writes lines where it reads: tests/contract/test_log_sources.py for what
needs nothing but this machine, tests/lab for what needs a real Docker or a real journal.
1. `read` gives *chunks of whole lines*, oldest first: every chunk ends in b"\\n", and a last line without one
   gets it. About 256 KiB a chunk is fast; a line a chunk is allowed. Nothing is decoded, nothing is lost.
2. `read` and `follow` do what `able` names of the wish, *exactly*: nobody judges it after them. What `able`
   does not name they leave alone. Only "tail" is done generously (at least so many lines; more is fine):
   the engine cuts it, and never inside an entry of many lines. "tail" stands in the wish only when nothing
   lies between the source's last lines and what is shown.
3. `follow` gives what `read` gives and then what comes, as it comes; while nothing comes it gives b"" at
   least every half second (so that the merge moves on and an interrupt is heard), and the first b"" only
   after what was there. It ends when nothing can come any more (the container was removed). Closing the
   generator ends every process that it started.
4. Errors are of keywright.errors: a sentence and a hint (Unreachable: the engine or the host is away;
   ApplyError: the log cannot be read; InputError: there is none, and where the lines are instead).
5. `form` tells how a line of it reads: redis_line.py has that of Redis and Valkey (`redis_form(zone)`),
   forms.py those of RedisInsight and nginx, and `stamped(form, stamp)` for lines that Docker or the journal
   put a time in front of.
"""

from collections.abc import Callable, Iterator, Mapping
from re import Pattern
from typing import NamedTuple, Protocol

# From the least to the gravest; every program's own are mapped onto these.
LEVELS = ("debug", "verbose", "notice", "warning")

CHUNK = 256 * 1024  # bytes: what fits a processor's cache beside its lower-case copy


class Line(NamedTuple):
    """What one line says.

    `time` is in seconds since 1970 (UTC), None where none is told; `level` one of LEVELS, "" for none;
    `role` is M, S, C or X (sentinel) of a server, else the program's name or ""; `text` the message without
    header; `raw` the line as its program wrote it, without what a carrier (Docker, the journal) put in front;
    `head` is False for a line that belongs to the one before (a crash report's, a banner's).
    """

    time: float | None
    level: str
    pid: int
    role: str
    text: bytes
    raw: bytes
    head: bool


class Form(NamedTuple):
    """How the lines of a log read.

    `head` matches, at a line's first byte, where an entry begins; `parse` takes a line without its b"\\n".
    `marks` are, for each level, bytes of which every line of that level holds one (a line that holds them
    may still be of another level): first the plain mark, then those that come with a double quote in the
    same line; {} when only parsing tells. `carried` is whether a carrier's stamp stands in front.
    """

    head: "Pattern[bytes]"
    parse: Callable[[bytes], Line]
    marks: Mapping[str, tuple[bytes, ...]] = {}
    carried: bool = False


class Wish(NamedTuple):
    """What is wanted of a source.

    Times are seconds since 1970 (UTC); `until` itself is not wanted any more. `tail` is a number of lines;
    `boot` is "since the host was started"; `priorities` are syslog's numbers (0 emerg … 7 debug), the
    smaller first, as `journalctl -p` takes them.
    """

    since: float | None = None
    until: float | None = None
    tail: int | None = None
    boot: bool = False
    priorities: tuple[int, int] | None = None


class Source(Protocol):
    """One log of one environment."""

    environment: str
    service: str  # "redis", "redisinsight", "nginx"
    place: (
        str  # where it lies, for people: a path, "container esab-redis-prod", "unit redis-server"
    )
    form: Form
    able: frozenset[str]  # which parts of a wish it does by itself: names of Wish's fields

    def read(self, wish: Wish) -> Iterator[bytes]:
        """Give what is there, in chunks of whole lines, oldest first; then end."""
        ...

    def follow(self, wish: Wish) -> Iterator[bytes]:
        """Give what is there, and then what comes; b"" while nothing does."""
        ...
