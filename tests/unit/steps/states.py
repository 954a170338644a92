"""Facts of a local environment that is as declared, to be made sick in one place at a time."""

from typing import Any

from keywright.secret import Secret
from keywright_ops.facts.canonical import canonical
from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import Facts, Server
from keywright_ops.model.host import File, HostFacts, Process
from keywright_ops.model.plan import Plan
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import load_profile
from keywright_ops.render.acl import declared_users, render_acl
from keywright_ops.render.redis_conf import render_redis_conf
from keywright_ops.steps.declared import Declared
from keywright_ops.steps.files import digest

HOME = "/world/shop/local"
PROGRAM = "/programs/valkey-server"
HOST = HostFacts(PROGRAM, 6379, Missing("not asked"), Missing("not asked"))
SECRETS = {
    name: Secret(f"secret-of-{name}")
    for name in ("default", "appuser", "viewer", "admin", "health")
}
CATEGORIES = {"all": frozenset({"get", "set", "info", "ping"}), "dangerous": frozenset({"info"})}
NOTHING_RUNS = Missing("no server of this environment runs")


def plan_of(toml: str = "") -> Plan:
    """The plan of a local environment with these lines in its table."""
    profile = load_profile(f'app = "shop"\n[env.local]\nport = 7001\n{toml}', "keywright.toml")
    return resolve(profile, "local", HOST, {}, HOME)


def declared_of(plan: Plan, drafted: tuple[str, ...] = ()) -> Declared:
    """What that plan declares, with secrets that a test can look for."""
    return Declared(
        plan=plan,
        conf=WholeFile(f"{HOME}/redis.conf", render_redis_conf(plan), 0o600),
        acl=WholeFile(f"{HOME}/users.acl", Secret(render_acl(plan, SECRETS)), 0o600),
        others=(WholeFile(f"{HOME}/app.env", Secret("REDIS_PASSWORD=secret-of-default\n"), 0o600),),
        users=declared_users(plan, SECRETS),
        drafted=drafted,
    )


def facts_of(declared: Declared, **sick: Any) -> Facts:
    """An environment that runs as declared, but for what is named."""
    plan = declared.plan
    config = {each.name: canonical(each.name, each.value) for each in plan.directives}
    process = Process(42, "4711", PROGRAM, (PROGRAM, f"{HOME}/redis.conf"))
    info = {"process_id": "42", "loading": "0", "used_memory": "1000000", "db0": "keys=7,expires=0"}
    appendonly = ("appendonlydir", "appendonlydir/appendonly.aof.manifest")
    well = Facts(
        process=process,
        server=Server("valkey", "9.1.0", 42, f"{HOME}/redis.conf", PROGRAM, 1),
        info=info,
        config=config,
        users=dict(declared.users),
        categories=CATEGORIES,
        files={
            file.path: File(digest(file.text()), file.mode, "1000")
            for file in (declared.conf, declared.acl, *declared.others)
        },
        disk_config=dict(config),
        listening=("127.0.0.1", "::1"),
        stored=appendonly if plan.persistence.appendonly else ("dump.rdb",),
    )
    return well._replace(**sick)


def stopped(facts: Facts) -> Facts:
    """The same environment after an orderly stop."""
    silent = Missing("nobody listens")
    return facts._replace(
        process=NOTHING_RUNS, server=silent, info=silent, config=silent, users=silent,
        categories=silent, listening=(),
    )  # fmt: skip
