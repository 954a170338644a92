"""Finds the logs of a Linux host: the server's file, the unit's journal, RedisInsight's container, nginx.

Which of them there are, who may read them, the host's time zone and its last start are asked at once.
Debian's Redis writes a file of its own, and the journal has only what systemd says of the unit; Keywright's
default leaves everything to the journal. An older file stays behind then: its lines belong to the story too.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

from keywright.errors import InputError
from keywright_ops.actions.linux_target import Line, open_line
from keywright_ops.actions.log_docker import no_container, no_insight, no_site
from keywright_ops.actions.place import Place
from keywright_ops.logs.docker import DockerSource, Way
from keywright_ops.logs.host_file import SLACK, HostFileSource
from keywright_ops.logs.journal import JournalSource
from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.source import Form, Source
from keywright_ops.logs.web_lines import insight_form, nginx_access_form, nginx_error_form
from keywright_ops.logs.zones import Fixed, Named, Zone
from keywright_ops.model.plan import Plan
from keywright_ops.targets.channel import Channel, guarded, guarded_as_root

NGINX_LOGS = ("/var/log/nginx/error.log", "/var/log/nginx/access.log")
SUMMER = 3600  # seconds by which a zone without a name may be another at another time of the year
# $1 unit, $2 its redis.conf, $3 RedisInsight's container, then files that may be logs.
ASK = r"""
export LC_ALL=C
at() { printf '\n@@ %s\n' "$1"; }
unit=$1 conf=$2 insight=$3; shift 3
at who; id -un
at zone; readlink -f /etc/localtime
at offset; date +%z
at booted; began=$(systemctl show -p UserspaceTimestamp --value 2>/dev/null)
[ -z "$began" ] || date -d "$began" +%s
at loaded; systemctl show -p LoadState --value "$unit.service" 2>/dev/null
at journal
for file in /run/log/journal/*/system.journal /var/log/journal/*/system.journal; do
    [ ! -e "$file" ] || { [ -r "$file" ] && echo yes || echo no; }
