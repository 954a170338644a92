"""What must be done so that the environment is as its plan says: the one question behind up, diff and drift.

Compared per setting three ways (declared, on disk, live), each in one canonical value. Steps have no
if and no loop: where the next depends on the last, the list ends and the question is asked again.
"""

from collections.abc import Mapping
from typing import NamedTuple

from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import AclUser, Facts
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import KeepSecret, Step
from keywright_ops.render.redis_conf import render_redis_conf
from keywright_ops.steps.appendonly import appendonly_on_disk
from keywright_ops.steps.files import differs, write
from keywright_ops.steps.keyspace import keys_held
from keywright_ops.steps.restart import start, stop
from keywright_ops.steps.running import differing, needs_restart, set_live
from keywright_ops.steps.users import load_users


class Declared(NamedTuple):
    """What a local environment should be: the plan and its artefacts, ready to be written.

    `conf` is redis.conf and `acl` users.acl; `others` every further file; `users` what the ACL file
    means; `drafted` the names of the secrets that exist only in memory yet.
    """

    plan: Plan
    conf: WholeFile
    acl: WholeFile
    others: tuple[WholeFile, ...]
    users: Mapping[str, AclUser]
    drafted: tuple[str, ...]


def diff(declared: Declared, facts: Facts) -> tuple[Step, ...]:
    """Return the steps still to do, in order; () when the environment is as declared."""
    steps = _keep(declared.drafted)
    steps += [write(file, facts) for file in declared.others if differs(file, facts)]
    if isinstance(facts.process, Missing):
        return (*steps, *_start(declared, facts))
    if isinstance(facts.config, Missing):
        why = f"it runs but does not answer Keywright ({facts.config.why})"
        return (*steps, stop(facts.process, declared.plan, why, keys_held(facts)))
    return (*steps, *_change_running(declared, facts))


def _keep(drafted: tuple[str, ...]) -> list[Step]:
    if not drafted:
        return []
    return [
        Step(
            id="keep-secrets",
            title=f"keep new passwords in the vault ({', '.join(drafted)})",
            do=KeepSecret(drafted),
        )
    ]


def _start(declared: Declared, facts: Facts) -> list[Step]:
    """Files first, then the server; data written under the other `appendonly` is loaded as it was."""
    conf = declared.conf
    written_under = appendonly_on_disk(facts.stored)
    if written_under is not None and written_under != declared.plan.persistence.appendonly:
        conf = _conf(declared, {"appendonly": "yes" if written_under else "no"})
    files = [file for file in (declared.acl, conf) if differs(file, facts)]
    return [*(write(file, facts) for file in files), start()]


def _conf(declared: Declared, instead: Mapping[str, str]) -> WholeFile:
    """redis.conf of the plan with some settings left at another value for now."""
    directives = tuple(
        each._replace(words=_words(each.name, instead[each.name])) if each.name in instead else each
        for each in declared.plan.directives
    )
    text = render_redis_conf(declared.plan._replace(directives=directives))
    return declared.conf._replace(content=text)


def _words(name: str, value: str) -> tuple[str, ...]:
    return tuple(value.split()) if name == "bind" else (value,)


def _change_running(declared: Declared, facts: Facts) -> list[Step]:
    """Live changes, then redis.conf; or, where only a restart helps, the stop (then diff is asked again).

    redis.conf never names another address than the running server's, and no stop is planned while disk
    and live disagree on `appendonly`: a crash in between must find a file under which the data loads.
    """
    plan = declared.plan
    assert not isinstance(facts.process, Missing)
    steps = load_users(declared.acl, declared.users, facts)
    reasons = _restart_reasons(plan, facts)
    if not reasons:
        steps += set_live(plan, facts)
        return [*steps, write(declared.conf, facts)] if differs(declared.conf, facts) else steps
    if _disk_disagrees(facts):
        return [*steps, write(_conf_as_running(declared, facts), facts)]
    why = "; ".join(reasons)
    return [*steps, stop(facts.process, plan, why, keys_held(facts))]


def _restart_reasons(plan: Plan, facts: Facts) -> list[str]:
    assert not isinstance(facts.process, Missing)
    assert not isinstance(facts.config, Missing)
    reasons = [
        f"{each.name} {facts.config[each.name] or '(empty)'} → {each.value or '(empty)'}"
        for each in differing(plan, facts)
        if needs_restart(each)
    ]
    program = plan.engine.program
    if isinstance(program, str) and program and facts.process.executable != program:
        reasons.append(f"another server program, {program}")
    return reasons


def _disk_disagrees(facts: Facts) -> bool:
    """Whether redis.conf on disk would load the data under another `appendonly` than it is kept."""
    assert not isinstance(facts.config, Missing)
    on_disk = {} if isinstance(facts.disk_config, Missing) else facts.disk_config
    return on_disk.get("appendonly", "no") != facts.config.get("appendonly", "no")


def _conf_as_running(declared: Declared, facts: Facts) -> WholeFile:
    """redis.conf with everything that needs a restart, and appendonly, as the server runs now."""
    assert not isinstance(facts.config, Missing)
    live = facts.config
    waiting = [each.name for each in differing(declared.plan, facts) if needs_restart(each)]
    return _conf(declared, {name: live[name] for name in (*waiting, "appendonly")})
