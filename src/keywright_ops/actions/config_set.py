"""config set: one setting of the running server, through the file where that can say it."""

import time
from typing import NamedTuple

from keywright.errors import ApplyError, InputError, Refused, ReplyError
from keywright_ops.actions.config import declared_settings, live_settings, refuse_unknown
from keywright_ops.actions.reach import Reached
from keywright_ops.apply.lock import lock
from keywright_ops.facts.canonical import canonical, canonical_name
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.masking import SETTINGS
from keywright_ops.facts.setting_danger import danger
from keywright_ops.facts.settings import ALIASES, BYTES, IMMUTABLE, NUMBERS
from keywright_ops.ops.declaring import Wording, wording

SENDS = ("CONFIG GET", "CONFIG SET", "INFO")


class Change(NamedTuple):
    """One setting that would be changed, canonical. `danger` is what it can cost, "" nothing.

    `declared` is what the plan says (None: nothing), so that `up` takes the change back; `wording` how
    keywright.toml says it, None where it cannot.
    """

    name: str
    old: str
    new: str
    danger: str
    declared: str | None
    wording: Wording | None

    @property
    def needed(self) -> bool:
        """Whether the server does not say so already."""
        return self.old != self.new


def plan_change(reached: Reached, name: str, value: str, live_only: bool) -> Change:
    """Return the change, after everything that can be known without making it.

    Raises InputError for an unknown setting or a wrong value, Refused for what must go through the file,
    needs a restart, or is a secret.
    """
    name = canonical_name(name)
    _refuse_secret(name)
    live = live_settings(reached)
    if name not in live:
        refuse_unknown(name, live)
    _refuse_wrong(name, value)
    known = _wording(reached, name, value, live_only)
    declared = declared_settings(reached).get(name)
    _refuse_immutable(reached, name, live, known)
    new = canonical(name, value)
    if not live_only and new != live[name]:
        _refuse_declared(reached, name, declared, known)
    info = reached.call("INFO")
    return Change(name, live[name], new, danger(name, new, parse_info(info), live), declared, known)


def _wording(reached: Reached, name: str, value: str, live_only: bool) -> Wording | None:
    if reached.opened is None:
        return None
    try:
        return wording(reached.opened.place.profile, reached.plan.environment, name, value)
    except InputError:
        if not live_only:
            raise
        return None  # the server itself judges what only it is told


def _refuse_secret(name: str) -> None:
    if name in SETTINGS:
        hint = (
            "`keywright password rotate` changes passwords without a failed command"
            if name == "requirepass"
            else "redis-cli --askpass, then CONFIG SET there"
        )
        raise Refused(f"{name} is a secret: it does not belong on a command line", hint)


def _refuse_wrong(name: str, value: str) -> None:
    """What no server would take is said at once, also in a dry run."""
    text = canonical(name, value)
    plain = text.removesuffix("%") if name == "maxmemory-clients" else text
    if name in BYTES and not plain.isdigit():
        raise InputError(f"{name} needs a size, and {value!r} is none", "such as 512mb or 1gb")
    if name in NUMBERS and not text.removeprefix("-").isdigit():
        raise InputError(f"{name} needs a whole number, and {value!r} is none")


def _refuse_immutable(
    reached: Reached, name: str, live: dict[str, str], known: Wording | None
) -> None:
    protected = name in ("dir", "dbfilename") and live.get("enable-protected-configs") == "yes"
    if name not in IMMUTABLE or protected:
        return
    if known is not None and known.path:
        hint = f"{known.where(_file(reached))}: {known.text}; then `keywright up` restarts it"
    elif known is not None:
        hint = known.own
    else:
        hint = "it stands in the file that the server is started with"
    raise Refused(f"{name} cannot be changed while the server runs", hint)


def _refuse_declared(
    reached: Reached, name: str, declared: str | None, known: Wording | None
) -> None:
    """What the file says is changed there. Raises Refused with the very line."""
    if declared is None and (
        known is None
        or known.path.startswith(f"env.{reached.plan.environment}.settings.")
        or known.own
    ):
        return
    live = "--live-only sets it now, until the next `keywright up`"
    if known is None or not known.path:
        why = known.own if known is not None else "Keywright decides it"
        raise Refused(f"{name} is Keywright's own: {why}", live)
    verb = "is declared" if declared is not None else "is said in keywright.toml"
    raise Refused(
        f"{name} {verb} ({known.path})",
        f"{known.where(_file(reached))}: {known.text}; then `keywright up`\n{live}",
    )


def _file(reached: Reached) -> str:
    return reached.opened.place.profile.path if reached.opened is not None else ""


def apply_change(reached: Reached, change: Change) -> str:
    """Set it, and return what the server says of it then. Raises ApplyError with the server's reason."""
    with lock(f"{reached.home}/lock", "keywright config set"):
        name = _own_name(reached, change.name)
        reply = reached.ask([("CONFIG", "SET", name, change.new)])[0]
        if isinstance(reply, ReplyError):
            if reply.code == "NOPERM" or "nknown" in str(reply):
                raise reached.explain(reply, ("CONFIG", "SET"))
            raise ApplyError(f"the server refuses {change.name} = {change.new!r}: {_reason(reply)}")
        return _settled(reached, change, name)


def _own_name(reached: Reached, name: str) -> str:
    """The setting's name as this server calls it: an older one knows the newest name not yet."""
    names = (name, *(old for old, new in ALIASES.items() if new == name))
    replies = reached.ask([("CONFIG", "GET", each) for each in names])
    known = (each for each, reply in zip(names, replies, strict=True) if reply)
    return next(known, name)


def _settled(reached: Reached, change: Change, name: str) -> str:
    """What the server says; a port or address that it left is asked for a moment."""
    found = live_settings(reached, name).get(change.name, "")
    for _ in range(20):
        if found == change.new:
            break
        time.sleep(0.05)
        found = live_settings(reached, name).get(change.name, "")
    return found


def _reason(reply: ReplyError) -> str:
    text = str(reply).removeprefix("ERR ")
    _, dash, why = text.partition(" - ")
    return why if dash else text


def lasts(reached: Reached, change: Change) -> str:
    """Say how long the change lasts, and what keeps it."""
    known = change.wording
    if change.declared is not None:
        if change.declared == change.new:
            return "that is what is declared: it stays"
        return f"it is drift: `keywright up` sets {change.declared or 'nothing'} again, as declared"
    if reached.opened is None:
        return "until the service restarts: its own console keeps it"
    if known is not None and known.path:
        return f"until the next restart; to keep it, {known.where(_file(reached))}: {known.text}"
    return "until the next restart: keywright.toml cannot say it"
