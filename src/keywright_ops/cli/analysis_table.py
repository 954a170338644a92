"""What `analyze` found, for people: 80 columns, bars, the largest first."""

from collections.abc import Iterable

from keywright_ops.cli.figures import shortened
from keywright_ops.cli.pictures import bar
from keywright_ops.cli.show import BOLD, DIM, YELLOW, coloured, columns, duration, size, wrapped
from keywright_ops.facts.escapes import escaped, shown
from keywright_ops.ops.analysis.report import Analysis, Lifetime, Prefix, Sums, chosen, flat
from keywright_ops.ops.analysis.sample import estimate, margin

BAR = 8  # characters
NARROWEST = 60
UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"))  # milliseconds


def show_analysis(report: Analysis, top: int) -> None:
    """Print the whole report; `top` rows of each list, 0 for all."""
    _head(report)
    if not report.sums.keys:
        return
    _prefixes(report, top)
    _types(report)
    _lifetimes(report)
    _lasting(report, min(top, 5) if top else 0)
    _biggest(report, top)
    if report.encodings:
        print(coloured("\nEncodings", BOLD))
        for name, count in sorted(report.encodings.items(), key=lambda pair: -pair[1]):
            _line(report, name, count, count / report.sums.keys)


def _head(report: Analysis) -> None:
    where = "" if report.database is None else f", database {report.database}"
    what = f", keys like {escaped(report.pattern)}" if report.pattern else ""
    print(coloured(f"{report.source} {report.place}{where}{what}", BOLD))
    sums, sample = report.sums, report.sample
    kind = "memory" if report.measure == "memory" else "serialised size (not memory)"
    if sample is not None:
        print(f"  sample: {sample.read:,} of {sample.of:,} keys at random")
        print(f"  a share may be off by {sample.margin:.1f} points at most (19 times of 20)")
    elif not report.finished:
        print(coloured(f"  {report.done:.0%} read, then interrupted", YELLOW))
    lasting = f"{sums.lasting / sums.keys:.1%} without TTL" if sums.keys else ""
    if sums.keys and sample is None:
        print(f"  {sums.keys:,} keys, {size(sums.size)} {kind}, {lasting}")
    elif sums.keys and sample is not None:
        keys = estimate(sums.keys, sample.read, sample.of)
        mean = size(round(sums.size / sums.keys))
        print(f"  about {_rounded(keys)} keys, {mean} each in the mean, {lasting}")
    else:
        print("  no key" + (" like this" if report.pattern else ""))
    took = f"{report.seconds:.1f} s" if report.seconds < 60 else duration(round(report.seconds))
    print(f"  read in {took}" + (" (resumed)" if report.resumed else ""))
    for line in _remarks(report):
        print("\n".join(wrapped(line, "  ", _width())))


def _remarks(report: Analysis) -> Iterable[str]:
    if report.vanished:
        yield f"{report.vanished:,} keys ended while they were read"
    if report.hidden:
        yield f"{report.hidden:,} keys may not be seen by this user"
    if report.cluster:
        yield "this server holds a part of a cluster's keys: the others have the rest"
    if report.sample is not None:
        yield (
            "the biggest keys cannot come from a sample, and a mean misses them too: leave out "
            "--sample for those"
        )


def _prefixes(report: Analysis, top: int) -> None:
    measure = "memory" if report.measure == "memory" else "size"
    name_width, sample = _name_width(report), report.sample
    if sample is None:
        heads = f"{'keys':>11} {measure:>10} {'':>4} {'':<{BAR}} {'no TTL':>7}"
    else:
        heads = f"{'share of keys':>13} {'about':>9} {'mean':>9} {'':<{BAR}} {'no TTL':>7}"
    print(coloured(f"\n{'By prefix':<{name_width + 2}} {heads}", BOLD))
    rows, hidden = chosen(report.prefixes, top, sample is not None)
    for level, prefix in rows:
        name = shortened("  " * level + escaped(prefix.pattern), name_width)
        print(
            f"  {name:<{name_width}} {_sampled_row(report, prefix) if sample else _row(report, prefix.sums)}"
        )
    if hidden:
        print(coloured(f"  … and {hidden:,} more (--top 0 shows all)", DIM))


def _row(report: Analysis, sums: Sums) -> str:
    share = sums.size / report.sums.size if report.sums.size else 0.0
    lasting = f"{sums.lasting / sums.keys:.0%}" if sums.lasting else "-"
    return f"{sums.keys:>11,} {size(sums.size):>10} {share:>4.0%} {_bar(share):<{BAR}} {lasting:>7}"


