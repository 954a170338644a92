"""up: bring an environment to its plan and prove it; a second time, do nothing and prove it again."""

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from keywright.errors import ApplyError, InputError, Refused, Unreachable
from keywright_ops.actions.application_env import noticed
from keywright_ops.actions.declared import declare, file_paths
from keywright_ops.actions.environment import Opened, open_environment, unresolved
from keywright_ops.actions.place import find_place
from keywright_ops.actions.proving import prove, token
from keywright_ops.actions.refusals import (
    refuse_foreign,
    refuse_lost_databases,
    refuse_silent,
    refuse_taken_port,
)
from keywright_ops.actions.restart_record import RestartRecord, restart_record
from keywright_ops.actions.restarting import (
    restart_steps,
    wants_restart_proof,
    with_canary,
)
from keywright_ops.actions.takeover import refuse_lockout, rotated_by_us
from keywright_ops.actions.taking_back import taken_back
from keywright_ops.apply.apply import Done, Watch, Workshop, WorldMoved, apply, confirm
from keywright_ops.apply.journal import Journal
from keywright_ops.apply.lock import lock
from keywright_ops.gather.environment import EVERYTHING, UNCHANGED, gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts, Server
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import Outcome
from keywright_ops.model.step import Step
from keywright_ops.steps.declared import Declared
from keywright_ops.steps.diff import diff

if TYPE_CHECKING:
    from keywright_ops.steps.foreseen import Needs

ROUNDS = 5


class Ask(NamedTuple):
    """What the person asked for, and how to talk back: `watch` steps, `proved` proofs, `confirm`.

    `needs` is told what a change needs of a Linux host before the first step.
    """

    file: str | None
    environment: str | None
    environ: Mapping[str, str]
    watch: Watch
    proved: Callable[[Outcome], None]
    confirm: Callable[[tuple[Step, ...]], bool]
    adopt: bool = False
    engine: str = ""
    needs: "Callable[[Needs], None] | None" = None


class UpReport(NamedTuple):
    """What `up` did and what was proven. Times are seconds; `steps` are those performed."""

    plan: Plan
    home: str
    steps: tuple[Step, ...]
    outcomes: tuple[Outcome, ...]
    server: Server | Missing
    restart: RestartRecord | None
    timing: Mapping[str, float]


def open_for_change(ask: Ask) -> Opened:
    """Open the environment for a change, asking the host for what the plan needs."""
    opened = open_environment(ask.file, ask.environment, ask.environ, True, ask.engine, ask.adopt)
    for wait in unresolved(opened.plan):
        raise InputError(
            f"the plan of {opened.plan.environment} still waits for {wait.why}",
            "is that interface up on the host?"
            if opened.plan.unit
            else "pip install 'keywright[ops]' brings one; or name yours: "
            f'env.{opened.plan.environment}.server = "/usr/bin/redis-server"',
        )
    if opened.plan.listen.tls is not None:
        from keywright_ops.actions.certificate import refuse_bad_certificate, refuse_without_tls

        refuse_without_tls(opened)
        refuse_bad_certificate(opened)
    if opened.target.host is not None:
        from keywright_ops.actions.linux_insight import refuse_foreign_insight
        from keywright_ops.actions.linux_refusals import refuse_host  # `local` lives on no other

        refuse_host(opened)
        refuse_foreign_insight(opened, ask.adopt)
    return opened


def _refuse_site(opened: Opened, ask: Ask) -> None:
    """What RedisInsight's site needs of its host."""
    if opened.target.host is not None:
        from keywright_ops.actions.site_refusals import refuse_site  # a Linux host's alone

        refuse_site(opened, ask.adopt)


def home_of(ask: Ask) -> str:
    """Return the environment's folder, before anything else is read (the lock lies there)."""
    place = find_place(ask.file, ask.environ)
    return place.home(ask.environment or place.profile.default_env)


def plan_steps(ask: Ask) -> tuple[Opened, tuple[Step, ...]]:
    """Return the steps as far as they are known, and change nothing: `up --dry-run` and `diff`."""
    opened = open_for_change(ask)
    _refuse_site(opened, ask)
    declared = declare(opened)
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
    refuse_foreign(opened, facts, ask.adopt)
    refuse_lockout(declared, facts, ask.adopt, rotated_by_us(opened.vault))
    if opened.target.host is not None:
        from keywright_ops.steps.foreseen import foresee  # only where a package is installed

        steps = foresee(declared, facts)
    else:
        steps = diff(declared, facts)
    if opened.target.container is not None:
        from keywright_ops.actions.docker_refusals import (
            refuse_elsewhere,
            refuse_housing,
            set_compose_aside,
        )
        from keywright_ops.actions.images import pulls

        refuse_elsewhere(opened, ask.environ)
        steps = (*set_compose_aside(opened, declared, ask.adopt), *steps)
        refuse_housing(opened, facts, steps, ask.adopt)
        steps = (*pulls(opened), *steps) if steps else steps
    if opened.vault.turns:
        from keywright_ops.actions.rotation import next_turn  # only where one is unfinished

        steps = (*steps, *next_turn(opened))
    return opened, steps


