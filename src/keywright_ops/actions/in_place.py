"""A rotation on a server that was found: its own users, its own redis.conf, nothing taken over."""

import os
from collections.abc import Iterable

from keywright.errors import Refused
from keywright_ops.actions.declared import declare, file_paths
from keywright_ops.actions.environment import Opened
from keywright_ops.apply.apply import Done, Workshop, apply
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import Facts
from keywright_ops.model.step import Step
from keywright_ops.steps.in_place import is_found, rotate_in_place, write_dotenv
from keywright_ops.vault.kept import sha256


def look(opened: Opened) -> Facts:
    """Ask everything that a rotation in place must know."""
    return gather(opened.target, opened.plan, EVERYTHING, file_paths(declare(opened)))


def found(opened: Opened) -> bool:
    """Whether the running server is one without an ACL file."""
    return is_found(look(opened))


def settle_in_place(
    opened: Opened, shop: Workshop, names: Iterable[str], done: list[Done], dropping: bool = False
) -> None:
    """Bring .env, the server and its redis.conf to what the vault says of these users' passwords."""
    apply(steps_in_place(opened, names, look(opened), dropping), shop, done)


def steps_in_place(
    opened: Opened, names: Iterable[str], facts: Facts, dropping: bool = False
) -> list[Step]:
    """Return the steps of that; () when it is so already.

    `dropping`: what is not named shall end already, before the vault forgets it.
    """
    users, turns = declare(opened).users, opened.vault.turns
    steps = write_dotenv(dotenv(opened), facts)
    for name in names:
        named = opened.secrets[name]
        both = {sha256(named)} | ({sha256(turns[name].other)} if name in turns else set())
        wanted = frozenset({sha256(named)}) if dropping else users[name].hashes
        steps += rotate_in_place(name, wanted, frozenset(both) - wanted, named, facts)
    return steps


def dotenv(opened: Opened) -> WholeFile:
    """Return the application's .env."""
    path = opened.plan.application.dotenv
    whole = os.path.realpath(path if path.startswith("/") else f"{opened.base}/{path}")
    return next(file for file in declare(opened).others if os.path.realpath(file.path) == whole)


def refuse_in_place(opened: Opened, names: Iterable[str]) -> None:
    """What could not be kept, or would leave an application behind, is not begun. Raises Refused."""
    facts = look(opened)
    if not is_found(facts):
        raise Refused(
            "this server has an ACL file: there is nothing to rotate in place",
            "keywright password rotate",
        )
    if isinstance(facts.server, Missing) or not facts.server.config_file:
        raise Refused(
            "this server runs without a redis.conf: another password would be gone with a restart",
            "`keywright up` takes it over, with its data",
        )
    known = {} if isinstance(facts.users, Missing) else facts.users
    lacking = [name for name in names if name not in known]
    if lacking:
        raise Refused(f"this server has no user {', '.join(lacking)}", f"it has {', '.join(known)}")
