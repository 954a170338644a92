"""persist: write a snapshot or the append-only file now, watched to its end; how the data is kept."""

from typing import NamedTuple

from keywright.errors import InputError, KeywrightError, ReplyError
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.canonical import canonical
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.saving import Saving, cause_of, parse_saving
from keywright_ops.model.absence import Missing
from keywright_ops.ops.saving import REWRITE, Saved, SaveFailed, Watch, rewrite, snapshot

SENDS = ("INFO", "TIME", "CONFIG GET", "BGSAVE", "BGREWRITEAOF")
PLACES = ("dir", "dbfilename", "appenddirname", "appendfilename")
PROMISES = ("appendonly", "appendfsync", "save")


class Written(NamedTuple):
    """What `persist now` wrote: where it lies and its size in bytes, as far as that can be seen.

    `alone`: neither save points nor an append-only file keep what is written after it.
    """

    saved: Saved
    path: str
    size: int | Missing
    alone: bool


class Promise(NamedTuple):
    """One setting by which data is kept: as declared, as it is; `kept` None where one is not known."""

    name: str
    declared: str
    live: str

    @property
    def kept(self) -> bool | None:
        """Whether the server does what the plan promises."""
        return self.declared == self.live if self.declared and self.live else None


class PersistReport(NamedTuple):
    """How the data is kept now: `now` the server's second, `promises` the plan's against the server's."""

    saving: Saving
    now: int
    promises: tuple[Promise, ...]
    path: str
    size: int | Missing


def persist_now(reached: Reached, anew: bool, watch: Watch) -> Written:
    """Write a snapshot, or (`anew`) the append-only file, and wait for its true end.

    Raises ApplyError with the server's own words when it cannot be written.
    """
    if anew:
        refuse_rewrite(reached)
    try:
        saved = rewrite(reached.ask, watch) if anew else snapshot(reached.ask, watch)
    except ReplyError as refusal:
        raise reached.explain(refusal, ("BGREWRITEAOF" if anew else "BGSAVE",)) from None
    except SaveFailed as failure:
        raise explained(reached, failure) from None
    where = places(reached)
    path = _path(where, saved.kind)
    alone = where.get("appendonly") == "no" and where.get("save") == ""
    return Written(saved, path, _size(reached, path), alone)


def refuse_rewrite(reached: Reached) -> None:
    """There must be an append-only file. Raises InputError."""
    saving = parse_saving(parse_info(reached.call("INFO", "persistence")))
    if not saving.appendonly:
        raise InputError(
            "the append-only file is off: there is nothing to rewrite",
            "without --rewrite a snapshot is written; appendonly = true in keywright.toml turns it on",
        )


def explained(reached: Reached, failure: SaveFailed) -> KeywrightError:
    """Say why a save failed: the server's last words, and how much is free on its disk."""
    where = places(reached)
    folder = where.get("dir", "")
    if reached.opened is None:
        return failure
    from keywright_ops.gather.disk import free_space  # only for those who fail

    target = reached.opened.target
    cause = cause_of(target.supervisor.last_words())
    free = free_space(target, folder) if folder else Missing("not known")
    told = f"{folder} has {free // 2**20} MiB free" if isinstance(free, int) else ""
    refuses = (
        "the server refuses writes (MISCONF) until a snapshot succeeds"
        if failure.kind != REWRITE
        and where.get("stop-writes-on-bgsave-error") == "yes"
        and where.get("save")
        else "the last good file is untouched"
    )
    text = f"{failure}: {cause[:1].lower()}{cause[1:]}" if cause else str(failure)
    failure.args = (text,)
    failure.hint = "; ".join(part for part in (told, refuses) if part)
    return failure


def places(reached: Reached) -> dict[str, str]:
    """Return where the files lie and how they come to be, as far as the server tells."""
    names = (*PLACES, *PROMISES, "stop-writes-on-bgsave-error")
    replies = reached.ask([("CONFIG", "GET", name) for name in names])  # 6.2 takes one name a call
    found: dict[str, str] = {}
    for reply in replies:
        if not isinstance(reply, ReplyError):
            found |= {name: canonical(name, value) for name, value in zip(*[iter(reply)] * 2)}  # noqa: B905
    return found


def _path(where: dict[str, str], kind: str) -> str:
    """The file, or the folder of append-only files (from 7.0 on), as the server sees it."""
    folder = where.get("dir", "")
    if not folder:
        return ""
    if kind != REWRITE:
        return f"{folder}/{where.get('dbfilename', 'dump.rdb')}"
    inside = where.get("appenddirname", "")
    return f"{folder}/{inside}/" if inside else f"{folder}/{where.get('appendfilename', '')}"


def _size(reached: Reached, path: str) -> int | Missing:
    if reached.opened is None or not path:
        return Missing("a managed service keeps its files to itself")
    from keywright_ops.gather.disk import file_size

    return file_size(reached.opened.target, path)


def persist_status(reached: Reached) -> PersistReport:
    """Return how the data is kept, and whether that is what the plan promises."""
    replies = reached.ask([("INFO",), ("TIME",)])
    info, clock = replies
    if isinstance(info, ReplyError):
        raise reached.explain(info, ("INFO",))
    second = 0 if isinstance(clock, ReplyError) else int(clock[0])
    where = places(reached)
    declared = {each.name: each.value for each in reached.plan.directives}
    promises = tuple(
        Promise(name, _said(name, declared.get(name)), _said(name, where.get(name)))
        for name in PROMISES
    )
    path = _path(where, "")
    return PersistReport(
        parse_saving(parse_info(info)), second, promises, path, _size(reached, path)
    )


def _said(name: str, value: str | None) -> str:
    """A canonical value; `save ""` is said in words, so that it is not taken for unknown."""
    if value is None:
        return ""
    text = canonical(name, value)
    return text or "none" if name == "save" else text
