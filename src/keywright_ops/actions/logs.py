"""logs: what the servers of one or several environments wrote, found and in order of time."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from keywright.errors import KeywrightError
from keywright_ops.actions.log_sources import log_sources
from keywright_ops.logs.reading import Asked, Entry, pieces
from keywright_ops.logs.request import Request, asked
from keywright_ops.logs.source import Source, Wish
from keywright_ops.logs.zones import Here

SENDS = ()  # no server is asked anything


class Logs(NamedTuple):
    """The sources that were found, what is asked of them, and which environments have none."""

    sources: tuple[Source, ...]
    asked: Asked
    refusals: tuple[tuple[str | None, KeywrightError], ...]


def open_logs(
    file: str | None,
    names: Sequence[str | None],
    environ: Mapping[str, str],
    service: str,
    request: Request,
) -> Logs:
    """Find the logs of these environments. Raises InputError for a request that cannot be meant, and
    the refusal itself where only one environment was named."""
    wanted = asked(request, time.time(), Here(), booted())
    sources: list[Source] = []
    refusals: list[tuple[str | None, KeywrightError]] = []
    for name in names:
        try:
            sources += log_sources(file, name, environ, service)
        except KeywrightError as error:
            if len(names) == 1:
                raise
            refusals.append((name, error))
    return Logs(tuple(sources), wanted, tuple(refusals))


def booted() -> float:
    """When this machine was started, in seconds since 1970."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.time() - time.clock_gettime(clock)


def read_bytes(logs: Logs, follow: bool) -> Iterator[bytes]:
    """Give the one source's wanted lines as they lie."""
    return pieces(logs.sources[0], logs.asked, follow)


def read_entries(
    logs: Logs, follow: bool, refused: list[tuple[Source, KeywrightError]]
) -> Iterator[Entry | None]:
    """Give the wanted entries of all sources in order of time; None when what was given may be shown.

    A source that cannot be read is noted in `refused` and keeps none of the others from being read.
    """
    from keywright_ops.logs.merge import followed, merged  # threads: not for a pipe's plain bytes

    def complain(source: Source, error: KeywrightError) -> None:
        refused.append((source, error))

    if follow:
        return followed(logs.sources, logs.asked, complain)
    return merged(logs.sources, logs.asked, complain)


def newest(logs: Logs) -> float | None:
    """When the newest line of all was written; None when no log tells."""
    from keywright_ops.logs.merge import merged

    everything = Asked(Wish(tail=1))
    last = [entry.time for entry in merged(logs.sources, everything, lambda *_: None)]
    return max(last, default=None)
