"""Steps that put RedisInsight's site into a Linux host's nginx, and take it away when it is not declared.

nginx tests its configuration before it is told to read it; what it refuses is taken back. The password
file is written before the site that asks for it and removed before it, so that whatever a crash leaves
behind is closed: a site without its password file lets nobody in.
"""

from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import Facts
from keywright_ops.model.machine import Folder, Machine, UnitState
from keywright_ops.model.plan import Insight, Plan
from keywright_ops.model.step import READ_AGAIN, Danger, RemoveFile, RunCommand, Step
from keywright_ops.model.web import Web
from keywright_ops.render.nginx import PASSWORDS, SITE
from keywright_ops.steps.apt import APT
from keywright_ops.steps.files import differs, write

PACKAGE = "nginx-light"
# Everything that may come with it: one of them holds the program, which one depends on the release.
PACKAGES = (PACKAGE, "nginx", "nginx-common")
SERVICE = "nginx.service"
SITE_FILES = (PASSWORDS, SITE)  # in the order in which they are written, and removed

# The worker processes of nginx that take new connections.
WORKERS = r"""
workers() {
    main=$(systemctl show -p MainPID --value nginx.service 2>/dev/null)
    [ "${main:-0}" -gt 0 ] || return 0
    for status in $(grep -l "^PPid:[[:space:]]*$main\$" /proc/[0-9]*/status 2>/dev/null); do
        pid=${status#/proc/} pid=${pid%/status}
        grep -q 'is shutting down' "/proc/$pid/cmdline" 2>/dev/null || echo "$pid"
    done
}
"""
# Its own reason with file and line; a second site of the same name is only warned of, and one is ignored.
TEST = r"""
told=$(LC_ALL=C nginx -t 2>&1) || {
    reason=$(printf '%s\n' "$told" | sed -n 's/^.*\[emerg\] \([0-9#]*: \)\{0,1\}//p' | head -n 1)
    printf '%s\n' "${reason:-$told}" >&2; exit 1
}
case $told in *"conflicting server name \"$1\""*)
    echo "another site of this nginx is called $1 already" >&2; exit 1 ;;
esac
"""
# A reload is done when no worker of before takes connections; one that fails stands in the log alone.
RELOAD = (
    WORKERS
    + r"""
before=$(workers)
log=/var/log/nginx/error.log
lines=$(wc -l <"$log" 2>/dev/null) || lines=0
why() {
    reason=$(tail -n "+$((lines + 1))" "$log" 2>/dev/null | sed -n 's/^.*\[emerg\] [0-9#]*: //p' | tail -n 1)
    echo "${reason:-$1}" >&2; exit 1
}
systemctl reload nginx.service || why "nginx does not read its files"
for wait in $(seq 100); do
    left=
    for pid in $(workers); do
        case " $before " in *[[:space:]]"$pid"[[:space:]]*) left=$pid ;; esac
    done
    [ -z "$left" ] && [ -n "$(workers)" ] && exit 0
    sleep 0.05
done
why "nginx goes on with its old configuration"
"""
)


def tend_site(
    plan: Plan, machine: Machine, files: tuple[WholeFile, ...], facts: Facts
) -> list[Step]:
    """Return the steps after which nginx serves RedisInsight's site as declared, or not any more; [] when
    it does. `files` are all that the plan declares."""
    insight, web = plan.insight, machine.web
    if isinstance(web, Missing):
        return []
    if insight is None or not insight.site:
        return _take_away(machine, web)
    if not web.version:
        return _install()
    own = [each for path in SITE_FILES for each in files if each.path == path]
    writes = [write(each, facts) for each in own if differs(each, facts)]
    changes = [*writes, *_give(machine, web, bool(writes))]
    unit = machine.units.get(SERVICE, UnitState("not-found", "inactive", "dead", "", False))
    anew = not web.fresh or any(step.id == f"write-{_name(SITE)}" for step in writes)
    if not changes and not anew and unit.active == "active" and unit.file == "enabled":
        return []
    begin = [_reload()] if anew else []
    if unit.active != "active":
        begin = [_turn("start", "stop", "start nginx")]
    boot = [] if unit.file == "enabled" else [_turn("enable", "disable", "let a boot start nginx")]
    return [*changes, _test(insight), *boot, *begin]


def _install() -> list[Step]:
    """nginx begins with its own welcome page; the site follows in the next round."""
    return [
        Step("apt-update-nginx", "ask apt for its newest lists", RunCommand((*APT[:4], "update"))),
        Step(
            "install-nginx",
            f"install {PACKAGE}, which stands before RedisInsight",
            RunCommand((*APT, "install", "--no-install-recommends", PACKAGE)),
            undo=RunCommand((*APT, "remove", *PACKAGES)),
        ),
    ]


def _give(machine: Machine, web: Web, written: bool) -> list[Step]:
    """Let nginx's workers read the password file, and no other account."""
    seen = machine.folders.get(PASSWORDS)
    there = isinstance(seen, Folder)
    if isinstance(seen, Folder) and (seen.owner, seen.group) == ("root", web.group):
        return []
    if not there and not written:
        return []
    argv = ("chown", f"root:{web.group}", PASSWORDS)
    return [Step("give-passwords", f"let {web.group} read the site's login", RunCommand(argv))]


def _test(insight: Insight | None) -> Step:
    argv = ("sh", "-c", TEST, "sh", insight.site if insight else "")
    doing = RunCommand(argv, typed="nginx -t")
    return Step("nginx-test", "let nginx test its configuration", doing)


def _turn(verb: str, back: str, title: str) -> Step:
    """Let systemd start or enable nginx; taken back by the other verb."""
    doing, undo = (RunCommand(("systemctl", each, "-q", SERVICE)) for each in (verb, back))
    return Step(f"nginx-{verb}", title, doing, undo=undo)


def _reload() -> Step:
    doing = RunCommand(("sh", "-c", RELOAD), typed="systemctl reload nginx")
    again = RunCommand((*READ_AGAIN, SERVICE))
    return Step("nginx-reload", "let nginx read its files again", doing, undo=again)


def _take_away(machine: Machine, web: Web) -> list[Step]:
    """Remove what is ours; nginx itself stays."""
    if not web.ours:
        return []
    close = RunCommand(("chown", "root:root", PASSWORDS))
    back = RunCommand(
        ("chown", f"root:{web.group}", PASSWORDS)
    )  # a file that is put back is root's
    closing = [Step("close-site", "let nobody in at RedisInsight's site", close, undo=back)]
    removes = [
        Step(
            f"remove-{_name(path)}",
            f"remove {_name(path)}: RedisInsight's site is not declared",
            RemoveFile(path),
            danger=Danger.CLIENTS_FOLLOW if path == SITE else Danger.SAFE,
        )
        for path in SITE_FILES
        if path in web.ours
    ]
    unit = machine.units.get(SERVICE)
    runs = unit is not None and unit.active == "active" and SITE in web.ours
    return [
        *(closing if PASSWORDS in web.ours else []),
        *removes,
        *([_test(None), _reload()] if runs else []),
    ]


def _name(path: str) -> str:
    return path.rpartition("/")[2]
