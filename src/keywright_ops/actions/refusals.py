"""What a change refuses before it begins: foreign data, a silent server, a taken port, lost databases.

Each says in one sentence what stands in the way, and what a person can do; nothing has been changed.
"""

import os

from keywright.errors import ApplyError, Refused, Unreachable
from keywright_ops.actions.environment import CHOICES, Opened
from keywright_ops.apply.journal import JOURNAL
from keywright_ops.facts.ending import is_ending
from keywright_ops.model.absence import Missing
from keywright_ops.model.engine_host import HERE, EngineHost
from keywright_ops.model.facts import Facts
from keywright_ops.model.host import Process
from keywright_ops.model.login import REFUSALS
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Signal, Step
from keywright_ops.steps.foreign import foreign_data
from keywright_ops.steps.keyspace import used_beyond
from keywright_ops.targets.ports import TAKEN, holder

SERVICES = ("redis-server", "valkey-server")  # Debian's; program and service have one name


def refuse_foreign(opened: Opened, facts: Facts, adopt: bool) -> None:
    """Data that this environment did not write is never loaded, overwritten or removed unasked.

    Choices or a journal say that it ran here once, be it in an `up` that failed and was taken back.
    """
    directory = opened.plan.persistence.directory
    if opened.plan.kind == "local" and os.path.islink(directory):
        raise Refused(
            f"{directory} is a link to {os.readlink(directory)}",
            "name the folder for everything instead: XDG_STATE_HOME=/another/disk keywright up",
        )
    names = opened.target.transport.names(opened.home)
    here = () if isinstance(names, Missing) else names
    known = adopt or CHOICES in here or JOURNAL in here
    strangers = () if known else foreign_data(facts)
    if strangers:
        raise Refused(
            f"{opened.plan.persistence.directory} holds data that this environment did not write: "
            f"{', '.join(strangers)}",
            "move it away; or, if it is to become this environment's data, say `keywright up --adopt`",
        )


def refuse_silent(facts: Facts) -> None:
    """A server that runs but does not answer may be busy: it is waited for by a person, never ended.

    Raises Unreachable. One that refuses our login does answer, in a way.
    """
    if isinstance(facts.process, Missing) or not isinstance(facts.info, Missing):
        return
    if is_ending(facts.log):
        return  # while it writes its data for the last time it answers nobody, and is waited for
    if facts.info.why.startswith(REFUSALS):
        return
    if facts.process.suspended and facts.info.why.endswith(
        "is paused"
    ):  # a container, by `docker pause`
        raise Unreachable(facts.info.why, "`keywright up` lets it go on")
    raise Unreachable(
        f"the server (process {facts.process.pid}) runs but does not answer: {facts.info.why}",
        "wait if it is busy, or end it with `keywright restart`",
    )


def refuse_suspended(process: Process) -> None:
    """A suspended server cannot end in order, and does not tell what it holds. Raises Unreachable."""
    if process.suspended:
        raise Unreachable(
            f"the server (process {process.pid}) is suspended",
            f"`keywright up` lets it go on; so does `kill -CONT {process.pid}`",
        )


def refuse_lost_databases(plan: Plan, facts: Facts) -> None:
    """Fewer databases than hold keys: the server would not say so, and mix their keys up."""
    databases = plan.directive("databases")
    if databases is None:
        return
    lost = used_beyond(facts, int(databases.value))
    if lost:
        raise Refused(
            f"with {databases.value} databases there is no {', no '.join(lost)}, which holds keys",
            f"move or remove them first, or declare more: env.{plan.environment}.databases",
        )


def refuse_taken_port(opened: Opened, steps: tuple[Step, ...], facts: Facts) -> None:
    """A port that somebody else holds is an error, never another port: before anything is stopped."""
    plan, number, transport = opened.plan, opened.plan.port, opened.target.transport
    if not isinstance(facts.process, Missing):
        heard = opened.target.supervisor.listens_on(facts.process)
        stops = any(isinstance(each.do, Signal) for each in steps)
        if not stops or isinstance(heard, Missing) or number in (own for _, own in heard):
            return
    for address in plan.listen.bind:
        host = str(address).removeprefix("-").replace("*", "0.0.0.0")
        problem = "" if str(address).startswith("-") else transport.bind_problem(host, number)
        if problem == TAKEN:
            raise ApplyError(
                f"port {number} on {host} is taken by {(who := _holder(opened, number))}",
                f"{_ending(opened, who)}, or declare another port: {_port_key(plan)} = {number + 10}",
            )
        if problem:
            raise ApplyError(
                f"nothing can listen on {host}, port {number}: {problem}",
                f"env.{plan.environment}.bind and {_port_key(plan)} say where to listen",
            )


def _holder(opened: Opened, number: int) -> str:
    host = opened.target.host
    return holder(number) if host is None else host.holder(number)


def _ending(opened: Opened, who: str) -> str:
    """What ends the one who holds a port: Debian's service of the other server, which a boot would start."""
    name = who.partition(" ")[0]
    if opened.target.host is None or name not in SERVICES:
        return "stop that"
    return f"`sudo systemctl disable --now {name}` there ends it, at a boot too"


def _port_key(plan: Plan) -> str:
    return f"env.{plan.environment}.{'port' if plan.listen.port else 'tls.port'}"


def refuse_remote_engine(host: EngineHost, environment: str) -> None:
    """An engine on another machine would mount that machine's folders, where our files are not."""
    if host.way != HERE:
        raise Refused(
            f"the Docker Engine is on another machine ({host.source} is {host.url}), and would look"
            " for this project's files there",
            f"run keywright there; `keywright tunnel -e {environment}` reaches what runs there",
        )
