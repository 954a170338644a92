"""password rotate: a new password in three phases, each of them proven; finish it, or take it back."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from keywright.errors import InputError, KeywrightError, Refused, Unreachable
from keywright.secret import Secret
from keywright_ops.actions.declared import declare, file_paths
from keywright_ops.actions.environment import Opened, given_password
from keywright_ops.actions.in_place import found, refuse_in_place, steps_in_place
from keywright_ops.actions.rotation import (
    Gone,
    Rotation,
    ask_clients,
    go_back,
    go_on,
    move,
    settle,
    waits,
)
from keywright_ops.actions.takeover import refuse_lockout
from keywright_ops.actions.taking_back import taken_back
from keywright_ops.actions.up import Ask, home_of, open_for_change, workshop
from keywright_ops.apply.apply import Done
from keywright_ops.apply.lock import lock
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import Outcome
from keywright_ops.model.step import LOAD_USERS, Step
from keywright_ops.model.turn import BACK, BOTH, NAMED, ONLY
from keywright_ops.render.artefacts import render
from keywright_ops.steps.diff import diff
from keywright_ops.steps.turns import end_sessions, turn


class Wish(NamedTuple):
    """What is asked of `rotate`: the users' names (() is the default user), or all of them; to `hold`
    where both passwords are valid, to `finish` or `undo` what was begun; `to_vault` takes a password
    over that a variable gives; `typed` is the new password, None to have one made; `in_place` leaves a
    found server as it is otherwise."""

    names: tuple[str, ...] = ()
    everyone: bool = False
    hold: bool = False
    finish: bool = False
    undo: bool = False
    to_vault: bool = False
    typed: Secret | None = None
    in_place: bool = False


class RotateReport(NamedTuple):
    """What `rotate` did and proved; `held` are names that wait with both passwords valid. Times are
    seconds."""

    plan: Plan
    names: tuple[str, ...]
    held: tuple[str, ...]
    steps: tuple[Step, ...]
    outcomes: tuple[Outcome, ...]
    timing: Mapping[str, float]


def rotate(ask: Ask, wish: Wish) -> RotateReport:
    """Rotate passwords, or finish or undo what was begun. Raises InputError, Refused, Unreachable, or
    ApplyError after taking back the phase that failed."""
    begun = time.monotonic()
    opened = open_for_change(ask)  # before the lock, so that a mistake leaves no trace on disk
    names = chosen(opened.plan, wish)
    with lock(f"{home_of(ask)}/lock", "keywright password rotate"):
        opened = open_for_change(ask)
        if wish.undo or wish.finish:
            names = begun_earlier(opened, wish, names)
        finish = frozenset(names if wish.finish else ())
        rotation = Rotation(ask, lambda: open_for_change(ask), lambda o: workshop(o, ask), finish)
        names, gone = perform(rotation, opened, names, wish)
        rotation.workshop(gone.opened).journal.prune()
    held = tuple(name for name, each in gone.opened.vault.turns.items() if waits(each))
    timing = {"total": time.monotonic() - begun}
    return RotateReport(gone.opened.plan, names, held, gone.steps, gone.outcomes, timing)


def perform(
    rotation: Rotation, opened: Opened, names: tuple[str, ...], wish: Wish
) -> tuple[tuple[str, ...], Gone]:
    """Do what is asked of these names; return the names that it was about, and how far it came."""
    refuse_not_running(opened)
    earlier = tuple(opened.vault.turns)
    refuse_unfinished(opened, names, wish)
    if wish.in_place or (earlier and found(opened)):
        rotation = rotation._replace(in_place=True)
        refuse_in_place(opened, names)
    elif not earlier:
        refuse_differing(opened)
    steps = recover(rotation, opened) if earlier else ()
    if wish.undo:
        gone = go_back(rotation, opened, names)
        return names, gone._replace(steps=(*steps, *gone.steps))
    gone = go_on(rotation, opened) if earlier else Gone(opened)
    fresh = tuple(name for name in names if name not in earlier)
    if fresh:
        draft(rotation, gone.opened, fresh, wish)
        gone = move(rotation, gone, fresh, BOTH, hold=wish.hold)
        further = go_on(rotation, gone.opened)
        gone = Gone(
            further.opened,
            (*gone.steps, *further.steps),
            (*gone.outcomes, *further.outcomes),
        )
    about = dict.fromkeys((*names, *earlier))
    return tuple(about), gone._replace(steps=(*steps, *gone.steps))


def recover(rotation: Rotation, opened: Opened) -> tuple[Step, ...]:
    """Bring the environment to what the vault says before an interrupted rotation goes on."""
    shop, done = rotation.workshop(opened), list[Done]()
    try:
        return tuple(settle(rotation, opened, shop, opened.vault.turns, done))
    except KeywrightError as error:
        raise taken_back(error, done, shop) from None


def rotate_steps(ask: Ask, wish: Wish) -> tuple[Opened, tuple[Step, ...]]:
    """Return the steps that `rotate` would do, and change nothing."""
    opened = open_for_change(ask)
    names = chosen(opened.plan, wish)
    if wish.undo or wish.finish:
        names = begun_earlier(opened, wish, names)
    refuse_not_running(opened)
    refuse_unfinished(opened, names, wish)
    in_place = wish.in_place or (bool(opened.vault.turns) and found(opened))
    if in_place:
        refuse_in_place(opened, names)
    elif not opened.vault.turns:
        refuse_differing(opened)
    rotation = Rotation(ask, lambda: opened, lambda o: workshop(o, ask))
    fresh = tuple(name for name in names if name not in opened.vault.turns)
    if fresh and not wish.undo:
        draft(rotation, opened, fresh, wish)
    return opened, tuple(_foreseen(opened, names, wish._replace(in_place=in_place)))


def _foreseen(opened: Opened, names: tuple[str, ...], wish: Wish) -> list[Step]:
    """Turn in memory from phase to phase, and say of each what it would add to the phase before."""
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declare(opened)))
    clients = ask_clients(opened)
    steps = _differing(opened, names, wish, facts) if opened.vault.turns else []
    seen = {step.do for step in steps if step.do != LOAD_USERS}
    ways = [(each, BACK[each]) for each in (ONLY, NAMED, BOTH)] if wish.undo else [
        ("", BOTH), (BOTH, NAMED), *([] if wish.hold else [(NAMED, ONLY)])
    ]  # fmt: skip
    for old, new in ways:
        turns = opened.vault.turns
        there = tuple(n for n in names if (turns[n].phase if n in turns else "") == old)
        if not there:
            continue
        steps.append(turn(there, new, declare(opened).users, clients, wish.undo, wish.hold))
        opened.vault.preview(there, new)
        opened = with_secrets(opened)
        added = [s for s in _differing(opened, names, wish, facts) if s.do not in seen]
        seen |= {step.do for step in added if step.do != LOAD_USERS}
        writes = any(step.id == "write-users.acl" for step in added)
        steps += added if writes else [s for s in added if s.do != LOAD_USERS]
    last = tuple(
        n for n in names if n in opened.vault.turns and opened.vault.turns[n].phase == ONLY
    )
    return [*steps, *(end_sessions(last, clients) if last and not wish.undo else ())]


def _differing(opened: Opened, names: tuple[str, ...], wish: Wish, facts: Facts) -> list[Step]:
    if wish.in_place:
        return steps_in_place(opened, names, facts)
    return list(diff(declare(opened), facts))


def with_secrets(opened: Opened) -> Opened:
    """Return the environment as it is after a turn that was made in memory."""
    named = {name: opened.vault.named(name) for name in opened.vault.turns}
    return opened._replace(secrets={**opened.secrets, **named})


# --- what is asked, and what is refused ---------------------------------------------------------


def chosen(plan: Plan, wish: Wish) -> tuple[str, ...]:
    """Return the users that are meant. Raises InputError for one that has no password to rotate."""
    enabled = {user.name: user.enabled for user in plan.users}
    if wish.everyone:
        names = tuple(name for name, on in enabled.items() if on)
    else:
        names = tuple(dict.fromkeys(wish.names)) or ("default",)
    for name in names:
        if plan.insight is not None and name == plan.insight.secret:
            raise InputError(
                f"{name} is no user of the server but the login of RedisInsight's site",
                "`keywright insight renew` gives it another password",
            )
        if name not in enabled:
            raise InputError(
                f"{plan.environment} has no user {name!r}", f"it has {', '.join(enabled)}"
            )
        if not enabled[name]:
            raise InputError(f"user {name} is off in {plan.environment}: nobody logs in as it")
    if wish.typed is not None and len(names) != 1:
        raise InputError("--password-stdin gives one password, for one user", "name that user")
    return names


def begun_earlier(opened: Opened, wish: Wish, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of the named rotations are unfinished (all of them when none is named)."""
    turns = opened.vault.turns
    found = tuple(name for name in (names if wish.names else turns) if name in turns)
    if not found:
        raise Refused(
            f"no rotation is unfinished in {opened.plan.environment}",
            "what has ended cannot be undone: `keywright password rotate` makes another password",
        )
    return found


