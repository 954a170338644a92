"""`keywright memory`: how much is used, for what, and of how much."""

import argparse
from collections.abc import Sequence

from keywright_ops.actions.memory import MemoryReport, memory
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.figures import folded, percent, show_columns, show_notes
from keywright_ops.cli.looking import looking, over
from keywright_ops.cli.pictures import bar
from keywright_ops.cli.show import RED, WIDTH, YELLOW, coloured, columns, show_pairs, size
from keywright_ops.facts.memory import Finding
from keywright_ops.model.absence import Missing

BAR = 40  # columns


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add memory's own arguments (those of every look)."""
    looking(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask and show."""
    return over(arguments, "memory", memory, _show, _fields)


def _fields(report: MemoryReport) -> dict[str, object]:
    kinds, findings = report.kinds, report.findings
    missing = kinds.why if isinstance(kinds, Missing) else ""
    return {
        "used": report.used,
        "peak": report.peak,
        "resident": report.resident,
        "maxmemory": report.maxmemory,
        "policy": report.policy,
        "evicted_keys": report.evicted,
        "fragmentation": {"ratio": report.fragmentation, "meaning": report.fragmentation_meaning},
        "kinds": None if isinstance(kinds, Missing) else _named(kinds),
        "limits": {each.kind: each.bytes for each in report.ceilings},
        "doctor": None if isinstance(findings, Missing) else [f._asdict() for f in findings],
        "missing": missing,
        "warnings": list(report.warnings),
    }


def _named(kinds: Sequence[tuple[str, int]]) -> dict[str, int]:
    return {kind.replace(" ", "_"): amount for kind, amount in kinds}


def _show(_: Reached, report: MemoryReport) -> None:
    most = report.maxmemory
    least = min((each.bytes for each in report.ceilings), default=0)
    whole = most or least or max(report.peak, report.used, 1)
    of = f" of {size(most)} maxmemory ({percent(report.used / most)})" if most else ", no maxmemory"
    print(f"  used {size(report.used)}{of}, peak {size(report.peak)}")
    part = report.used / whole
    colour = RED if most and part > 0.95 else YELLOW if most and part > 0.8 else "32"
    print(f"  {coloured(bar(part, BAR), colour)}")
    print()
    fragmentation = f"{report.fragmentation:.2f} times what is used"
    resident = ("resident", f"{size(report.resident)}, {fragmentation}")
    show_pairs([resident, *_meaning(report), *_limits(report)])
    print()
    if isinstance(report.kinds, Missing):
        for line in folded(f"what it is used for is not known: {report.kinds.why}", "  ", 80):
            print(line)
    else:
        _show_kinds(report.kinds)
    if not isinstance(report.findings, Missing):
        print()
        _show_findings(report.findings)
    show_notes(report.warnings)


def _meaning(report: MemoryReport) -> list[tuple[str, str]]:
    return [
        ("", line) for line in folded(report.fragmentation_meaning, "", max(columns(), WIDTH) - 14)
    ]


def _limits(report: MemoryReport) -> list[tuple[str, str]]:
    """Of how much: its own limit, and what lies around it."""
    evicted = f"; evicted until now: {report.evicted}" if report.evicted else ""
    rows = []
    if report.maxmemory:
        rows = [("maxmemory", f"{size(report.maxmemory)}, {report.policy}")]
        rows.append(("", f"{report.when_full}{evicted}"))
    for each in report.ceilings:
        share = percent(report.resident / each.bytes)
        rows.append((each.kind, f"{size(each.bytes)}, of which this server has {share}"))
    return rows


def _show_kinds(kinds: Sequence[tuple[str, int]]) -> None:
    whole = sum(amount for _, amount in kinds) or 1
    rows = [
        (kind, size(amount), percent(amount / whole), bar(amount / whole, 24).rstrip("·"))
        for kind, amount in kinds
    ]
    show_columns(("used for", "", "", ""), rows, left=(0, 3))


def _show_findings(findings: Sequence[Finding]) -> None:
    """What the server's own doctor looks at, with the number above which he would complain."""
    if not findings:
        print("  doctor: too little is used to judge (from 5 MiB)")
        return
    over = [each for each in findings if each.over]
    told = ", ".join(f"{each.name} {_is(each)}" for each in findings if not each.over)
    for line in folded(f"doctor: well (limits in brackets): {told}", "  ", max(columns(), WIDTH)):
        print(line)
    show_notes([f"{each.name} {_is(each)}: {each.meaning}" for each in over])


def _is(finding: Finding) -> str:
    """The number, and the one from which on it is a fault."""
    little = ", over less than 10 MiB" if finding.value > finding.limit and not finding.over else ""
    return f"{_figure(finding, finding.value)} ({_figure(finding, finding.limit)}{little})"


def _figure(finding: Finding, value: float) -> str:
    if finding.unit == "bytes":
        return size(int(value))
    return f"{value:.2f}" if finding.unit == "ratio" else f"{value:.0f}"