done
at logfile
logfile=$(sed -n 's/^[[:space:]]*logfile[[:space:]]*//p' "$conf" 2>/dev/null | tail -n 1 | tr -d '"')
case $logfile in /*) printf '%s\n' "$logfile"; set -- "$logfile" "$@";; esac
at files
for file; do
    folder=${file%/*}
    if [ ! -d "$folder" ]; then continue; fi
    # what cannot be seen is asked for, so that it is said who may not
    if [ ! -x "$folder" ] || [ -e "$file" ] || ls -- "$file".[0-9]* >/dev/null 2>&1; then
        printf '%s\n' "$file"
    fi
done
# there, or not to be seen: whoever reads its log is told why
at insight
case $(docker inspect --type container --format there "$insight" 2>&1) in
    there | *"permission denied"* | *"annot connect"*) echo there;;
esac
at end
"""


class Seen(NamedTuple):
    """What a host told of its logs; `offset` is that of its clock from UTC in seconds, `booted` when it was
    started, if it tells; `journal` is whether the whole journal may be read, as far as can be told."""

    who: str
    zone: str
    offset: int
    booted: float | None
    loaded: bool
    files: tuple[str, ...]
    insight: bool
    journal: bool


def linux_sources(
    place: Place, plan: Plan, home: str, services: Sequence[str]
) -> tuple[Source, ...]:
    """Return the logs of the services on a Linux host.

    Raises Unreachable when the host does not answer, InputError where there is nothing to read.
    """
    del place, home
    assert plan.unit is not None
    line = open_line(plan.unit)
    seen = _ask(line, plan)
    alone = len(services) == 1
    found: list[Source] = []
    for service in services:
        if service == "redis":
            found += _server(line, plan, seen)
        elif service == "nginx":
            found += _nginx(line, plan, seen, alone)
        else:
            found += _insight(line, plan, seen, alone)
    return tuple(found)


def _ask(line: Line, plan: Plan) -> Seen:
    unit, insight = plan.unit, plan.insight
    assert unit is not None
    files = dict.fromkeys((_declared(plan), _distribution(plan), *NGINX_LOGS))
    container = insight.name if insight is not None else "-"
    words = (unit.name, unit.conf, container, *(each for each in files if each))
    answer = line.shell.script(ASK, *words)
    return parse_seen(answer.output.decode("utf-8", "surrogateescape"))


def _declared(plan: Plan) -> str:
    logfile = plan.directive("logfile")
    return logfile.value if logfile is not None else ""


def _distribution(plan: Plan) -> str:
    """Where the package's own redis.conf has the log."""
    assert plan.unit is not None
    package = plan.unit.package or "redis-server"
    return f"/var/log/{package.removesuffix('-server')}/{package}.log"


def parse_seen(text: str) -> Seen:
    """Read what the script printed."""
    parts: dict[str, list[str]] = {}
    for part in text.split("\n@@ ")[1:]:
        name, *lines = part.split("\n")
        parts[name] = [line for line in lines if line.strip()]

    def first(name: str) -> str:
        return parts.get(name, [""])[0] if parts.get(name) else ""

    offset, booted = first("offset"), first("booted")
    ahead = int(offset[1:3]) * 3600 + int(offset[3:5]) * 60 if len(offset) == 5 else 0
    return Seen(
        who=first("who"),
        zone=first("zone").partition("/zoneinfo/")[2],
        offset=-ahead if offset.startswith("-") else ahead,
        booted=float(booted) if booted.isdigit() else None,
        loaded=first("loaded") not in ("", "not-found"),
        files=tuple(dict.fromkeys(parts.get("files", []))),
        insight=bool(parts.get("insight")),
        journal="no" not in parts.get("journal", []),
    )


def zone_of(seen: Seen) -> Zone:
    """Return the host's time zone: by its name, since the clock changes in summer; else as it is now."""
    if seen.zone and not seen.zone.endswith("UTC"):
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return Named(ZoneInfo(seen.zone))
        except (ZoneInfoNotFoundError, ValueError):
            pass  # this machine has no such zone
    return Fixed(seen.offset)


def _known(seen: Seen) -> bool:
    """Whether the zone is known at any time of the year."""
    return seen.zone.endswith("UTC") or isinstance(zone_of(seen), Named)


def _server(line: Line, plan: Plan, seen: Seen) -> list[Source]:
    """The server's own files and its unit's journal."""
    assert plan.unit is not None
    files = [each for each in seen.files if each not in NGINX_LOGS]
    host = _host(line)
    if not seen.loaded and not files:
        raise InputError(
            f"there is no service {plan.unit.name} on {host}, and no log of it",
            f"keywright up -e {plan.environment} makes it",
        )
    form = redis_form(zone_of(seen))
    found: list[Source] = [_file(each, form, line, plan, "redis", seen) for each in files]
    journal = JournalSource(
        plan.unit.name,
        form,
        lambda argv: _open(line, argv),
        plan.environment,
        seen.who,
        host,
        forbidden=not seen.journal,
    )
    return [*found, journal]


def _insight(line: Line, plan: Plan, seen: Seen, alone: bool) -> list[Source]:
    if seen.insight and plan.insight is not None:
        way = Way(lambda argv: _open(line, argv), line.shell.run)
        name = plan.insight.name
        return [DockerSource(name, insight_form(), way, plan.environment, "redisinsight")]
    if alone and plan.insight is None:
        raise no_insight(plan.environment)
    if alone:
        assert plan.insight is not None
        raise no_container(f"{plan.insight.name} on {_host(line)}", plan.environment)
    return []


def _nginx(line: Line, plan: Plan, seen: Seen, alone: bool) -> list[Source]:
    site = plan.insight is not None and plan.insight.site
    if not site:
        if alone:
            raise no_site(plan.environment)
        return []
    files = [each for each in NGINX_LOGS if each in seen.files]
    if not files and alone:
        raise InputError(
            f"nginx has no log on {_host(line)}", f"keywright insight status -e {plan.environment}"
        )
    zone = zone_of(seen)
    return [_file(each, nginx_form(each, zone), line, plan, "nginx", seen) for each in files]


def nginx_form(path: str, zone: Zone) -> Form:
    """Return how the lines of nginx's error or access log read."""
    return nginx_error_form(zone) if path == NGINX_LOGS[0] else nginx_access_form()


def _file(
    path: str, form: Form, line: Line, plan: Plan, service: str, seen: Seen
) -> HostFileSource:
    names = (plan.environment, service)
    return HostFileSource(
        path,
        form,
        lambda argv: _open(line, argv),
        names,
        seen.who,
        _host(line),
        seen.booted,
        SLACK if _known(seen) else SUMMER + SLACK,
    )


def _open(line: Line, argv: tuple[str, ...]) -> Channel:
    """Start a program on the host, as root where that asks for no password."""
    if line.ssh is None:
        return Channel(guarded(argv) if os.geteuid() == 0 else guarded_as_root(argv))
    _ = line.shell.root  # its ssh is the one connection
    return Channel(line.ssh.channel_argv(*guarded_as_root(argv)), line.ssh.explain)


def _host(line: Line) -> str:
    return line.host.host if line.ssh is not None else "this machine"
