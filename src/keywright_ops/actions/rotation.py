"""Moves unfinished rotations from phase to phase: each is a turn in the vault, then diff, apply, proof.

Whatever fails takes back its own phase only: what the vault names then is valid, and the next run goes
on. `up` and `password` both come here.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from keywright.errors import ApplyError, KeywrightError
from keywright_ops.actions.declared import declare, file_paths
from keywright_ops.actions.environment import Opened
from keywright_ops.actions.in_place import settle_in_place
from keywright_ops.actions.proving import scene_of, token
from keywright_ops.actions.taking_back import taken_back
from keywright_ops.actions.up import Ask, rounds
from keywright_ops.apply.apply import Done, Workshop, apply
from keywright_ops.checks.rotation import phase_proofs
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.gather.probe import probe
from keywright_ops.model.facts import Facts
from keywright_ops.model.proof import PASSED, Outcome
from keywright_ops.model.step import Step
from keywright_ops.model.turn import BACK, BOTH, DONE, DROPPED, NAMED, ON, ONLY, Turn
from keywright_ops.steps.turns import end_sessions, sessions, turn


class Rotation(NamedTuple):
    """What going on needs: `reopen` the environment after a turn (its secrets are others then), and
    `workshop` for what was opened. `finish` are names that were held and shall go on all the same;
    `in_place` leaves a server that was found as it is, but for its passwords."""

    ask: Ask
    reopen: Callable[[], Opened]
    workshop: Callable[[Opened], Workshop]
    finish: frozenset[str] = frozenset()
    in_place: bool = False


class Gone(NamedTuple):
    """How far it came: the environment as it is now, the steps done, what was proven."""

    opened: Opened
    steps: tuple[Step, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


def go_on(rotation: Rotation, opened: Opened) -> Gone:
    """Take every rotation that is not held to its end; the environment is as declared before."""
    gone = Gone(opened)
    if any(turn.phase == ONLY for turn in opened.vault.turns.values()):
        gone = end_old(rotation, gone)  # the last run ended before the old sessions did
    for phase in (BOTH, NAMED):
        names = ready(gone.opened, phase, rotation.finish)
        if names:
            gone = move(rotation, gone, names, ON[phase])
            gone = end_old(rotation, gone) if phase == NAMED else gone
    return gone


def go_back(rotation: Rotation, opened: Opened, names: Iterable[str]) -> Gone:
    """Take these rotations back to where only the old password is valid."""
    gone, wanted = Gone(opened), set(names)
    for phase in (ONLY, NAMED, BOTH):
        there = tuple(name for name in in_phase(gone.opened, phase) if name in wanted)
        if there:
            gone = move(rotation, gone, there, BACK[phase], back=True)
    return gone


def in_phase(opened: Opened, phase: str) -> tuple[str, ...]:
    """Return the names of the secrets that are in this phase."""
    return tuple(name for name, turn in opened.vault.turns.items() if turn.phase == phase)


def ready(opened: Opened, phase: str, finish: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the names of the secrets that may leave this phase: a held one waits in `named`."""
    turns = opened.vault.turns
    return tuple(
        name for name in in_phase(opened, phase) if not waits(turns[name]) or name in finish
    )


def waits(turn: Turn) -> bool:
    """Whether a person has to say that it goes on."""
    return turn.held and turn.phase == NAMED


def next_turn(opened: Opened) -> tuple[Step, ...]:
    """Return the turns that would come next, for a dry run."""
    users = declare(opened).users
    facts = ask_clients(opened)
    found = [(ready(opened, phase), ON[phase]) for phase in (BOTH, NAMED, ONLY)]
    return tuple(turn(names, phase, users, facts) for names, phase in found if names)


def move(
    rotation: Rotation,
    gone: Gone,
    names: tuple[str, ...],
    phase: str,
    back: bool = False,
    hold: bool = False,
) -> Gone:
    """Turn the vault, bring files and server to what it says then, prove it. Raises ApplyError after
    taking this phase back."""
    done: list[Done] = []
    opened, shop = gone.opened, rotation.workshop(gone.opened)
    step = turn(names, phase, declare(opened).users, ask_clients(opened), back, hold)
    try:
        if rotation.in_place and phase == DROPPED:
            settle_in_place(opened, shop, names, done, dropping=True)
        apply((step,), shop, done)
        opened = rotation.reopen()
        shop = rotation.workshop(opened)
        steps = settle(rotation, opened, shop, names, done)
        outcomes = prove_phase(rotation, opened, names, phase)
    except KeywrightError as error:
        raise _further(taken_back(error, done, shop), names) from None
    return Gone(opened, (*gone.steps, *steps), (*gone.outcomes, *outcomes))


def settle(
    rotation: Rotation, opened: Opened, shop: Workshop, names: Iterable[str], done: list[Done]
) -> list[Step]:
    """Bring files and server to what the vault says now; `done` grows. Returns all steps in it."""
    if not rotation.in_place:
        _, steps, _ = rounds(rotation.ask, opened, shop, token(), done)
        return steps
    settle_in_place(opened, shop, names, done)
    return [each.step for each in done]


def end_old(rotation: Rotation, gone: Gone) -> Gone:
    """End the sessions of the old passwords, prove that they are dead, and forget them."""
    opened = gone.opened
    names = in_phase(opened, ONLY)
    shop, done = rotation.workshop(opened), list[Done]()
    facts = ask_clients(opened)
    steps = end_sessions(names, facts)
    last = turn(names, DONE, declare(opened).users, facts)
    try:
        apply(steps, shop, done)
        outcomes = prove_phase(rotation, opened, names, ONLY, facts)
        apply((last,), shop, done)
    except KeywrightError as error:
        raise _further(error, names) from None
    return Gone(rotation.reopen(), (*gone.steps, *steps, last), (*gone.outcomes, *outcomes))


def ask_clients(opened: Opened) -> Facts:
    """Ask who is connected."""
    return gather(opened.target, opened.plan, frozenset({"clients"}))


def prove_phase(
    rotation: Rotation,
    opened: Opened,
    names: tuple[str, ...],
    phase: str,
    before: Facts | None = None,
) -> tuple[Outcome, ...]:
    """Ask what this phase promises; `before` is what was open before the sessions ended.

    Raises ApplyError, with the evidence, when something was not proven.
    """
    declared = declare(opened)
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
    scene = scene_of(opened, declared, facts, "")
    old = {} if before is None else sessions(names, before)
    ended = {name: frozenset(each.id for each in clients) for name, clients in old.items()}
    outcomes = []
    for proof in phase_proofs(names, phase, ended, whole=not rotation.in_place):
        outcomes.append(probe(proof, scene))
        rotation.ask.proved(outcomes[-1])
    wrong = [each for each in outcomes if each.verdict != PASSED]
    if wrong:
        told = "; ".join(f"{each.proof.title}: {each.evidence}" for each in wrong)
        raise ApplyError(f"not proven: {told}")
    return tuple(outcomes)


def _further(error: KeywrightError, names: Iterable[str]) -> KeywrightError:
    """Say what is valid now, and both ways on."""
    hint = (
        f"what .env names for {', '.join(names)} is valid; `keywright password rotate` goes on, "
        "--undo goes back"
    )
    error.hint = f"{error.hint}\n{hint}" if error.hint else hint
    return error
