"""What must be done so that the environment is as its plan says: the one question behind up, diff and drift.

Compared per setting three ways (declared, on disk, live), each in one canonical value. Steps have no
if and no loop: where the next depends on the last, the list ends and the question is asked again.
"""

from keywright_ops.facts.ending import is_ending
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.machine import Machine
from keywright_ops.model.plan import Directive, Plan
from keywright_ops.model.step import KeepSecret, Signal, Step
from keywright_ops.steps.appendonly import await_rewrite, set_aside
from keywright_ops.steps.declared import Declared, as_it_was, conf_with
from keywright_ops.steps.files import differs, write
from keywright_ops.steps.restart import await_loaded, start, stop, wake
from keywright_ops.steps.running import (
    differing,
    needs_restart,
    outgrows_its_limit,
    set_live,
)
from keywright_ops.steps.tls import (
    clients_follow,
    closes_tls,
    open_beside,
    opens_live,
    reload_certificate,
    reloads_live,
    stale,
)
from keywright_ops.steps.users import load_users


def diff(declared: Declared, facts: Facts) -> tuple[Step, ...]:
    """Return the steps still to do, in order; () when the environment is as declared."""
    steps = _keep(declared.drafted)
    writes = [write(file, facts) for file in declared.others if differs(file, facts)]
    if isinstance(facts.machine, Machine):
        from keywright_ops.steps.machine import install, is_upgrade, prepare

        stored = () if isinstance(facts.stored, Missing) else facts.stored
        installing = install(declared.plan, facts.machine, stored)
        if len(installing) > 1:  # more than to unmask: what it brings has to be seen first
            replaced = is_upgrade(declared.plan, facts.machine)
            if replaced and not isinstance(facts.process, Missing):
                return (*steps, *_stop_carrying(declared, facts, "its package is replaced"))
            return (*steps, *installing)
        writes = [
            *installing,
            *prepare(declared.plan, facts.machine, declared.others, writes),
        ]
    steps += writes
    if isinstance(facts.process, Missing):
        return (*steps, *_start(declared, facts), *_finish(declared, facts, steps))
    if facts.process.suspended:
        return (*steps, wake(facts.process))
    if is_ending(facts.log):
        return (*steps, stop(facts, "it was asked to end already"))
    if isinstance(facts.config, Missing):
        why = f"it runs but does not answer Keywright ({facts.config.why})"
        return (*steps, stop(facts, why))
    if not isinstance(facts.info, Missing) and facts.info.get("loading", "0") != "0":
        return (*steps, await_loaded())
    changes = _change_running(declared, facts)
    if changes and isinstance(changes[-1].do, Signal):
        return (*steps, *changes)  # RedisInsight after the server is there again
    insight = _tend_insight(declared, facts, steps)
    return (*steps, *changes, *insight, *_finish(declared, facts, steps))


def _finish(declared: Declared, facts: Facts, before: list[Step]) -> list[Step]:
    """What a Linux host needs besides, once its server runs."""
    if not isinstance(facts.machine, Machine):
        return []
    from keywright_ops.steps.machine import finish

    return finish(declared.plan, facts, facts.machine, before, declared.others)


def _stop_carrying(declared: Declared, facts: Facts, why: str) -> list[Step]:
    """Stop a service with what it holds saved, whatever the profile keeps."""
    carried = carry_over(declared.plan, facts)
    return [*before_stop(declared, facts), *carried, stop(facts, why, True if carried else None)]


