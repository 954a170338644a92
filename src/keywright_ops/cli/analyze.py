"""`keywright analyze [PATTERN | FILE.rdb]`: the keyspace by prefix, type, size and lifetime."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any, Self

from keywright.errors import InputError
from keywright_ops.actions.analyze import Progress, Wanted, analyze
from keywright_ops.cli.live_line import LiveLine
from keywright_ops.cli.looking import looking, over
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import duration
from keywright_ops.facts.escapes import pattern, taken
from keywright_ops.ops.analysis.report import Analysis

EXIT_INTERRUPTED = 130
PACE, DEPTH, TOP = 20, 4, 20
DEEPEST = 12
TELL_AFTER, TELL_EVERY = 1.0, 0.2  # seconds; on a terminal
LINE_EVERY = 10.0  # seconds; elsewhere a line each


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add analyze's own arguments."""
    add = parser.add_argument
    add("words", nargs="*", metavar="PATTERN", help="keys like this (user:*), or a FILE.rdb first")
    add("--sample", type=int, metavar="N", help="look at N keys at random, and say the error")
    add("--resume", action="store_true", help="go on with the pass that was interrupted")
    add("--pace", type=float, metavar="PERCENT",
        help=f"of the server's time, at most (default: {PACE})")  # fmt: skip
    add("--full-speed", action="store_true", help="as fast as the server answers")
    add("--replica", action="store_true", help="ask a replica of the server")
    add("--delimiter", default=":", metavar="C", help="between the segments of a key (:)")
    add("--depth", type=int, default=DEPTH, metavar="N", help=f"levels of prefixes ({DEPTH})")
    add("--top", type=int, default=TOP, metavar="N", help=f"rows of each list ({TOP}; 0: all)")
    add("--encodings", action="store_true", help="count the encodings too")
    add("--csv", action="store_true", help="print CSV")
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read, show, and say how to go on when it was interrupted."""
    file, wanted = _wanted(arguments)
    found: list[Analysis] = []

    def noted(report: Analysis) -> Analysis:
        found.append(report)
        return report

    with Watching(arguments.quiet or "," in (arguments.env or "")) as watching:
        if file:
            code = _of_file(arguments, file, wanted, watching, noted)
        else:
            code = over(
                arguments,
                "analyze",
                lambda reached: noted(analyze(reached, wanted, watching.told)),
                lambda reached, report: _show(arguments, reached.plan.environment, report),
                lambda report: _fields(arguments, report),
            )
    if not watching.stopped or all(each.finished and not each.sample for each in found):
        return code
    sys.stdout.flush()
    goes_on = "" if file or wanted.sample else "; the same command with --resume goes on there"
    print(f"keywright: interrupted: this is what was read until then{goes_on}", file=sys.stderr)
    return EXIT_INTERRUPTED


def _of_file(
    arguments: argparse.Namespace,
    file: str,
    wanted: Wanted,
    watching: "Watching",
    noted: Callable[[Analysis], Analysis],
) -> int:
    from keywright_ops.actions.analyze_file import analyze_file  # the reader: only for a file

    report = noted(analyze_file(file, wanted, arguments.database, watching.told))
    if arguments.json:
        from keywright_ops.cli.as_json import show_json

        show_json("analyze", **_fields(arguments, report))
    elif not arguments.quiet:
        _show(arguments, "", report)
    return EXIT_WELL


def _show(arguments: argparse.Namespace, environment: str, report: Analysis) -> None:
    if arguments.csv:
        from keywright_ops.cli.analysis_rows import show_csv

        show_csv(report, arguments.top, environment if "," in (arguments.env or "") else "")
        return
    from keywright_ops.cli.analysis_table import show_analysis

    show_analysis(report, arguments.top)


def _fields(arguments: argparse.Namespace, report: Analysis) -> dict[str, Any]:
    from keywright_ops.cli.analysis_rows import fields

    return fields(report, arguments.top)


def _wanted(arguments: argparse.Namespace) -> tuple[str, Wanted]:
    """The file ("" for none) and what is wanted. Raises InputError for what does not go together."""
    words = list(arguments.words)
    file = words.pop(0) if words and words[0].endswith((".rdb", ".rdb.gz")) else ""
    if len(words) > 1:
        hint = "quote it: 'user:*' (the shell replaces a bare * by file names)"
        raise InputError(f"one pattern at a time, not {len(words)}", hint)
    if arguments.full_speed and arguments.pace is not None:
        raise InputError("--pace and --full-speed exclude each other")
    pace = PACE if arguments.pace is None else arguments.pace
    if not 0 < pace <= 100:
        raise InputError("--pace is a percentage between 1 and 100", "the default is 20")
    if arguments.sample is not None and arguments.sample < 1:
        raise InputError("--sample is how many keys to look at", "10000 is a good number")
    if arguments.sample and arguments.resume:
        raise InputError("a sample is done in a moment: there is nothing to resume")
    if not 0 <= arguments.depth <= DEEPEST:
        raise InputError(f"--depth is between 0 and {DEEPEST}")
    if not arguments.delimiter or arguments.top < 0:
        raise InputError("--delimiter is one character or more, --top 0 or more")
    if arguments.csv and arguments.json:
        raise InputError("--csv and --json exclude each other")
    for option in ("sample", "resume", "replica", "encodings", "full_speed"):
        if file and getattr(arguments, option):
            raise InputError(f"--{option.replace('_', '-')} is about a server, not about a file")
    return file, Wanted(
        pattern=pattern(words[0]) if words and words[0] != "*" else b"",
        delimiter=taken(arguments.delimiter),
        depth=arguments.depth,
        top=arguments.top or TOP,
        share=None if arguments.full_speed else pace / 100,
        sample=arguments.sample or 0,
        encodings=arguments.encodings,
        replica=arguments.replica,
        resume=arguments.resume,
    )


class Watching:
    """Shows how far it is, on standard error; Ctrl-C ends the reading, not the report, a second one all."""

    def __init__(self, silent: bool) -> None:
        self.silent = silent
        self.stopped = False
        self._live, self._line = sys.stderr.isatty(), LiveLine(quiet=silent)
        self._begun = self._shown = time.monotonic()
        self._before: Any = None

    def __enter__(self) -> Self:
        # built in, without a stub; `signal` itself costs an import
        import _signal  # type: ignore[import-not-found]

        self._before = _signal.signal(_signal.SIGINT, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        import _signal

        _signal.signal(_signal.SIGINT, self._before)
        self._line.end()

    def _stop(self, *_: object) -> None:
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True

    def told(self, progress: Progress) -> bool:
        """Show it now and then; True when it shall stop."""
        now = time.monotonic()
        every = TELL_EVERY if self._live else LINE_EVERY
        if not self.silent and now - self._begun > TELL_AFTER and now - self._shown >= every:
            self._shown = now
            left = "" if progress.left is None else f", {duration(round(progress.left))} left"
            text = f"{progress.done:4.0%} read: {progress.keys:,} keys{left}"
            if self._live:
                self._line.show(text)
            else:
                print(text.strip(), file=sys.stderr, flush=True)
        if self.stopped or progress.done >= 1:
            self._line.end()
        return self.stopped
