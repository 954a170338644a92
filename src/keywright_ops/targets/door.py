"""The way in: one connection per login to the environment's server, as the person asked for says.

"nobody" sends no AUTH at all; "stranger" tries the default user with a password that is wrong.
"""

import os
from collections.abc import Callable, Mapping, Sequence

from keywright.endpoint import Endpoint
from keywright.errors import KeywrightError, ReplyError, Unreachable
from keywright.secret import Secret
from keywright.wire import Reply, Wire, Word
from keywright_ops.model.absence import Missing
from keywright_ops.model.login import ADMIN, NOBODY, STRANGER, user_of
from keywright_ops.targets.handshake import Presented, present, speaks_plainly

CLIENT_NAME = "keywright"  # so that CLIENT LIST and ACL LOG tell our questions apart

Change = Callable[[Endpoint], Endpoint]


def unchanged(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint as it is."""
    return endpoint


PROTECTED = "DENIED"  # protected mode: whoever is not on the server's own loopback is hung up on


class Door:
    """Keeps the administrator's connection; every other login is a fresh one, for it is itself the question.

    `locate` tells the address anew at every connect (the server's own redis.conf may have changed);
    `secrets` are by user name. `inside` is the way over the server's own loopback, where there is one:
    a default user without password makes the server refuse everybody else (protected mode). `declared`
    is where the plan has it, or None: the file that `locate` goes by may have been edited.
    """

    def __init__(
        self,
        locate: Callable[[], Endpoint],
        secrets: Mapping[str, Secret],
        inside: Callable[[], Endpoint] | None = None,
        declared: Callable[[], Endpoint | None] = lambda: None,
    ) -> None:
        self._locate = locate
        self._inside = inside
        self._declared = declared
        self._secrets = secrets
        self._kept: dict[str, Wire] = {}

    def ask(self, login: str, commands: Sequence[Sequence[Word]]) -> list[Reply]:
        """Send commands in one round trip as `login`; errors stand in the list as ReplyError.

        A kept connection whose server has gone in the meantime is opened anew once.
        """
        wire = self._kept.pop(login, None)
        if wire is not None:
            try:
                return self._exchange(login, wire, commands)
            except Unreachable:
                pass
        return self._exchange(login, self._enter(login), commands)

    def connect(self, login: str, change: Change = unchanged, *, raw: bool = False) -> Wire:
        """Return a connection of the caller's own, logged in as `login`; `change` is made to the endpoint
        (another database, a longer time-out)."""
        return self._enter(login, change, raw)

    def _enter(self, login: str, change: Change = unchanged, raw: bool = False) -> Wire:
        """Log in, and go by the inner way from then on where the server refuses all others."""
        try:
            return self._log_in(login, change, raw)
        except ReplyError as refusal:
            if self._inside is None or not str(refusal).startswith(PROTECTED):
                raise
            self._locate, self._inside = self._inside, None
            return self._log_in(login, change, raw)
        except Unreachable:
            place = self._declared() if login == ADMIN else None
            if place is None:
                raise
            return Wire(change(self._named(place, login)), CLIENT_NAME, raw=raw)

    def _log_in(self, login: str, change: Change, raw: bool) -> Wire:
        """Log in; where the server does not know our administrator (it is not set up by us, or somebody
        removed him) as the default user, if its password is known."""
        try:
            return Wire(change(self._credentials(login)), CLIENT_NAME, raw=raw)
        except ReplyError as refusal:
            if login != ADMIN or "default" not in self._secrets:
                raise
            try:
                return Wire(change(self._credentials("default")), CLIENT_NAME, raw=raw)
            except ReplyError:
                raise refusal from None

    def _exchange(self, login: str, wire: Wire, commands: Sequence[Sequence[Word]]) -> list[Reply]:
        try:
            replies = wire.batch(commands)
        except KeywrightError:
            wire.close()
            raise
        if login == ADMIN:
            self._kept[login] = wire
        else:
            wire.close()
        return replies

    def _credentials(self, login: str) -> Endpoint:
        return self._named(self._locate(), login)

    def _named(self, endpoint: Endpoint, login: str) -> Endpoint:
        if login == NOBODY:
            return endpoint._replace(username="", password=None)
        if login == STRANGER:
            return endpoint._replace(username="default", password=Secret(os.urandom(16).hex()))
        return endpoint._replace(username=user_of(login), password=self._secrets[login])

    def present(self, port: int, name: str, authority: str) -> Presented | Missing:
        """What the server presents on its TLS port; no password is sent."""
        try:
            return present(self._on(port), name, authority)
        except KeywrightError as error:
            return Missing(str(error))

    def speaks_plainly(self, port: int) -> bool | Missing:
        """Whether the server answers on that port without TLS."""
        try:
            return speaks_plainly(_at(self._locate(), port))
        except KeywrightError as error:
            return Missing(str(error))

    def _on(self, port: int) -> Endpoint:
        """Our own server's address; where it already is the one with TLS, its port counts (Docker
        publishes another one)."""
        place = self._locate()
        return place if place.tls is not None else _at(place, port)

    def close(self) -> None:
        """Close every kept connection."""
        for wire in self._kept.values():
            wire.close()
        self._kept.clear()


def _at(place: Endpoint, port: int) -> Endpoint:
    """The same server on another of its ports."""
    if not place.relay:
        return place._replace(port=port)
    # its last word ends in the port: PORT, or ADDRESS:PORT
    address, colon, _ = place.relay[-1].rpartition(":")
    return place._replace(port=port, relay=(*place.relay[:-1], f"{address}{colon}{port}"))
