"""Measures from here: how long the server takes to answer, and how long this machine lets a program stand."""

import time

from keywright.wire import Wire

PAUSE = 0.002  # seconds between two questions: others are served in between
STALL = 100  # microseconds; a gap below that is the interpreter's own


def measure_round_trips(wire: Wire, samples: int) -> list[float]:
    """Ask PING so many times, one after the other, and return the microseconds of each answer."""
    wire.call("PING")  # the first one pays for the connection
    took = []
    for _ in range(samples):
        began = time.perf_counter_ns()
        wire.call("PING")
        took.append((time.perf_counter_ns() - began) / 1000)
        time.sleep(PAUSE)
    return took


def measure_intrinsic(seconds: float) -> list[float]:
    """Do nothing but look at the clock for so long, and return the gaps (microseconds) in which nothing
    could run: what a server on this machine would stand still too."""
    clock = time.perf_counter_ns
    end = clock() + int(seconds * 1e9)
    last, gaps = clock(), []
    while last < end:
        now = clock()
        if now - last > STALL * 1000:
            gaps.append((now - last) / 1000)
        last = now
    return gaps
