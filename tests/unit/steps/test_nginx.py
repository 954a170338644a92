"""RedisInsight's site: from every state to the declared one, closed at every moment, and at rest then."""

from typing import Any

from keywright.secret import Secret
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import Facts
from keywright_ops.model.host import File, HostFacts
from keywright_ops.model.machine import Folder, Machine, UnitState
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import RemoveFile, RunCommand, Step, WriteFile, reads_files_again
from keywright_ops.model.web import Web
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import load_profile
from keywright_ops.render.artefacts import render
from keywright_ops.render.nginx import PASSWORDS, SITE
from keywright_ops.steps.files import digest
from keywright_ops.steps.machine import prepare
from keywright_ops.steps.nginx import SERVICE, tend_site

DECLARED = '[env.linux.insight]\nsite = "insight.example.com"\n'
RUNS = UnitState("loaded", "active", "running", "enabled", False)
STOPPED = UnitState("loaded", "inactive", "dead", "disabled", False)
SERVED = Web("1.22.1", "www-data", frozenset({PASSWORDS, SITE}), frozenset(), (), "", True)
BARE = SERVED._replace(ours=frozenset())
UNASKED = Missing("not asked")


def plan_of(toml: str = DECLARED) -> Plan:
    """The plan of a Linux host."""
    host = HostFacts("/usr/bin/redis-server", 6379, "172.17.0.1", 22)
    return resolve(load_profile(toml, "keywright.toml"), "linux", host, {}, "/state")


def files_of(plan: Plan) -> tuple[WholeFile, ...]:
    """What is declared of the site."""
    names = ("default", "appuser", "viewer", "admin", "health", "insight-site")
    found = render(plan, {name: Secret(f"secret-of-{name}") for name in names})
    return tuple(
        each for each in found if isinstance(each, WholeFile) and each.path in (PASSWORDS, SITE)
    )


def machine_of(web: Web | Missing = SERVED, unit: UnitState | None = RUNS) -> Machine:
    """A host with that nginx; its password file is closed where it is ours."""
    given = {PASSWORDS: Folder("root", "www-data", 0o640)}
    ours = isinstance(web, Web) and PASSWORDS in web.ours
    return Machine(
        called="Debian", system="debian", like=(), init="systemd", root=True, packages={},
        units={SERVICE: unit} if unit else {}, addresses=(), ssh_ports=(22,), came_from="",
        clock=0.0, free=2**34, folders=given if ours else {}, kernel={}, ufw=Missing("off"),
        docker="20.10", insight=Missing(NOT_THERE), insight_image="sha256:1", web=web,
    )  # fmt: skip


def facts_of(*present: WholeFile) -> Facts:
    """The files that lie there as declared."""
    seen = {each.path: File(digest(each.text()), each.mode, "0") for each in present}
    blank: dict[str, Any] = dict.fromkeys(Facts._fields, UNASKED)
    return Facts(**blank)._replace(files=seen)


def tend(
    web: Web | Missing, unit: UnitState | None, present: tuple[WholeFile, ...], toml: str = DECLARED
) -> list[Step]:
    """The steps for a host with that nginx and those files."""
    plan = plan_of(toml)
    declared = files_of(plan) if plan.insight and plan.insight.site else ()
    return tend_site(plan, machine_of(web, unit), declared, facts_of(*present))


def ids(steps: list[Step]) -> list[str]:
    """Their names, in order."""
    return [step.id for step in steps]


FILES = files_of(plan_of())
WRITE = ["write-.redisinsight_htpasswd", "write-keywright-redisinsight.conf", "give-passwords"]


def test_what_is_served_rests(pure: Any) -> None:
    """As declared, fresh, running and enabled: nothing to do. Without a site, and none there: nothing."""
    assert [] == pure(tend, SERVED, RUNS, FILES)
    assert [] == tend(BARE, RUNS, (), toml="")
    assert [] == tend(Missing("none is declared, and none lies there"), RUNS, (), toml="")


def test_without_nginx_it_is_installed_first() -> None:
    """Nothing is written into a folder that is the package's; taken back, all that came with it goes."""
    steps = tend(BARE._replace(version=""), None, ())
    assert ["apt-update-nginx", "install-nginx"] == ids(steps)
    undo = steps[-1].undo
    assert isinstance(undo, RunCommand)
    assert {"remove", "nginx", "nginx-light", "nginx-common"} <= set(undo.argv)


def test_the_login_is_there_before_the_site_and_nginx_is_asked_before_it_reads() -> None:
    """Password file, site, its group, `nginx -t`, reload: in this order; a stopped nginx is started."""
    assert [*WRITE, "nginx-test", "nginx-reload"] == ids(tend(BARE, RUNS, ()))
    started = ids(tend(BARE, STOPPED, ()))
    assert [*WRITE, "nginx-test", "nginx-enable", "nginx-start"] == started


def test_each_sickness_is_mended_alone() -> None:
    """A new password needs no reload, nginx reads it at every request; an old configuration needs only
    that; a stopped nginx a start; a group that cannot read the login gets it."""
    password, site = FILES
    assert ["write-.redisinsight_htpasswd", "nginx-test"] == ids(tend(SERVED, RUNS, (site,)))
    assert ["nginx-test", "nginx-reload"] == ids(tend(SERVED._replace(fresh=False), RUNS, FILES))
    changed = ["write-keywright-redisinsight.conf", "nginx-test", "nginx-reload"]
    assert changed == ids(tend(SERVED, RUNS, (password,)))
    stopped = ids(tend(SERVED, STOPPED, FILES))
    assert ["nginx-test", "nginx-enable", "nginx-start"] == stopped
    other = SERVED._replace(group="nginx")
    assert ["give-passwords", "nginx-test"] == ids(tend(other, RUNS, FILES))


def test_undeclared_it_is_closed_before_it_goes() -> None:
    """Nobody gets in any more, then the files go, then nginx reads; only what is ours goes."""
    steps = tend(SERVED, RUNS, (), toml="")
    removed = ["remove-.redisinsight_htpasswd", "remove-keywright-redisinsight.conf"]
    assert ["close-site", *removed, "nginx-test", "nginx-reload"] == ids(steps)
    assert [PASSWORDS, SITE] == [s.do.path for s in steps if isinstance(s.do, RemoveFile)]
    foreign = SERVED._replace(ours=frozenset(), foreign=frozenset({PASSWORDS, SITE}))
    assert [] == tend(foreign, RUNS, (), toml="")
    assert ["close-site", *removed] == ids(tend(SERVED, STOPPED, (), toml=""))


def test_the_reload_is_undone_last_and_no_secret_is_an_argument() -> None:
    """When a later step fails, nginx reads again once the old files are back."""
    steps = tend(BARE, RUNS, ())
    assert reads_files_again(steps[-1].undo)
    for step in steps:
        if isinstance(step.do, RunCommand):
            assert "secret-of" not in " ".join((*step.do.argv, str(step.do.stdin)))
        if isinstance(step.do, WriteFile) and step.do.path == PASSWORDS:
            assert isinstance(step.do.content, Secret) and step.do.mode == 0o640
            assert "secret-of" not in step.do.content.reveal()


def test_the_sites_files_wait_for_nginx() -> None:
    """What is written before the server's own steps leaves the site's files out."""
    writes = [Step(each, each, RunCommand(("true",))) for each in (*WRITE[:2], "write-else")]
    found = ids(prepare(plan_of(), machine_of(), FILES, writes))
    assert "write-else" in found and not set(WRITE) & set(found)
