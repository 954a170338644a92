"""`keywright flush`: says what is lost, keeps a copy, asks, removes, and proves it."""

import argparse
from typing import TYPE_CHECKING, Any

from keywright.errors import InputError
from keywright_ops.actions.flush import FlushReport, Loss, Wish, flush, plan_flush
from keywright_ops.actions.reach import Reached
from keywright_ops.actions.safety_copy import copies_folder
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.consent import agree
from keywright_ops.cli.looking import looking, reach_one
from keywright_ops.cli.main import EXIT_FAILED, EXIT_WELL
from keywright_ops.cli.persist import watching
from keywright_ops.cli.show import RED, coloured, environment_option, size
from keywright_ops.facts.info import Keyspace
from keywright_ops.model.absence import Missing

if TYPE_CHECKING:
    from keywright_ops.cli.live_line import LiveLine

PAGE = "docs/operating/changing.md"
TELLING = 2**20  # bytes; below that a server's own buffers are more than its keys
BY_NAME = ("docker-prod", "systemd", "azure", "aws")  # kinds whose name must be typed


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add flush's own arguments."""
    parser.add_argument(
        "--pattern", metavar="P", help="only keys that match, by SCAN and UNLINK in small batches"
    )
    parser.add_argument(
        "--no-copy", action="store_true", help="keep no copy first: what goes is gone for good"
    )
    changing(parser)
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Count, ask, remove, prove."""
    if "," in (arguments.env or ""):
        raise InputError("one environment at a time is flushed", "name one after -e")
    from keywright_ops.cli.live_line import LiveLine

    line = LiveLine(arguments.json or arguments.quiet)
    with reach_one(arguments) as reached:
        wish = Wish(arguments.database, arguments.pattern, not arguments.no_copy)
        try:
            loss = plan_flush(reached, wish, _counted(line, "counting"))
        finally:
            line.end()
        if arguments.dry_run or not loss.keys:
            _tell(arguments, reached, wish, loss, None)
            return EXIT_WELL
        agree(arguments.yes, _question(reached, wish, loss), _word(reached))
        try:
            report = flush(reached, wish, watching(line), _counted(line, "removing"), line.note)
        finally:
            line.end()
        _tell(arguments, reached, wish, loss, report)
    return EXIT_FAILED if report.writes else EXIT_WELL


def _counted(line: "LiveLine", verb: str) -> Any:
    return lambda looked, found: line.show(f"{verb}: {found} keys of {looked} looked at")


def _word(reached: Reached) -> str:
    return reached.plan.environment if reached.plan.kind in BY_NAME else "yes"


def _question(reached: Reached, wish: Wish, loss: Loss) -> list[str]:
    return [f"this removes {_what(reached, wish, loss)}", *(f"  {each}" for each in _loss(loss)),
            f"  {_copy(reached, wish)}"]  # fmt: skip


def _what(reached: Reached, wish: Wish, loss: Loss) -> str:
    name = reached.plan.environment
    if wish.pattern is not None:
        count = _keys(loss.keys)
        return f"{count} that match {wish.pattern!r} in database {reached.database} of {name}"
    if wish.database is not None:
        return f"all {_keys(loss.keys)} of database {wish.database} of {name}"
    return f"all {_keys(loss.keys)} of {name}"


def _keys(count: int) -> str:
    return f"{count} key{'' if count == 1 else 's'}"


def _loss(loss: Loss) -> list[str]:
    """What is lost, a line each."""
    found = []
    if not loss.examples:
        each = ", ".join(_database(one) for one in loss.databases)
        found.append(f"by database: {each}")
    else:
        found.append("such as " + ", ".join(map(_name, loss.examples)))
    about = f"about {size(loss.size)}; " if loss.size >= TELLING or loss.examples else ""
    found.append(f"{about}{_keys(loss.lasting)} without a time to live")
    if loss.sessions is not None and loss.sessions.keys:
        least = "" if loss.sessions.whole else "at least "
        found.append(f"{least}{loss.sessions.keys} sessions: their users are logged out")
    if loss.replicas:
        found.append(f"{loss.replicas} replica{'' if loss.replicas == 1 else 's'} lose it too")
    if loss.appendonly:
        found.append("the append-only file forgets it too: nothing on the server brings it back")
    if loss.cluster:
        found.append("of this node of the cluster alone: the others keep theirs")
    return found


def _database(one: Keyspace) -> str:
    return f"db{one.number} {one.keys}"


def _name(raw: bytes) -> str:
    """A key's name: UTF-8 as it is, everything else escaped."""
    text = raw.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _copy(reached: Reached, wish: Wish) -> str:
    if not wish.copy:
        return "no copy is kept (--no-copy): it is gone for good"
    return f"a copy is kept first, and proven to load, in {copies_folder(reached)}"


