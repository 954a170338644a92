"""`keywright logs`: what the servers wrote, of any environment, found, followed and in order of time."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from keywright.errors import ApplyError, InputError, KeywrightError, Refused
from keywright_ops.actions.logs import Logs, open_logs, read_bytes, read_entries
from keywright_ops.cli.consent import says_yes
from keywright_ops.cli.looking import complain
from keywright_ops.cli.main import EXIT_WELL, exit_code
from keywright_ops.logs.request import Request

if TYPE_CHECKING:
    from keywright_ops.logs.reading import Entry
    from keywright_ops.logs.source import Source

LAST = "100"  # lines on a terminal, and before what is followed
TOPICS = "connection, performance, memory, persistence, startup, replication, security"

Write = Callable[[bytes], None]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add logs' own arguments; -f is to follow, as docker and journalctl have it."""
    add = parser.add_argument
    add("-f", "--follow", action="store_true", help="go on with what comes, until Ctrl-C")
    add("--since", metavar="TIME", default="", help='5m, "1 hour ago", today, 2025-01-11T10:00 …')
    add("--until", metavar="TIME", default="", help="the same; the time itself is left out")
    add("-n", "--tail", metavar="N", default="", help="the last N lines, or all (terminal: 100)")
    add(
        "--level", metavar="LEVEL", default="", help="debug, verbose, notice or warning, and graver"
    )
    add("--grep", metavar="RE", action="append", default=[], help="what matches, in either case")
    add("--exclude", metavar="RE", action="append", default=[], help="what does not match")
    add("--case", action="store_true", help="upper and lower case are told apart")
    add("--about", metavar="TOPIC", action="append", default=[], help=TOPICS)
    add("-t", "--timestamps", action="store_true", help="begin each line with an ISO 8601 time")
    add("-b", "--boot", action="store_true", help="since the host was started")
    add("-p", "--priority", metavar="P", default="", help="err, warning..err: as in the journal")
    add("--service", metavar="NAME", default="redis", help="redis, redisinsight, nginx or all")
    add("-o", "--output", metavar="FILE", default="", help="into a file that only you can read")
    add("-y", "--yes", action="store_true", help="write over a file that is there")


def run(arguments: argparse.Namespace) -> int:
    """Find, read, show; nothing found is well too, and said."""
    names = [name for name in (arguments.env or "").split(",") if name] or [None]
    _check_service(arguments.service)
    logs = open_logs(arguments.file, names, os.environ, arguments.service, _request(arguments))
    worst = EXIT_WELL
    for name, error in logs.refusals:
        worst = max(worst, complain(name, error))
    if not logs.sources:
        return worst
    if arguments.output:
        return max(worst, _into_file(arguments, logs))
    lines, code = _show(arguments, logs, _to_stdout, terminal=sys.stdout.isatty())
    if not lines and not arguments.quiet:
        _say_nothing(arguments, logs)
    cut = logs.asked.wish.tail is not None and not (arguments.tail or arguments.follow)
    if cut and lines >= int(LAST) and not arguments.quiet:
        print(f"  the last {LAST} lines; --tail all shows every one", file=sys.stderr)
    return max(worst, code)


def _check_service(service: str) -> None:
    from keywright_ops.actions.log_sources import SERVICES

    if service not in (*SERVICES, "all"):
        raise InputError(f"there is no service {service!r}", f"{', '.join(SERVICES)} or all")


def _request(arguments: argparse.Namespace) -> Request:
    tail = arguments.tail
    narrowed = arguments.since or arguments.until or arguments.boot
    short = arguments.follow or (sys.stdout.isatty() and not arguments.json)
    if not tail and short and not narrowed and not arguments.output:
        tail = LAST
    return Request(
        arguments.since,
        arguments.until,
        tail,
        arguments.level,
        arguments.grep,
        arguments.exclude,
        arguments.about,
        not arguments.case,
        arguments.boot,
        arguments.priority,
    )


