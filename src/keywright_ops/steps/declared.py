"""What an environment should be: its plan and artefacts; and redis.conf with some settings left for now."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import AclUser, Certificate, Facts
from keywright_ops.model.plan import Plan
from keywright_ops.profile.directive_names import SEVERAL_WORDS
from keywright_ops.render.redis_conf import render_redis_conf
from keywright_ops.steps.appendonly import appendonly_on_disk


class Declared(NamedTuple):
    """What an environment should be: the plan and its artefacts, ready to be written.

    `conf` is redis.conf and `acl` users.acl; `others` every further file; `users` what the ACL file
    means; `drafted` the names of the secrets that exist only in memory yet; `certificate` is
    the one to serve, Missing where there is none or it cannot be read from here. In Docker `compose`
    is the compose file; `beneath` is the distribution's redis.conf, into which ours is written.
    """

    plan: Plan
    conf: WholeFile
    acl: WholeFile
    others: tuple[WholeFile, ...]
    users: Mapping[str, AclUser]
    drafted: tuple[str, ...]
    compose: WholeFile | None = None
    certificate: Certificate | Missing = Missing("no TLS is declared")
    beneath: str = ""

    @property
    def files(self) -> tuple[WholeFile, ...]:
        """Every file that should exist."""
        own = (self.conf, self.acl) if self.compose is None else (self.conf, self.acl, self.compose)
        return (*own, *self.others)


def conf_text(plan: Plan, beneath: str) -> str:
    """Return redis.conf: ours alone, or on a Linux host within what stands there (`beneath`)."""
    if plan.unit is None:
        return render_redis_conf(plan)
    from keywright_ops.render.conf_edit import merge_redis_conf

    return merge_redis_conf(beneath, plan)


def conf_with(declared: Declared, instead: Mapping[str, str]) -> WholeFile:
    """redis.conf of the plan with some settings left at another value for now."""
    if not instead:
        return declared.conf
    directives = tuple(
        each._replace(words=_words(each.name, instead[each.name])) if each.name in instead else each
        for each in declared.plan.directives
    )
    plan = declared.plan._replace(directives=directives)
    return declared.conf._replace(content=conf_text(plan, declared.beneath))


def _words(name: str, value: str) -> tuple[str, ...]:
    return tuple(value.split()) if name in SEVERAL_WORDS or name in ("bind", "save") else (value,)


def as_it_was(plan: Plan, facts: Facts) -> dict[str, str]:
    """The settings under which stopped data must be loaded first; they are changed on the live server.

    `appendonly` decides which files are read at all; a smaller maxmemory would cost keys unasked; and a
    server with fewer databases than an append-only file selects does not refuse it: it puts their keys
    into another one (measured with Valkey 9.1 and Redis 7.0).
    """
    found: dict[str, str] = {}
    written_under = appendonly_on_disk(facts.stored)
    if written_under is None:
        return found
    if written_under != plan.persistence.appendonly:
        found["appendonly"] = "yes" if written_under else "no"
    disk = {} if isinstance(facts.disk_config, Missing) else facts.disk_config
    before, now = disk.get("maxmemory", "0"), plan.memory.maxmemory
    if disk and before.isdigit() and now and (int(before) == 0 or int(before) > now):
        found["maxmemory"] = before
    databases, wanted = disk.get("databases", ""), plan.directive("databases")
    if wanted is not None and databases.isdigit() and int(databases) > int(wanted.value):
        found["databases"] = databases
    return found
