"""The vault of one environment: a 0600 file of named secrets, and drafts that are not in it yet.

`draft()` makes missing secrets in memory only; the first step of an apply, KeepSecret, writes them. So a
dry run keeps nothing, and a run that is killed after KeepSecret finds the same secrets again.
"""

import os
import time
from collections.abc import Iterable, Mapping

from keywright.errors import ApplyError, InputError, Refused
from keywright.secret import Secret
from keywright_ops.model.absence import Missing
from keywright_ops.model.turn import Turn
from keywright_ops.targets.target import Transport
from keywright_ops.vault.kept import Kept, load_kept, render_kept, sha256, turned

SECRET_BYTES = 24  # 192 random bits; 32 characters of URL-safe base64
OLD_DAYS = 90  # the age from which on a person is warned


class Vault:
    """Secrets by name for one environment, in `path`.

    Raises InputError when the file is not a vault or others may read it.
    """

    def __init__(self, transport: Transport, path: str) -> None:
        self._transport = transport
        self.path = path
        self._kept = self._load()
        self._drafted: dict[str, Secret] = {}
        self._fresh: dict[str, tuple[Secret, Secret]] = {}
        self._replaced: dict[str, Secret] = {}

    def _load(self) -> Kept:
        content = self._transport.read(self.path)
        if isinstance(content, Missing):
            if os.path.exists(self.path):
                raise InputError(
                    f"the vault cannot be read: {content.why}",
                    "does it belong to another user (was Keywright once run with sudo)?",
                )
            return Kept()
        mode = self._transport.mode(self.path)
        if isinstance(mode, int) and mode & 0o077:
            raise InputError(
                f"the vault {self.path} can be read by others (mode {mode:o})",
                f"chmod 600 '{self.path}', and change the passwords if others may have looked",
            )
        try:
            return load_kept(content)
        except (ValueError, KeyError, AttributeError, TypeError):
            raise InputError(
                f"the vault {self.path} is damaged",
                "restore it from a backup; or move it away: `keywright up` then makes new passwords",
            ) from None

    def draft(
        self,
        names: Iterable[str],
        given: Mapping[str, Secret],
        otherwise: Mapping[str, Secret] | None = None,
    ) -> dict[str, Secret]:
        """Return a secret for every name: given (a variable), kept, `otherwise` (the guide's default),
        or made now in memory.

        A given secret is never kept: whoever set the variable keeps it.
        """
        chosen: dict[str, Secret] = {}
        for name in names:
            if name in given:
                chosen[name] = given[name]
            elif name in self._kept.secrets:
                chosen[name] = self._kept.secrets[name]
            elif otherwise and name in otherwise and name not in self._drafted:
                chosen[name] = otherwise[name]
            else:
                chosen[name] = self._drafted.setdefault(name, Secret(_random()))
        return chosen

    def adopt(self, name: str, found: Secret) -> None:
        """Draft a secret that was found in use, unless one is kept already."""
        if name not in self._kept.secrets:
            self._drafted[name] = found

    def draft_anew(self, name: str) -> Secret:
        """Draft a secret in the stead of the kept one, which `keep` then replaces: for what nobody but a
        person logs in with, so that there is no time in which both must hold."""
        self._replaced[name] = self._kept.secrets[name]
        return self._drafted.setdefault(name, Secret(_random()))

    @property
    def drafted(self) -> tuple[str, ...]:
        """The names of secrets that exist in memory only."""
        return tuple(sorted(self._drafted))

    def keep(self, names: Iterable[str]) -> None:
        """Write the drafted secrets of these names to the vault, durably; hold the lock meanwhile.

        Raises ApplyError when one of them was kept by somebody else since we looked.
        """
        kept = self._load()
        was = self._replaced
        known = [name for name in names if kept.secrets.get(name) != was.get(name)]
        if known:
            raise ApplyError(
                f"another Keywright has kept a password for {', '.join(known)} meanwhile",
                "run the same command again: it will take that one",
            )
        made = {name: self._drafted[name] for name in names}
        self._write(
            kept._replace(
                secrets={**kept.secrets, **made},
                since={**kept.since, **dict.fromkeys(made, today())},
            )
        )
        for name in made:
            del self._drafted[name]
            self._replaced.pop(name, None)

    def _write(self, kept: Kept) -> None:
        self._transport.write(self.path, render_kept(kept).encode(), 0o600)
        self._kept = kept

    # --- rotation --------------------------------------------------------------------------------

    @property
    def turns(self) -> Mapping[str, Turn]:
        """The unfinished rotations by the secret's name."""
        return self._kept.turns

    @property
    def beside(self) -> dict[str, Secret]:
        """The secrets that the server shall accept beside the named ones."""
        return {name: turn.other for name, turn in self._kept.turns.items() if turn.two_hold}

    def since(self, name: str) -> str:
        """The UTC date since when the kept secret holds; "" when that is not known."""
        return self._kept.since.get(name, "")

    @property
    def oldest(self) -> str:
        """The UTC date of the oldest kept secret; "" when none has one."""
        return min(self._kept.since.values(), default="")

    def keeps(self, name: str) -> bool:
        """Whether the vault itself has a secret of that name."""
        return name in self._kept.secrets

    def named(self, name: str) -> Secret:
        """The secret that is named at present."""
        return self._kept.secrets[name]

    def renew(self, name: str, old: Secret, new: Secret | None = None) -> Secret:
        """Draft the successor of a secret in memory (`new`, or one made now); turn(…, "both") keeps it."""
        made = new or Secret(_random())
        self._fresh[name] = (old, made)
        return made

    def turn(self, names: Iterable[str], phase: str, hold: bool = False) -> None:
        """Turn the rotation of these secrets to a phase, durably; hold the lock meanwhile.

        Raises ApplyError when one of them is in another phase than was thought.
        """
        self._write(turned(self._load(), names, phase, today(), self._fresh, hold))

    def preview(self, names: Iterable[str], phase: str) -> None:
        """Turn in memory only, for a dry run."""
        self._kept = turned(self._kept, names, phase, today(), self._fresh, False)

    def rotated_away(self, name: str, given: Secret) -> str:
        """The UTC date on which this password was replaced, or its replacement began; "" when it holds.

        Raises Refused while the secret is being rotated and the given one is none of the two.
        """
        turn, retired = self._kept.turns.get(name), self._kept.retired.get(name)
        if turn is not None:
            if given in (turn.other, self._kept.secrets[name]):
                return turn.begun
            raise Refused(
                f"{name} is being rotated, and a variable gives it a third password",
                "unset the variable; or `keywright password rotate --undo` first",
            )
        return retired.get(sha256(given), "") if retired else ""


def today() -> str:
    """Return the UTC date as YYYY-MM-DD."""
    return time.strftime("%Y-%m-%d", time.gmtime())


def _random() -> str:
    from binascii import b2a_base64  # what secrets.token_urlsafe does, without its imports

    return b2a_base64(os.urandom(SECRET_BYTES), newline=False).decode().translate(URL_SAFE)


URL_SAFE = str.maketrans("+/", "-_", "=")
