"""The vault of one environment: a 0600 file of named secrets, and drafts that are not in it yet.

`draft()` makes missing secrets in memory only; the first step of an apply, KeepSecret, writes them. So a
dry run keeps nothing, and a run that is killed after KeepSecret finds the same secrets again.
"""

import json
import os
from collections.abc import Iterable, Mapping

from keywright.errors import ApplyError, InputError
from keywright.secret import Secret
from keywright_ops.model.absence import Missing
from keywright_ops.targets.target import Transport

SCHEMA = 1
SECRET_BYTES = 24  # 192 random bits; 32 characters of URL-safe base64


class Vault:
    """Secrets by name for one environment, in `path`.

    Raises InputError when the file is not a vault or others may read it.
    """

    def __init__(self, transport: Transport, path: str) -> None:
        self._transport = transport
        self.path = path
        self._kept = self._load()
        self._drafted: dict[str, Secret] = {}

    def _load(self) -> dict[str, Secret]:
        content = self._transport.read(self.path)
        if isinstance(content, Missing):
            if os.path.exists(self.path):
                raise InputError(
                    f"the vault cannot be read: {content.why}",
                    "does it belong to another user (was Keywright once run with sudo)?",
                )
            return {}
        mode = self._transport.mode(self.path)
        if isinstance(mode, int) and mode & 0o077:
            raise InputError(
                f"the vault {self.path} can be read by others (mode {mode:o})",
                f"chmod 600 '{self.path}', and change the passwords if others may have looked",
            )
        try:
            found = json.loads(content)
            return {name: Secret("" + text) for name, text in found["secrets"].items()}
        except (ValueError, KeyError, AttributeError, TypeError):
            raise InputError(
                f"the vault {self.path} is damaged",
                "restore it from a backup; or move it away: `keywright up` then makes new passwords",
            ) from None

    def draft(self, names: Iterable[str], given: Mapping[str, Secret]) -> dict[str, Secret]:
        """Return a secret for every name: given (a variable), kept, or made now in memory.

        A given secret is never kept: whoever set the variable keeps it.
        """
        chosen: dict[str, Secret] = {}
        for name in names:
            if name in given:
                chosen[name] = given[name]
            elif name in self._kept:
                chosen[name] = self._kept[name]
            else:
                chosen[name] = self._drafted.setdefault(name, Secret(_random()))
        return chosen

    @property
    def drafted(self) -> tuple[str, ...]:
        """The names of secrets that exist in memory only."""
        return tuple(sorted(self._drafted))

    def keep(self, names: Iterable[str]) -> None:
        """Write the drafted secrets of these names to the vault, durably; hold the lock meanwhile.

        Raises ApplyError when one of them was kept by somebody else since we looked.
        """
        self._kept = self._load()
        known = [name for name in names if name in self._kept]
        if known:
            raise ApplyError(
                f"another Keywright has kept a password for {', '.join(known)} meanwhile",
                "run the same command again: it will take that one",
            )
        kept = self._kept | {name: self._drafted[name] for name in names}
        plain = {name: secret.reveal() for name, secret in sorted(kept.items())}
        text = json.dumps({"schema": SCHEMA, "secrets": plain}, indent=1)
        self._transport.write(self.path, text.encode(), 0o600)
        self._kept = kept
        for name in names:
            del self._drafted[name]


def _random() -> str:
    from binascii import b2a_base64  # what secrets.token_urlsafe does, without its imports

    return b2a_base64(os.urandom(SECRET_BYTES), newline=False).decode().translate(URL_SAFE)


URL_SAFE = str.maketrans("+/", "-_", "=")