def _show(
    arguments: argparse.Namespace, logs: Logs, write: Write, *, terminal: bool
) -> tuple[int, int]:
    """Write what is wanted; return how many lines, and the exit code."""
    refused: list[tuple[Source, KeywrightError]] = []
    lines = 0
    try:
        for told in _told(arguments, logs, terminal, refused):
            lines += told.count(b"\n")
            if told or arguments.follow:
                write(told)
    except KeyboardInterrupt:
        if not arguments.follow:
            raise
    except BrokenPipeError:
        _forget_stdout()  # `| head` has seen enough
    for source, error in refused:
        complain(source.environment, error)
    return lines, max((exit_code(error) for _, error in refused), default=EXIT_WELL)


def _told(
    arguments: argparse.Namespace,
    logs: Logs,
    terminal: bool,
    refused: "list[tuple[Source, KeywrightError]]",
) -> Iterator[bytes]:
    """What is to be written: bytes as they lie where nothing is to be made of them."""
    alone = len(logs.sources) == 1
    plain = not (arguments.json or arguments.timestamps or terminal)
    if alone and plain and not logs.sources[0].form.carried:
        yield from read_bytes(logs, arguments.follow)
        return
    if alone:
        from keywright_ops.logs.reading import entries

        found: Iterator[Entry | None] = entries(logs.sources[0], read_bytes(logs, arguments.follow))
    else:
        found = read_entries(logs, arguments.follow, refused)
    render = _renderer(arguments, logs, terminal)
    for entry in found:
        yield render(entry) if entry is not None else b""


def _renderer(
    arguments: argparse.Namespace, logs: Logs, terminal: bool
) -> "Callable[[Entry], bytes]":
    from keywright_ops.cli.log_lines import Look, entry_json

    if arguments.json:
        import json

        return lambda entry: (json.dumps(entry_json(entry), ensure_ascii=False) + "\n").encode()
    matches = [each.shown for each in logs.asked.question.wanted]
    look = Look(logs.sources, timestamps=arguments.timestamps, terminal=terminal, matches=matches)
    return look.lines


def _to_stdout(told: bytes) -> None:
    try:
        if told:
            sys.stdout.buffer.write(told)
        else:
            sys.stdout.buffer.flush()  # a moment of silence: who follows sees what there is
    except BrokenPipeError:
        raise
    except OSError as error:
        _forget_stdout()
        raise ApplyError(f"cannot write the output: {error.strerror}") from None


def _forget_stdout() -> None:
    """Nobody reads any more: what is still buffered goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _into_file(arguments: argparse.Namespace, logs: Logs) -> int:
    """Write a file of mode 0600, never over another without being told to."""
    path = arguments.output
    new = _may_write(path, arguments.yes)
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_EXCL if new else os.O_TRUNC)
    try:
        handle = os.open(path, flags, 0o600)
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(handle, 0o600)

            def write(told: bytes) -> None:
                stream.write(told)
                if not told:
                    stream.flush()

            lines, code = _show(arguments, logs, write, terminal=False)
    except KeywrightError:  # of a source: some of them are OSErrors too
        raise
    except OSError as error:
        raise ApplyError(f"cannot write {path}: {error.strerror}") from None
    if not arguments.quiet:
        print(f"{lines} lines in {path} (mode 0600)", file=sys.stderr)
        if not lines:
            _say_nothing(arguments, logs)
    return code


def _may_write(path: str, yes: bool) -> bool:
    """Whether it is a new file; one that is there is written over only when somebody says so."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise InputError(f"there is no folder {folder}", "make it first, or name another")
    if not os.path.lexists(path):
        return True
    if not os.path.isfile(path):
        raise InputError(f"{path} is there, and no file", "name another")
    if yes:
        return False
    if says_yes(f"{path} is there. Write over it?"):
        return False
    raise Refused(f"{path} is there, and was left as it is", "another name, or --yes")


def _say_nothing(arguments: argparse.Namespace, logs: Logs) -> None:
    """No line matches: say so, and why that may be."""
    from keywright_ops.cli.log_silence import why_nothing

    print("keywright: no line matches", file=sys.stderr)
    for number, reason in enumerate(why_nothing(arguments, logs)):
        print(f"  {'hint: ' if number == 0 else '  '}{reason}", file=sys.stderr)
