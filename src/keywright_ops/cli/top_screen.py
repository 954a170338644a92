"""The live screen as lines of text: what is seen, for a terminal of this size. Prints nothing."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.text import Text

from keywright_ops.cli.pictures import bar, spark
from keywright_ops.cli.show import duration, size
from keywright_ops.cli.top_tables import Row, table
from keywright_ops.model.plan import Plan
from keywright_ops.ops.top.reading import Reading
from keywright_ops.ops.top.watch import CLIENTS, COMMANDS, SLOW, Seen

LABEL = 12  # columns of a gauge's name
VALUE = 27  # columns of what it says; the graph has the rest
HELP = (
    "1 2 3, tab   commands, clients, slow log",
    "← →, < >     sort by the column beside",
    "r            turn the order round",
    "/            show only rows that hold a text; esc shows all",
    "p, blank     hold the picture; again lets it go on",
    "+ -          look more often, less often",
    "e            the next environment",
    "q, ctrl-c    leave",
)


class View(NamedTuple):
    """What a person chose: table, sorted column, order, filter, pace (seconds); `typing` is the filter
    while it is being typed, None otherwise."""

    table: str = COMMANDS
    column: int = 0
    reverse: bool = False
    filter: str = ""
    typing: str | None = None
    held: bool = False
    help: bool = False
    pace: float = 1.0
    offset: int = 0


def screen(
    plan: Plan, address: str, seen: Seen | None, view: View, width: int, height: int
) -> list[Text]:
    """Return exactly `height` lines, none wider than `width`."""
    lines = [_head(plan, address, seen, view)]
    if seen is None:
        lines.append(Text("  looking …", "dim"))
    else:
        lines += gauges(seen, width)
        lines.append(_tabs(view, width))
        room = height - len(lines) - 1
        lines += _help(room) if view.help else table(seen, view.table, _choice(view), width, room)
    lines = lines[: height - 1]
    lines += [Text()] * (height - 1 - len(lines))
    lines.append(_foot(view))
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def _choice(view: View) -> Row:
    shown = view.filter if view.typing is None else view.typing
    return Row(view.column, view.reverse, shown, view.offset)


def _head(plan: Plan, address: str, seen: Seen | None, view: View) -> Text:
    """Which server, since when; production in red."""
    colour = (
        "bold white on red" if plan.kind not in ("local", "docker-dev") else "bold white on blue"
    )
    line = Text(f" {plan.app} · {plan.environment} ", colour)
    if seen is not None:
        info = seen.info
        engine = "valkey" if info.get("valkey_version") else "redis"
        version = info.get("valkey_version") or info.get("redis_version", "")
        line.append(f"  {engine} {version} on {address}, up {duration(seen.reading.uptime)}")
    if view.held:
        line.append("  held", "bold yellow")
    return line


def gauges(seen: Seen, width: int) -> list[Text]:
    """Return the gauges: name, value, and where it helps a graph of the last readings."""
    now, past = seen.reading, seen.history
    room = max(8, width - LABEL - VALUE - 3)

    def graph(field: Callable[[Reading], float], top: float | None = None) -> str:
        return spark([field(each) for each in past], room, top)

    ratio = "nothing was read" if now.hit_ratio is None else f"{now.hit_ratio * 100:.1f} %"
    rows = [
        ("commands", f"{now.ops:,.0f} /s", graph(lambda r: r.ops), ""),
        ("hit ratio", ratio, graph(lambda r: r.hit_ratio or 0.0, 1.0), _hits(now)),
        ("processor", f"{now.cpu * 100:.1f} % of one", graph(lambda r: r.cpu), _busy(now.cpu)),
        ("memory", _memory(now), _filled(now, room), _full(now)),
        ("network", f"in {size(int(now.input))}/s", graph(lambda r: r.input), ""),
        ("", f"out {size(int(now.output))}/s", graph(lambda r: r.output), ""),
    ]
    lines = [_gauge(*row) for row in rows]
    lines.append(
        _gauge(
            "keys",
            _keys(now),
            "",
            "",
            f"expired {now.expired:,.0f} /s, evicted {now.evicted:,.0f} /s",
        )
    )
    lines.append(
        _gauge(
            "clients",
            _clients(now),
            "",
            "",
            f"connects {now.connects:,.1f} /s, rejected {now.rejected}",
        )
    )
    lines.append(_gauge("kept", _kept(now), "", "" if now.save_ok and now.aof_ok else "bold red"))
    if now.role == "slave" or now.replicas:
        lines.append(
            _gauge("replication", _replication(now), "", "" if now.link != "down" else "bold red")
        )
    if now.loading is not None:
        lines.append(
            _gauge(
                "loading", f"its data, {now.loading:.0f} %", bar(now.loading / 100, room), "yellow"
            )
        )
    return lines


def _gauge(name: str, value: str, picture: str, colour: str, more: str = "") -> Text:
    line = Text(f"  {name:<{LABEL - 2}} ", "dim")
    line.append(f"{value:<{VALUE}}", colour or "bold")
    if picture:
        line.append(f" {picture}", "cyan")
    elif more:
        line.append(f" {more}", "dim")
    return line


def _hits(now: Reading) -> str:
    return "yellow" if now.hit_ratio is not None and now.hit_ratio < 0.5 else ""


def _busy(share: float) -> str:
    return "bold red" if share > 0.9 else "yellow" if share > 0.7 else ""


def _memory(now: Reading) -> str:
    return size(now.used) + (f" of {size(now.maxmemory)}" if now.maxmemory else ", no limit")


def _filled(now: Reading, room: int) -> str:
    if not now.maxmemory:
        return ""
    share = now.used / now.maxmemory
    return f"{bar(share, room - 6)} {share * 100:3.0f} %"[:room]


def _full(now: Reading) -> str:
    share = now.used / now.maxmemory if now.maxmemory else 0.0
    if share > 0.95 and now.policy == "noeviction":
        return "bold red"  # the next writes are refused
    return "yellow" if share > 0.9 else ""


def _keys(now: Reading) -> str:
    share = f", {now.expiring * 100 // now.keys} % expire" if now.keys else ""
    return f"{now.keys:,}{share}"


def _clients(now: Reading) -> str:
    blocked = f", {now.blocked} blocked" if now.blocked else ""
    return f"{now.clients}{f' of {now.maxclients}' if now.maxclients else ''}{blocked}"


def _kept(now: Reading) -> str:
    parts = []
    if now.saving:
        parts.append("a snapshot is being written")
    elif not now.save_ok:
        parts.append("the last snapshot failed")
    elif now.saved_ago is None:
        parts.append(f"no snapshot since the start, {now.unsaved:,} changes")
    else:
        parts.append(f"snapshot {duration(now.saved_ago)} ago, {now.unsaved:,} changes since")
    if now.aof:
        parts.append(
            "append-only file "
            + ("is being rewritten" if now.rewriting else "on" if now.aof_ok else "FAILS")
        )
    return "; ".join(parts)


def _replication(now: Reading) -> str:
    if now.role == "slave":
        return f"a replica, its link is {now.link}"
    return f"{now.replicas} replicas, the slowest {size(now.lag)} behind"


def _tabs(view: View, width: int) -> Text:
    line = Text("─ ", "dim")
    for number, name in enumerate((COMMANDS, CLIENTS, SLOW), 1):
        line.append(f"{number} {name}", "bold reverse" if name == view.table else "dim")
        line.append(" ─ ", "dim")
    if view.filter and view.typing is None:
        line.append(f"only {view.filter} ", "yellow")
    line.append("─" * max(0, width - line.cell_len), "dim")
    return line


def _help(room: int) -> list[Text]:
    return [Text(f"  {each}") for each in HELP][:room]


def _foot(view: View) -> Text:
    if view.typing is not None:
        return Text(f" only rows with: {view.typing}▏", "bold")
    pace = f"{view.pace:g} s"
    return Text(
        f" q quit  tab table  ←→ sort  r turn  / filter  p hold  +- pace ({pace})  ? help", "dim"
    )


def plain_line(reading: Reading) -> Sequence[str]:
    """Return a reading as the cells of one line, for a pipe."""
    ratio = "-" if reading.hit_ratio is None else f"{reading.hit_ratio * 100:.1f}%"
    return (
        f"{reading.ops:.0f}", ratio, size(reading.used), str(reading.keys), str(reading.clients),
        f"{size(int(reading.input))}/s", f"{size(int(reading.output))}/s", f"{reading.cpu * 100:.1f}%",
        f"{reading.evicted:.0f}", f"{reading.expired:.0f}",
    )  # fmt: skip


PLAIN_COLUMNS = (
    "ops/s",
    "hits",
    "memory",
    "keys",
    "clients",
    "in",
    "out",
    "cpu",
    "evicted/s",
    "expired/s",
)
PLAIN_WIDTHS = (8, 6, 9, 9, 7, 11, 11, 6, 9, 9)