def _tend_insight(declared: Declared, facts: Facts, steps: list[Step]) -> list[Step]:
    if declared.compose is None:
        return []
    from keywright_ops.steps.housing import tend_insight  # `local` lives in no container

    presets = any(step.id == "write-databases.json" for step in steps)
    return tend_insight(declared.plan, facts, presets)


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
    """Files first, then the server, so that it finds its data as it was written."""
    conf = conf_with(declared, as_it_was(declared.plan, facts))
    own = (
        (declared.acl, conf) if declared.compose is None else (declared.acl, conf, declared.compose)
    )
    files = [write(file, facts) for file in own if differs(file, facts)]
    if declared.compose is None or isinstance(facts.housing, Missing):
        return [*files, start()]
    from keywright_ops.steps.housing import begin_anew, make_ground, set_aside_foreign

    begin = begin_anew(start(), declared.plan, facts.housing, declared.compose.folder)
    aside = set_aside_foreign(declared.plan, facts.housing)
    return [*make_ground(declared.plan, facts.housing), *files, *aside, begin]


def _change_running(declared: Declared, facts: Facts) -> list[Step]:
    """Live changes, then redis.conf; where only a restart helps, the stop after them (then ask again).

    redis.conf never names another address than the running server's, and says `appendonly` as it is kept
    before anything is stopped: whoever starts the server after a crash finds a file under which the data
    loads. Live changes come first, because a stop keeps the data only as the live server does.
    """
    plan = declared.plan
    reads = plan.directive("aclfile")
    steps = load_users(declared.acl, declared.users, facts, reads.value if reads else "")
    steps += set_live(plan, facts)
    steps += _update_housing(declared, facts)
    if all(each.name != "appendonly" for each in differing(plan, facts)):
        steps += _agree(plan, facts)
    anew = _housing_reasons(declared, facts)
    reasons = anew if _is_foreign(plan, facts) else [*_restart_reasons(plan, facts), *anew]
    steps += open_beside(plan, facts)
    reasons += _late_addresses(plan, facts)
    if reloads_live(facts):
        steps += reload_certificate(plan, declared.certificate, facts)
    elif stale(plan, declared.certificate, facts):
        reasons.append("this server reads a certificate only when it starts")
    # `databases` is written at once: whoever starts the server next knows by it that a running one
    # told us that the databases which go are empty; `aclfile` too, or a server that somebody starts
    # meanwhile would take everybody without a password
    waiting = [
        each.name
        for each in differing(plan, facts)
        if _waits(each, plan, facts) and each.name not in ("databases", "aclfile")
    ]
    conf = conf_with(declared, _live(facts, waiting))
    if differs(conf, facts):
        steps.append(write(conf, facts))
    # what a container is made anew from is written after its stop: until then the old one may return
    if declared.compose is not None and not anew and differs(declared.compose, facts):
        steps.append(write(declared.compose, facts))
    if reasons:
        carried = carry_over(plan, facts)
        steps += carried
        ending = stop(facts, "; ".join(reasons), plan.persistence.promised or bool(carried))
        ending = _taken_back(ending, declared, facts)
        steps.append(clients_follow(ending, plan, facts))
    return steps


def carry_over(plan: Plan, facts: Facts) -> list[Step]:
    """On a Linux host our own stop costs no session, even where the profile keeps nothing."""
    if plan.unit is None:
        return []
    from keywright_ops.steps.carry import before_ending

    return before_ending(plan, facts)


def _late_addresses(plan: Plan, facts: Facts) -> list[str]:
    """Why a Linux host's server has to be started anew: an address came after it."""
    if not isinstance(facts.machine, Machine):
        return []
    from keywright_ops.steps.machine import unheard  # `local` binds no address that could be late

    return [f"{each} came after it" for each in unheard(plan, facts.machine, facts)]


def _housing_reasons(declared: Declared, facts: Facts) -> list[str]:
    """Why the server's container has to be made anew."""
    if declared.compose is None or isinstance(facts.housing, Missing):
        return []
    from keywright_ops.steps.container import differences  # `local` lives in no container

    if _is_foreign(declared.plan, facts):
        return ["it is taken over, and its container set aside"]
    return differences(declared.plan, facts.housing, declared.compose.folder)


