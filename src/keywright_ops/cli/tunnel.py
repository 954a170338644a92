"""`keywright tunnel`: reach RedisInsight, or the server, on a remote host."""

import argparse
import os

from keywright_ops.actions.tunnel import TunnelReport, Wish, tunnel
from keywright_ops.cli.as_json import plan_json, show_json
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import GREEN, coloured, show_pairs, show_warnings
from keywright_ops.model.absence import Missing
from keywright_ops.model.plan import Warning


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add tunnel's own arguments."""
    parser.add_argument("--redis", action="store_true", help="reach the server, not RedisInsight")
    parser.add_argument(
        "--local-port", metavar="PORT", type=_port, default=0, help="the port on this machine"
    )
    parser.add_argument("--key", metavar="FILE", default="", help="the private key that ssh takes")
    parser.add_argument(
        "--print", action="store_true", dest="only_print", help="print the lines, open nothing"
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):
        raise argparse.ArgumentTypeError("a port from 1 to 65535 is needed")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Open the tunnel and wait, or print the lines."""
    wish = Wish(arguments.redis, arguments.local_port, arguments.key, arguments.only_print)

    def show(report: TunnelReport) -> None:
        opened = report.way is not None and not wish.only_print
        if arguments.json:
            _json(report, opened)
        elif not arguments.quiet:
            _show(report, "the server" if wish.redis else "RedisInsight", opened)

    tunnel(arguments.file, arguments.env, os.environ, wish, show)
    return EXIT_WELL


def _json(report: TunnelReport, opened: bool) -> None:
    show_json(
        "tunnel",
        **plan_json(report.plan),
        url=report.url,
        host=report.host.url if report.way else "",
        opened=opened,
        openssh=report.openssh,
        putty=report.putty,
        health=report.health if isinstance(report.health, str) else None,
    )


def _show(report: TunnelReport, what: str, opened: bool) -> None:
    if report.way is None:
        print(f"no tunnel is needed: {what} is on this machine")
    elif opened:
        print(f"{coloured('✓', GREEN)} the tunnel to {report.host.url} is open")
    rows = [("open" if what == "RedisInsight" else "URL", report.url)]
    if report.way is not None:
        rows += [("OpenSSH", report.openssh), ("PuTTY", report.putty)]
    show_pairs(rows)
    if isinstance(report.health, Missing):
        silent = f"it does not answer behind the tunnel: {report.health.why}"
        show_warnings([Warning("RedisInsight", silent)])
    if opened:
        print("  Ctrl-C closes it", flush=True)