def _tell(
    arguments: argparse.Namespace,
    reached: Reached,
    wish: Wish,
    loss: Loss,
    report: FlushReport | None,
) -> None:
    if arguments.json:
        from keywright_ops.cli.as_json import plan_json, show_json

        show_json("flush", **plan_json(reached.plan), **_fields(reached, wish, loss, report))
    elif arguments.quiet:
        if report is not None and report.writes:
            _unwritable(report)
    elif not loss.keys:
        print(f"  {_what(reached, wish, loss)}: there is nothing to remove")
    elif report is None:
        print(f"  would send {wish.word}, which removes {_what(reached, wish, loss)}")
        for each in (*_loss(loss), _copy(reached, wish)):
            print(f"    {each}")
    else:
        _show(reached, wish, report)


def _show(reached: Reached, wish: Wish, report: FlushReport) -> None:
    since = f"; {_keys(report.left)} were written since" if report.left else ", none is left"
    print(f"  removed {_keys(report.gone)} in {report.seconds:.1f} s{since}")
    if report.writes:
        _unwritable(report)
    else:
        print("  another client writes and reads")
    if isinstance(report.kept, Missing):
        print("  no copy was kept")
        return
    manifest, folder = report.kept.manifest, report.kept.folder
    print(f"  kept a copy of {_keys(manifest.keys)}, {size(manifest.size)}, in")
    print(f"    {folder}")
    part = ", the rest too" if wish.pattern is not None or wish.database is not None else ""
    print(f"  to have all as it was then{part} ({PAGE}):")
    for command in bring_back(reached, f"{folder}/data"):
        print(f"    {command}")


def _unwritable(report: FlushReport) -> None:
    import sys

    print(f"  {coloured('✗', RED)} another client cannot write: {report.writes}", file=sys.stderr)


def bring_back(reached: Reached, copy: str) -> tuple[str, ...]:
    """Return the commands that bring a copy back; what is there now is kept as a copy too."""
    plan = reached.plan
    where = environment_option(plan)
    down, up = f"keywright down{where} --volumes --yes", f"keywright up{where}"
    if plan.unit is not None:
        return (f"# the page says how the files of {copy} go to the host",)
    if plan.container is None:
        return down, f"cp -a '{copy}' '{plan.persistence.directory}'", up
    volume, image = plan.container.volume, plan.engine.image
    mounts = f"-v {volume}:/data -v '{copy}':/from:ro"
    load = f"docker run --rm {mounts} --entrypoint cp {image} -a /from/. /data/"
    return down, f"docker volume create {volume}", load, up


def _fields(reached: Reached, wish: Wish, loss: Loss, report: FlushReport | None) -> dict[str, Any]:
    from keywright_ops.cli.as_json import kept_json

    return {
        "dry_run": report is None and bool(loss.keys),
        "sends": wish.word,
        "database": reached.database if wish.pattern is not None else wish.database,
        "pattern": wish.pattern,
        "keys": loss.keys,
        "databases": {f"db{each.number}": each.keys for each in loss.databases},
        "without_ttl": loss.lasting,
        "bytes": loss.size,
        "sessions": None if loss.sessions is None else loss.sessions.keys,
        "replicas": loss.replicas,
        "removed": 0 if report is None else report.gone,
        "left": None if report is None else report.left,
        "writes": None if report is None else not report.writes,
        "copy": None if report is None else kept_json(report.kept),
    }
