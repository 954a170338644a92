"""config get: what the server says, what stands in redis.conf and what is declared, side by side."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from keywright.errors import InputError, ReplyError
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.canonical import canonical, canonical_name
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.facts.setting_danger import shown
from keywright_ops.model.absence import Missing

SENDS = ("CONFIG GET",)


class Setting(NamedTuple):
    """One setting, canonical; None where that side does not name it. Secrets are hidden already.

    `differs` says that two sides that name it do not agree.
    """

    name: str
    live: str | None
    disk: str | None
    declared: str | None
    differs: bool


class ConfigReport(NamedTuple):
    """The settings, and why redis.conf is not among the sides ("" when it is)."""

    settings: tuple[Setting, ...]
    no_disk: str


def config_get(reached: Reached, patterns: Sequence[str]) -> ConfigReport:
    """Return the settings that match (glob); without a pattern those that the plan or the file names.

    Raises InputError, with the nearest name, for a pattern that matches nothing.
    """
    live = live_settings(reached)
    disk = disk_settings(reached)
    written = {} if isinstance(disk, Missing) else disk
    declared = declared_settings(reached)
    names = dict.fromkeys((*declared, *written)) if not patterns else dict.fromkeys(live)
    if patterns:
        from fnmatch import fnmatchcase

        wanted = [canonical_name(each) for each in patterns]
        names = dict.fromkeys(
            name
            for name in (*live, *written, *declared)
            if any(fnmatchcase(name, each) for each in wanted)
        )
        if not names:
            refuse_unknown(patterns[0], live)
    rows = tuple(_row(name, live, written, declared) for name in sorted(names))
    return ConfigReport(rows, disk.why if isinstance(disk, Missing) else "")


def refuse_unknown(name: str, live: Mapping[str, str]) -> None:
    """Raise InputError for a setting that this server does not have."""
    from keywright_ops.ops.declaring import likely  # difflib: only for those who misspell

    near = likely(canonical_name(name), tuple(sorted(live)))
    raise InputError(
        f"this server has no setting {name!r}",
        f"did you mean {near}?" if near else "`keywright config get '*'` lists all",
    )


def _row(
    name: str, live: Mapping[str, str], disk: Mapping[str, str], declared: Mapping[str, str]
) -> Setting:
    sides = [side.get(name) for side in (live, disk, declared)]
    said = {each for each in sides if each is not None}
    hidden = [None if each is None else shown(name, each) for each in sides]
    return Setting(name, hidden[0], hidden[1], hidden[2], len(said) > 1)


def live_settings(reached: Reached, pattern: str = "*") -> dict[str, str]:
    """Return what the server says of itself, by canonical name. Raises ReplyError."""
    reply = reached.call("CONFIG", "GET", pattern)
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return {canonical_name(name): canonical(name, value) for name, value in pairs}


def disk_settings(reached: Reached) -> dict[str, str] | Missing:
    """Return what redis.conf says; Missing for a managed service, or where it cannot be read."""
    if reached.opened is None:
        return Missing("a managed service has no redis.conf that could be read")
    content = reached.opened.target.transport.read(reached.plan.conf_path)
    if isinstance(content, Missing):
        return Missing(f"{reached.plan.conf_path}: {content.why}")
    return parse_redis_conf(content.decode("utf-8", "surrogateescape"))


def declared_settings(reached: Reached) -> dict[str, str]:
    """Return what the plan declares, by canonical name."""
    return {
        canonical_name(each.name): canonical(each.name, each.value)
        for each in reached.plan.directives
    }


def reset_stat(reached: Reached) -> None:
    """Set the server's counters to 0 (CONFIG RESETSTAT). Raises ReplyError."""
    reply = reached.ask([("CONFIG", "RESETSTAT")])[0]
    if isinstance(reply, ReplyError):
        raise reached.explain(reply, ("CONFIG", "RESETSTAT"))