def _update_housing(declared: Declared, facts: Facts) -> list[Step]:
    """What Docker changes while the server runs; a container that is made anew gets it by that."""
    if isinstance(facts.housing, Missing) or _housing_reasons(declared, facts):
        return []
    from keywright_ops.steps.doors import attach_live  # `local` lives in no container
    from keywright_ops.steps.housing import update_live

    assert declared.compose is not None
    new = differs(declared.compose, facts)
    attach = attach_live(declared.plan, facts.housing, new)
    return [*update_live(declared.plan, facts.housing), *attach]


def _is_foreign(plan: Plan, facts: Facts) -> bool:
    if isinstance(facts.housing, Missing):
        return False
    from keywright_ops.facts.container import foreign  # `local` lives in no container

    return bool(foreign(plan, facts.housing.container))


def _taken_back(ending: Step, declared: Declared, facts: Facts) -> Step:
    """A stop says what it closes, and is taken back by starting what was stopped; a foreign container by
    its name alone."""
    if declared.compose is None or isinstance(facts.housing, Missing):
        return ending
    from keywright_ops.steps.doors import clients_move  # `local` lives in no container
    from keywright_ops.steps.housing import stop_foreign

    if differs(declared.compose, facts):  # else it was opened by hand: no client was promised it
        ending = clients_move(ending, declared.plan, facts.housing)
    return stop_foreign(ending, declared.plan, facts.housing)


def before_stop(declared: Declared, facts: Facts) -> list[Step]:
    """Return what must be done before the server is stopped as it runs, with nothing else changed.

    After a killed `up`, or a CONFIG SET by hand, redis.conf would load the data under another
    `appendonly` than it is kept.
    """
    if isinstance(facts.process, Missing) or isinstance(facts.config, Missing):
        return []
    steps = _agree(declared.plan, facts)
    if _disk_disagrees(facts):
        names = [each.name for each in differing(declared.plan, facts)]
        steps.append(write(conf_with(declared, _live(facts, names)), facts))
    return steps


def _agree(plan: Plan, facts: Facts) -> list[Step]:
    """Bring the data directory to what the running server's `appendonly` says of it."""
    assert not isinstance(facts.config, Missing)
    if facts.config.get("appendonly") != "yes":
        return set_aside(plan, facts)
    return [await_rewrite()] if _disk_disagrees(facts) else []


def _restart_reasons(plan: Plan, facts: Facts) -> list[str]:
    assert not isinstance(facts.process, Missing)
    assert not isinstance(facts.config, Missing)
    reasons = [
        f"{each.name} {facts.config[each.name] or '(empty)'} → {each.value or '(empty)'}"
        for each in differing(plan, facts)
        if _waits(each, plan, facts)
    ]
    reasons += [each for each in (closes_tls(plan, facts),) if each]
    program = plan.engine.program
    # the name it was started by counts: Debian's redis-server is a link to redis-check-rdb
    running = (facts.process.executable, facts.process.command[0])
    if isinstance(program, str) and program and program not in running:
        reasons.append(f"another server program, {program}")
    elif facts.process.executable.endswith(" (deleted)"):  # as Linux marks a replaced file
        reasons.append("its program was replaced by another version")
    return reasons


def _waits(directive: Directive, plan: Plan, facts: Facts) -> bool:
    """Whether the setting waits for a restart; TLS can be opened beside an open port without one."""
    opened = directive.name == "tls-port" and opens_live(plan, facts)
    return (needs_restart(directive) and not opened) or outgrows_its_limit(directive, plan)


def _disk_disagrees(facts: Facts) -> bool:
    """Whether redis.conf on disk would load the data under another `appendonly` than it is kept."""
    assert not isinstance(facts.config, Missing)
    on_disk = {} if isinstance(facts.disk_config, Missing) else facts.disk_config
    return on_disk.get("appendonly", "no") != facts.config.get("appendonly", "no")


def _live(facts: Facts, names: list[str]) -> dict[str, str]:
    assert not isinstance(facts.config, Missing)
    return {name: facts.config[name] for name in names}
