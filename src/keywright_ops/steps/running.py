"""Steps that bring a running server to what the plan says, without a restart where that is possible."""

from keywright_ops.facts.canonical import canonical
from keywright_ops.facts.settings import IMMUTABLE
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Directive, Plan
from keywright_ops.model.step import Danger, FieldIs, RedisCommand, Step
from keywright_ops.steps.appendonly import switch_appendonly
from keywright_ops.steps.keyspace import keeps_data, keys_held

# Where a change would move the place that the server is asked at, a restart is clearer than a
# connection that is pulled away under us.
# The three are changed by one command: alone, one of them would not fit the others.
CERTIFICATE = ("tls-cert-file", "tls-key-file", "tls-ca-cert-file")
RESTARTED = frozenset({"port", "bind", "tls-port", "unixsocket", "dir", "dbfilename"})


def differing(plan: Plan, facts: Facts) -> tuple[Directive, ...]:
    """Return the declared settings whose live value is another, in the plan's order.

    A setting that the server does not know is not compared: whether it starts with it is the
    server's own decision.
    """
    if isinstance(facts.config, Missing):
        return ()
    live = facts.config
    return tuple(
        each
        for each in plan.directives
        if each.name in live
        and canonical(each.name, live[each.name]) != canonical(each.name, each.value)
    )


def needs_restart(directive: Directive) -> bool:
    """Whether the setting can only be changed by starting the server anew."""
    return directive.name in IMMUTABLE or directive.name in RESTARTED


def outgrows_its_limit(directive: Directive, plan: Plan) -> bool:
    """Whether it asks for more open files than the service was started with: its unit allows them first."""
    from keywright_ops.render.systemd import DEBIAN_NOFILE, RESERVED_DESCRIPTORS

    return (
        plan.unit is not None
        and directive.name == "maxclients"
        and int(directive.value) + RESERVED_DESCRIPTORS > DEBIAN_NOFILE
    )


def set_live(plan: Plan, facts: Facts) -> list[Step]:
    """Return the CONFIG SET steps for everything that can change while the server runs."""
    steps: list[Step] = []
    for each in differing(plan, facts):
        if needs_restart(each) or each.name in CERTIFICATE or outgrows_its_limit(each, plan):
            continue
        if each.name == "appendonly":
            steps += switch_appendonly(plan, facts, each.value == "yes")
        else:
            steps.append(_config_set(plan, facts, each))
    # the append-only switch last: by then save points and memory are what the plan says
    return sorted(steps, key=lambda step: step.id.startswith("appendonly"))


def _config_set(plan: Plan, facts: Facts, directive: Directive) -> Step:
    assert not isinstance(facts.config, Missing)
    name, new, old = directive.name, directive.value, facts.config[directive.name]
    danger, cost = _cost(plan, facts, name)
    return Step(
        id=f"set-{name}",
        title=f"set {name}: {old or '(empty)'} → {new or '(empty)'}{cost}",
        do=RedisCommand(ADMIN, ("CONFIG", "SET", name, new)),
        expect=(FieldIs("config", name, old),),
        undo=RedisCommand(ADMIN, ("CONFIG", "SET", name, old)),
        danger=danger,
    )


def _cost(plan: Plan, facts: Facts, name: str) -> tuple[Danger, str]:
    """What the change of this setting costs the data that is there now."""
    if name == "save" and keeps_data(facts) and not plan.persistence.promised:
        keys = keys_held(facts)
        if keys and not isinstance(facts.config, Missing) and facts.config["appendonly"] == "no":
            return Danger.LOSES_DATA, f" ({keys} keys will not survive the next restart)"
    if name not in ("maxmemory", "maxmemory-policy") or isinstance(facts.info, Missing):
        return Danger.SAFE, ""
    used = int(facts.info.get("used_memory", "0"))
    limit = plan.memory.maxmemory
    if limit == 0 or used <= limit:
        return Danger.SAFE, ""
    if plan.memory.policy == "noeviction":
        return Danger.DISTURBS, f" ({used} bytes are in use: writes will be refused)"
    return Danger.LOSES_DATA, f" ({used} bytes are in use: keys will be evicted)"