def refuse_not_running(opened: Opened) -> None:
    """Without a server nothing can be proven."""
    facts = gather(opened.target, opened.plan, frozenset({"process"}))
    if isinstance(facts.process, Missing):
        raise Unreachable(
            f"no server of environment {opened.plan.environment} runs", "`keywright up` starts it"
        )


def refuse_unfinished(opened: Opened, names: tuple[str, ...], wish: Wish) -> None:
    """A held rotation goes on only when asked; a typed password is not for one that was begun."""
    if wish.finish or wish.undo:
        return
    turns = opened.vault.turns
    for name in names:
        if name in turns and (waits(turns[name]) or wish.typed is not None):
            held = "held" if waits(turns[name]) else "unfinished"
            raise Refused(
                f"the rotation of {name} is {held} since {turns[name].begun}: both passwords are valid",
                "`keywright password rotate --finish` ends the old one, --undo the new one",
            )


def refuse_differing(opened: Opened) -> None:
    """A rotation changes passwords and nothing else."""
    declared = declare(opened)
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
    refuse_lockout(declared, facts, adopt=True)
    steps = diff(declared, facts)
    if steps:
        raise Refused(
            f"{opened.plan.environment} is not as declared: {'; '.join(s.title for s in steps[:3])}",
            "`keywright up` first; a server that was found: --in-place rotates it as it is",
        )


def draft(rotation: Rotation, opened: Opened, names: tuple[str, ...], wish: Wish) -> None:
    """Draft the new passwords in memory. Raises Refused for one that a variable gives, InputError for a
    typed one that nothing could carry."""
    plan = opened.plan
    for name in names:
        old = opened.secrets[name]
        given = given_password(plan, opened.place, rotation.ask.environ)
        if name == "default" and given == old and not wish.to_vault:
            raise Refused(
                f"the password of default comes from {plan.password_variable}, which you set",
                "--to-vault lets Keywright keep the new one, and ignore the variable from then on",
            )
        new = opened.vault.renew(name, old, wish.typed)
        if new == old:
            raise InputError(f"this is the password that {name} has already")
        render(plan, {**opened.secrets, name: new})  # whatever cannot carry it says so now
