"""The laws that every source of log lines holds (src/keywright_ops/logs/source.py states them).

A source is tested by a `Rig`: what writes lines where the source reads, and what makes the source. The lines
are a server's own, a minute apart.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from keywright_ops.logs.source import Source, Wish

FIRST = 1_795_860_000.0  # 28 November 2026, 10:00:00 UTC


class Rig(NamedTuple):
    """Where a source's lines come from: `write` appends lines (without line feeds) as their program would,
    `make` makes the source over what is written, `shown` is what of a line is compared (a carrier's stamp
    taken off). `times` are the lines' own when the carrier keeps them (a file), None when it puts its own."""

    write: Callable[[Iterable[bytes]], None]
    make: Callable[[], Source]
    shown: Callable[[bytes], bytes] = lambda line: line
    own_times: bool = True


def line(number: int, text: str = "line") -> bytes:
    """The server's line of the minute `number` after FIRST."""
    told = time.strftime("%d %b %Y %H:%M:%S", time.gmtime(FIRST + 60 * number))
    return f"1:M {told}.000 * {text} {number}".encode()


def read(rig: Rig, wish: Wish) -> list[bytes]:
    """Every line that the source gives, as its program wrote it; whole lines in every chunk."""
    lines: list[bytes] = []
    for chunk in rig.make().read(wish):
        assert chunk.endswith(b"\n"), chunk[-80:]
        lines += [rig.shown(each) for each in chunk.removesuffix(b"\n").split(b"\n")]
    return lines


def hold_read(rig: Rig, count: int = 300) -> None:
    """Nothing is lost, the order is kept, a window and a tail are what they say."""
    written = [line(number) for number in range(count)]
    rig.write(written)
    assert written == read(rig, Wish())
    able = rig.make().able
    if "tail" in able:
        got = read(rig, Wish(tail=10))
        assert written[-10:] == got[-10:] and got == written[-len(got) :]
    if rig.own_times and {"since", "until"} <= able:
        assert written[50:] == read(rig, Wish(since=FIRST + 50 * 60))
        assert written[:50] == read(rig, Wish(until=FIRST + 50 * 60))
        assert written[50:52] == read(rig, Wish(since=FIRST + 49.5 * 60, until=FIRST + 51.5 * 60))
        assert [] == read(rig, Wish(since=FIRST + count * 60))
        assert [] == read(rig, Wish(until=FIRST))


def hold_follow(rig: Rig, patience: float = 20.0) -> None:
    """What is there comes first, then what is written, at once; silence is told; closing ends it."""
    rig.write([line(0), line(1)])
    got: list[bytes] = []
    silences = 0
    deadline = time.monotonic() + patience
    following = rig.make().follow(Wish())
    wrote = False
    try:
        for chunk in following:
            assert time.monotonic() < deadline, got
            if chunk:
                got += [rig.shown(each) for each in chunk.removesuffix(b"\n").split(b"\n")]
            else:
                silences += 1
            if len(got) == 2 and silences and not wrote:
                wrote = True
                threading.Timer(0.05, rig.write, ([line(2), line(3)],)).start()
            if len(got) >= 4:
                break
    finally:
        following.close()  # type: ignore[attr-defined]
    assert [line(number) for number in range(4)] == got
    assert silences > 0