def _sampled_row(report: Analysis, prefix: Prefix) -> str:
    sample, sums = report.sample, prefix.sums
    assert sample is not None
    share = sums.keys / sample.read
    off = _points(share, margin(share, sample.read, sample.of))
    keys = _rounded(estimate(sums.keys, sample.read, sample.of))
    lasting = f"{sums.lasting / sums.keys:.0%}" if sums.lasting else "-"
    mean = size(round(sums.size / sums.keys))
    return f"{off:>13} {keys:>9} {mean:>9} {_bar(share):<{BAR}} {lasting:>7}"


def _types(report: Analysis) -> None:
    print(coloured("\nBy type", BOLD))
    types = list(report.types.items())
    if report.sample is not None:
        types.sort(key=lambda pair: -pair[1].keys)
    for name, sums in types:
        row = (
            _sampled_row(report, Prefix(b"", sums, {}, ())) if report.sample else _row(report, sums)
        )
        print(f"  {shortened(name, _name_width(report)):<{_name_width(report)}} {row}")


def _lifetimes(report: Analysis) -> None:
    print(coloured("\nTime to live", BOLD))
    whole, before = report.sums.keys, ""
    rows = [("none", report.sums.lasting)]
    for each in report.lifetimes:
        rows.append((_between(before, each), each.keys))
        before = _span(each.bound)
    for name, keys in rows:
        if keys:
            _line(report, name, keys, keys / whole)


def _line(report: Analysis, name: str, keys: int, share: float) -> None:
    """A name, how many keys (of a sample: how many there should be), their share; in the tables' columns."""
    width, sample = _name_width(report), report.sample
    count = f"{keys:,}" if sample is None else _rounded(estimate(keys, sample.read, sample.of))
    print(
        f"  {shortened(name, width):<{width}} {count:>11} {'':>10} {share:>4.0%} {_bar(share)}".rstrip()
    )


def _between(before: str, lifetime: Lifetime) -> str:
    if lifetime.bound is None:
        return f"longer than {before}"
    return f"{before} to {_span(lifetime.bound)}" if before else f"under {_span(lifetime.bound)}"


def _span(bound: int | None) -> str:
    number, unit = next(((bound // n, u) for n, u in UNITS if bound and bound >= n), (0, "s"))
    return f"{number} {unit}"


def _lasting(report: Analysis, top: int) -> None:
    """The patterns with the most keys that never expire: the finest ones, none twice."""
    finest = [each for each in flat(report.prefixes) if not each.below and each.sums.lasting]
    finest.sort(key=lambda each: (-each.sums.lasting, each.pattern))
    if not finest:
        return
    print(coloured("\nKeys without TTL", BOLD))
    for each in finest[: top or None]:
        share = each.sums.lasting / report.sums.lasting
        _line(report, escaped(each.pattern), each.sums.lasting, share)
    if top and len(finest) > top:
        print(coloured(f"  … and {len(finest) - top:,} more", DIM))


def _biggest(report: Analysis, top: int) -> None:
    if not report.biggest:
        return
    print(coloured("\nBiggest keys", BOLD))
    width = min(100, _width() - 36)  # what type, size and TTL leave
    for big in report.biggest[: top or None]:
        name = shown(big.key)
        if len(name) > width:  # in the middle: both ends tell keys apart
            name = f"{name[: width // 2 - 1]}…{name[len(name) - width + width // 2 :]}"
        ttl = "no TTL" if big.ttl < 0 else duration(big.ttl // 1000)
        print(f"  {name:<{width}} {big.kind:>8} {size(big.size):>10}  {ttl}")


def _points(share: float, off: float) -> str:
    """A share and how far it may be off, in keys of a hundred, as exact as it is known."""
    decimals = 1 if off >= 0.001 else 2 if off >= 0.0001 else 3
    return f"{100 * share:.{decimals}f} ±{100 * off:.{decimals}f} %"


def _rounded(count: int) -> str:
    """A number that is an estimate: three digits are known at most."""
    digits = len(str(count))
    return f"{round(count, 3 - digits) if digits > 3 else count:,}"


def _bar(share: float) -> str:
    return bar(share, BAR).rstrip("·")


def _width() -> int:
    return max(NARROWEST, columns())


def _name_width(report: Analysis) -> int:
    """What the columns leave for the names."""
    return min(100, _width() - (47 if report.sample is None else 53))
