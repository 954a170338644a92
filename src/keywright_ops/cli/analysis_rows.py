"""What `analyze` found, for programs: JSON's fields and CSV's rows."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from keywright_ops.facts.escapes import escaped, shown
from keywright_ops.ops.analysis.report import Analysis, Prefix, Sums, flat

CSV_HEAD = ("section", "name", "keys", "bytes", "keys_without_ttl")


def fields(report: Analysis, top: int) -> dict[str, Any]:
    """Return the report's own fields (docs/reference/json.md)."""
    sample = report.sample
    return {
        "source": report.source,
        "place": report.place,
        "database": report.database,
        "pattern": escaped(report.pattern),
        "measure": report.measure,
        "total_keys": report.total,
        "finished": report.finished,
        "done": round(report.done, 4),
        "resumed": report.resumed,
        "seconds": round(report.seconds, 3),
        "sample": None if sample is None else _sample(report),
        "cluster": report.cluster,
        "vanished": report.vanished,
        "hidden": report.hidden,
        **_sums(report.sums),
        "types": [{"type": name} | _sums(sums) for name, sums in report.types.items()],
        "lifetimes": [
            {"under_ms": each.bound, "keys": each.keys, "bytes": each.size}
            for each in report.lifetimes
        ],
        "prefixes": [_prefix(each, report) for each in _prefixes(report, top)],
        "biggest": [
            {
                "key": shown(big.key),
                "type": big.kind,
                "bytes": big.size,
                "ttl_ms": None if big.ttl < 0 else big.ttl,
            }
            for big in report.biggest
        ],
        "encodings": dict(sorted(report.encodings.items(), key=lambda pair: -pair[1])),
    }


def _sample(report: Analysis) -> dict[str, Any]:
    sample = report.sample
    assert sample is not None
    return {
        "of": sample.of,
        "read": sample.read,
        "margin_points": round(sample.margin, 3),
        "confidence": 0.95,
    }


def _sums(sums: Sums) -> dict[str, int]:
    return {"keys": sums.keys, "bytes": sums.size, "keys_without_ttl": sums.lasting}


def _prefix(prefix: Prefix, report: Analysis) -> dict[str, Any]:
    row: dict[str, Any] = {"pattern": escaped(prefix.pattern), **_sums(prefix.sums)}
    row["types"] = {name: sums.keys for name, sums in prefix.types.items()}
    if report.sample is not None:
        from keywright_ops.ops.analysis.sample import margin

        read, of = report.sample.read, report.sample.of
        share = prefix.sums.keys / read if read else 0.0
        row["share"] = round(share, 6)
        row["margin"] = round(margin(share, read, of), 6)
    return row


def _prefixes(report: Analysis, top: int) -> list[Prefix]:
    return flat(report.prefixes, report.sample is not None)[: top or None]


def show_csv(report: Analysis, top: int, environment: str) -> None:
    """Print one table, a section a kind; `environment` becomes the first column where there are several."""
    import csv  # only for those who ask for it

    writer = csv.writer(sys.stdout, lineterminator="\n")
    first = [environment] if environment else []
    writer.writerow([*(["environment"] if environment else []), *CSV_HEAD])
    writer.writerows([*first, *row] for row in _rows(report, top))


def _rows(report: Analysis, top: int) -> Iterator[Iterable[object]]:
    yield ("all", escaped(report.pattern) or "*", *report.sums)
    for name, sums in report.types.items():
        yield ("type", name, *sums)
    for each in _prefixes(report, top):
        yield ("prefix", escaped(each.pattern), *each.sums)
    yield ("ttl", "none", report.sums.lasting, "", report.sums.lasting)
    for lifetime in report.lifetimes:
        name = "longer" if lifetime.bound is None else f"under {lifetime.bound // 1000} s"
        yield ("ttl", name, lifetime.keys, lifetime.size, 0)
    for big in report.biggest:
        yield ("biggest", shown(big.key), 1, big.size, int(big.ttl < 0))
    for name, count in report.encodings.items():
        yield ("encoding", name, count, "", "")
