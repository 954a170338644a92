"""One snapshot of an environment: only what is asked for, each question once.

What could not be asked is Missing(why), so that nobody takes silence for health.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from keywright.errors import KeywrightError, ReplyError
from keywright.wire import Reply
from keywright_ops.facts.canonical import canonical
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.facts.server import parse_server
from keywright_ops.model.absence import Missing
from keywright_ops.model.container import Housing, Usage
from keywright_ops.model.facts import AclUser, Certificate, Client, Facts, Server
from keywright_ops.model.host import Process
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Plan
from keywright_ops.targets.target import Target

if TYPE_CHECKING:
    from keywright_ops.model.machine import Machine  # a Linux host's alone

NOT_ASKED = Missing("not asked")

STATUS = frozenset({"process", "info", "housing", "usage"})
PROVEN = frozenset(
    {
        "process", "info", "config", "users", "files", "disk_config", "listening", "housing",
        "certificate", "machine",
    }
)  # fmt: skip
EVERYTHING = PROVEN | {"stored", "log"}
UNCHANGED = EVERYTHING | {"glance"}  # where nothing was changed since Docker was asked last


def gather(target: Target, plan: Plan, wanted: frozenset[str], files: Iterable[str] = ()) -> Facts:
    """Ask the target the wanted questions ("process", "info", "config", "users", "files", …)."""
    transport = target.transport
    last_words = _last_words(target) if "log" in wanted else None
    # first of all: the way to a container's server is found by what Docker told last
    housing = _housing(target, wanted)
    info, config, users = _ask_server(target, wanted)
    categories = _ask_categories(target) if isinstance(users, dict) else NOT_ASKED
    return Facts(
        process=_process(target, housing) if "process" in wanted else NOT_ASKED,
        server=_server(info),
        info=info,
        config=config,
        users=users,
        categories=categories,
        files=transport.files(tuple(files)) if "files" in wanted else {},
        disk_config=_disk_config(target, plan) if "disk_config" in wanted else NOT_ASKED,
        listening=transport.listening(plan.port) if "listening" in wanted else NOT_ASKED,
        stored=_stored(target, plan, config) if "stored" in wanted else NOT_ASKED,
        log=last_words() if last_words is not None else NOT_ASKED,
        housing=housing,
        usage=_usage(target, housing) if "usage" in wanted else NOT_ASKED,
        clients=_ask_clients(target) if "clients" in wanted else NOT_ASKED,
        certificate=_certificate(target, plan) if "certificate" in wanted else NOT_ASKED,
        machine=_machine(target, wanted),
        line=target.host.lets_in() if target.host and "line" in wanted else NOT_ASKED,
    )


def _housing(target: Target, wanted: frozenset[str]) -> Housing | Missing:
    """What Docker tells; "glance" says that nothing was changed since it was asked last."""
    if target.container is None or "housing" not in wanted:
        return NOT_ASKED
    return target.container.glance() if "glance" in wanted else target.container.housing()


def _machine(target: Target, wanted: frozenset[str]) -> "Machine | Missing":
    """What a Linux host tells; "glance" says that nothing was changed since it was asked last."""
    if target.host is None or "machine" not in wanted:
        return NOT_ASKED
    return target.host.glance() if "glance" in wanted else target.host.look()


def _last_words(target: Target) -> Callable[[], tuple[str, ...]]:
    """The log of a container is fetched while the other questions are asked: it takes 20 ms and more."""
    if target.container is None:
        return target.supervisor.last_words
    from keywright_ops.targets.aside import Aside  # threads: `local` and `status` need none

    return Aside(target.supervisor.last_words).answer


def _usage(target: Target, housing: Housing | Missing) -> Usage | Missing:
    if target.container is None or isinstance(housing, Missing):
        return NOT_ASKED
    if isinstance(housing.container, Missing) or housing.container.state != "running":
        return Missing("it does not run")
    from keywright_ops.facts.container import parse_usage  # `local` lives in none

    return parse_usage(target.container.usage())


def _process(target: Target, housing: Housing | Missing) -> Process | Missing:
    """The running server; of a container the engine has told already."""
    if isinstance(housing, Missing):
        return target.supervisor.find()
    from keywright_ops.facts.container import container_process  # `local` lives in none

    return container_process(housing.container)


def _certificate(target: Target, plan: Plan) -> Certificate | Missing:
    """What the server presents, judged as the application would: by its name and its authority."""
    if plan.listen.tls is None:
        return Missing("no TLS is declared")
    from keywright_ops.facts.certificate import parse_der  # only where there is TLS

    authority = target.transport.read(plan.listen.tls.here[2])
    text = "" if isinstance(authority, Missing) else authority.decode("utf-8", "replace")
    host = plan.application.host
    name = host if isinstance(host, str) else "localhost"
    seen = target.redis.present(plan.listen.tls.port, name, text)
    if isinstance(seen, Missing):
        return seen
    found = parse_der(seen.der)
    return found if isinstance(found, Missing) else found._replace(doubt=seen.doubt)


def _ask_server(
    target: Target, wanted: frozenset[str]
) -> tuple[dict[str, str] | Missing, dict[str, str] | Missing, dict[str, AclUser] | Missing]:
    """INFO, CONFIG GET and ACL LIST in one round trip."""
    asked = [name for name in ("info", "config", "users") if name in wanted]
    if not asked:
        return NOT_ASKED, NOT_ASKED, NOT_ASKED
    commands = {"info": ("INFO",), "config": ("CONFIG", "GET", "*"), "users": ("ACL", "LIST")}
    try:
        replies = target.redis.ask(ADMIN, [commands[name] for name in asked])
    except KeywrightError as error:
        why = Missing(str(error))
        return why, why, why
    answers = dict(zip(asked, replies, strict=True))
    info, config, users = (answers.get(name, NOT_ASKED) for name in ("info", "config", "users"))
    return (
        _missing(info) or parse_info(info),
        _missing(config) or _config(config),
        _missing(users) or _users(users),
    )


def _ask_clients(target: Target) -> tuple[Client, ...] | Missing:
    """Every connection but the one that asks."""
    try:
        listed, own = target.redis.ask(ADMIN, [("CLIENT", "LIST"), ("CLIENT", "ID")])
    except KeywrightError as error:
        return Missing(str(error))
    missing = _missing(listed)
    if missing is not None:
        return missing
    from keywright_ops.facts.clients import parse_client_list  # `status` does not ask for them

    return tuple(client for client in parse_client_list(listed) if client.id != own)


def _users(reply: Reply) -> dict[str, AclUser]:
    from keywright_ops.facts.acl import parse_acl_list  # `status` does not ask for the users

    return parse_acl_list(reply)


def _missing(reply: Reply) -> Missing | None:
    """A refused question is a fact of its own kind."""
    if isinstance(reply, ReplyError):
        return Missing(str(reply))
    return reply if isinstance(reply, Missing) else None


def _config(reply: Reply) -> dict[str, str]:
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return {name: canonical(name, value) for name, value in pairs}


def _server(info: dict[str, str] | Missing) -> Server | Missing:
    return info if isinstance(info, Missing) else parse_server(info)


def _ask_categories(target: Target) -> dict[str, frozenset[str]] | Missing:
    """Which commands each ACL category stands for on this server, in two round trips."""
    try:
        names = target.redis.ask(ADMIN, [("ACL", "CAT")])[0]
        if isinstance(names, ReplyError):
            return Missing(str(names))
        members = target.redis.ask(ADMIN, [("ACL", "CAT", name) for name in names])
    except KeywrightError as error:
        return Missing(str(error))
    found = {name: frozenset(each) for name, each in zip(names, members, strict=True)}
    return found | {"all": frozenset().union(*found.values())}


def _disk_config(target: Target, plan: Plan) -> dict[str, str] | Missing:
    """redis.conf as it stands beside the data."""
    content = target.transport.read(plan.conf_path)
    if isinstance(content, Missing):
        return content
    return parse_redis_conf(content.decode("utf-8", "surrogateescape"))


def _stored(
    target: Target, plan: Plan, config: dict[str, str] | Missing
) -> tuple[str, ...] | Missing:
    """The names in the data directory, and those inside the folder of append-only files.

    A server that keeps the append-only file, as declared, knows best what lies there.
    """
    kept = config.get("appendonly") if isinstance(config, dict) else ""
    if target.container is not None and kept == "yes" and plan.persistence.appendonly:
        return NOT_ASKED  # in a volume a look costs 0.1 s
    directory = plan.persistence.directory
    names = target.transport.names(directory)
    if isinstance(names, Missing) or "appendonlydir" not in names:
        return names
    inside = target.transport.names(f"{directory}/appendonlydir")
    if isinstance(inside, Missing):
        return inside
    return (*names, *(f"appendonlydir/{name}" for name in inside))
