"""What a person must be told of an environment's passwords whenever it is opened."""

from keywright.secret import Secret
from keywright_ops.model.plan import Plan, Warning
from keywright_ops.model.turn import BOTH, NAMED
from keywright_ops.vault.file import Vault

ABOUT = "password of "


def about_passwords(plan: Plan) -> tuple[Warning, ...]:
    """Return those of an opened plan's warnings that are about passwords."""
    paths = (plan.password_variable or ABOUT, ABOUT)
    return tuple(each for each in plan.warnings if each.path.startswith(paths))


def with_secret_warnings(plan: Plan, vault: Vault, given: Secret | None) -> Plan:
    """Return the plan with what is to be said of its passwords, and without what is not so any more."""
    known = given is not None or vault.keeps("default")
    path = f"env.{plan.environment}.password_variable"
    cautions = (each for each in plan.warnings if not (known and each.path == path))
    return plan._replace(warnings=(*cautions, *secret_warnings(plan, vault, given)))


def secret_warnings(plan: Plan, vault: Vault, given: Secret | None) -> list[Warning]:
    """A variable that carries a password of yesterday, and rotations that wait for a person."""
    found = []
    turn = vault.turns.get("default")
    date = vault.rotated_away("default", given) if given else ""
    if date and (turn is None or (turn.phase != BOTH and turn.other == given)):
        found.append(
            Warning(
                plan.password_variable,
                f"still holds the password that was rotated away on {date}, and is ignored: unset it",
            )
        )
    held = [name for name, turn in vault.turns.items() if turn.held and turn.phase == NAMED]
    if held:
        names, date = ", ".join(held), min(vault.turns[name].begun for name in held)
        text = (
            f"its rotation is held since {date}, and both passwords are valid until "
            "`keywright password rotate --finish`"
        )
        found.append(Warning(f"{ABOUT}{names}", text))
    return found