def up(ask: Ask) -> UpReport:
    """Apply and prove. Raises InputError, Refused, or ApplyError after taking back what was done."""
    begun = time.monotonic()
    # opened once before the lock, so that a mistake in the file leaves no trace on disk
    _refuse_site(open_for_change(ask), ask)
    with lock(f"{home_of(ask)}/lock", "keywright up"):
        opened = open_for_change(ask)
        shop = workshop(opened, ask)
        canary = token()
        if opened.target.container is not None:
            from keywright_ops.actions.docker_refusals import refuse_elsewhere
            from keywright_ops.actions.images import fetch_images  # `local` needs none

            refuse_elsewhere(opened, ask.environ)
            opened = fetch_images(opened, shop)
        if opened.plan.unit is not None:
            from keywright_ops.actions.linux_insight import take_insight_over

            take_insight_over(opened, shop)
        declared, done, seen = bring_up(ask, opened, shop, canary)
        if opened.vault.turns:
            from keywright_ops.actions.rotation import (  # only where one is unfinished
                Rotation,
                go_on,
            )

            rotation = Rotation(ask, lambda: open_for_change(ask), lambda now: workshop(now, ask))
            opened, more, _ = go_on(rotation, opened)
            done, seen = [*done, *more], None
        applied = time.monotonic()
        restarted = any(each.id == "canary" for each in done)
        if not restarted and wants_restart_proof(opened):
            done += restart_steps(opened, shop, canary, "to prove that data survives it")
            restarted, seen = True, None
        proof_begun = time.monotonic()
        if seen is None:
            declared = declare(opened)
        outcomes = prove(opened, declared, canary, restarted, ask.proved, seen, quick=not done)
        shop.journal.prune()
    facts = gather(opened.target, opened.plan, frozenset({"info"}))
    ended = time.monotonic()
    timing = {
        "total": ended - begun,
        "apply": applied - begun,
        "restart_proof": proof_begun - applied,
        "proof": ended - proof_begun,
    }
    record = restart_record(opened)
    plan = noticed(opened, tuple(done))
    if plan.unit is not None:
        from keywright_ops.actions.linux_insight import without_image

        plan = plan._replace(warnings=(*plan.warnings, *without_image(opened)))
    return UpReport(plan, opened.home, tuple(done), outcomes, facts.server, record, timing)


def workshop(opened: Opened, ask: Ask) -> Workshop:
    """Lay out what applying needs; the run is named by the time (UTC) and our process."""
    run = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}"
    journal = Journal(opened.home, run)
    return Workshop(opened.target, opened.plan, opened.vault, journal, ask.watch, ask.confirm)


def bring_up(
    ask: Ask, opened: Opened, shop: Workshop, canary: str
) -> tuple[Declared, list[Step], Facts | None]:
    """Gather, diff and apply until nothing differs, at most ROUNDS times.

    Returns what was declared, the steps done, and what was seen when nothing differed any more.
    Whatever ends it early takes everything back that was done until then.
    """
    done: list[Done] = []
    try:
        return rounds(ask, opened, shop, canary, done)
    except (ApplyError, Refused, Unreachable) as error:
        raise taken_back(error, done, shop) from None


def rounds(
    ask: Ask,
    opened: Opened,
    shop: Workshop,
    canary: str,
    done: list[Done],
) -> tuple[Declared, list[Step], Facts | None]:
    """Gather, diff and apply until nothing differs; `done` grows, and is the caller's to take back."""
    for number in range(ROUNDS + 1):  # the last one only sees that nothing differs
        declared = declare(opened)  # anew: the application's .env may have changed meanwhile
        wanted = EVERYTHING if number else UNCHANGED
        facts = gather(opened.target, opened.plan, wanted, file_paths(declared))
        _refuse_strange(opened, facts, ask.adopt)
        if isinstance(facts.process, Missing) or not facts.process.suspended:
            refuse_silent(facts)
        refuse_lockout(declared, facts, ask.adopt, rotated_by_us(opened.vault))
        steps = with_canary(diff(declared, facts), opened.plan, facts, canary)
        if not steps:
            return declared, [each.step for each in done], facts
        if opened.target.host is not None:
            from keywright_ops.actions.linux_refusals import refuse_without_root

            refuse_without_root(opened, steps)
            if number == 0 and ask.needs is not None:
                from keywright_ops.actions.linux_needs import needs_of

                ask.needs(needs_of(opened, declared, facts))
        if opened.target.container is None:
            refuse_taken_port(opened, steps, facts)
        else:
            from keywright_ops.actions.docker_refusals import refuse_housing, set_compose_aside

            steps = set_compose_aside(opened, declared, ask.adopt) or steps
            refuse_housing(opened, facts, steps, ask.adopt)
        refuse_lost_databases(opened.plan, facts)
        confirm(steps, shop)
        try:
            apply(steps, shop, done)
        except WorldMoved:
            continue  # the next round gathers and diffs again
    raise ApplyError(
        f"after {ROUNDS} rounds something still differs: {steps[0].title}",
        "is somebody else changing this server? `keywright diff` shows what differs",
    )


def _refuse_strange(opened: Opened, facts: Facts, adopt: bool) -> None:
    """Containers and data that are not this environment's are not touched unasked."""
    if opened.target.container is not None:
        from keywright_ops.actions.docker_refusals import refuse_foreign_container

        refuse_foreign_container(opened, facts, adopt)
    refuse_foreign(opened, facts, adopt)
