"""Reaches the server of any environment, to look into it: embedded, Docker, Linux and managed alike."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

from keywright.endpoint import Endpoint, Tls
from keywright.errors import InputError, ReplyError, Unreachable
from keywright.wire import Reply, Wire, Word
from keywright_ops.actions.environment import (
    Opened,
    choose_secrets,
    open_environment,
    open_plan,
)
from keywright_ops.model.absence import Discovered
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Plan
from keywright_ops.ops.denied import refused
from keywright_ops.targets.door import Door
from keywright_ops.vault.file import Vault

if TYPE_CHECKING:
    from keywright_ops.actions.place import Place

MANAGED = ("azure", "aws")


class Reached:
    """An environment's server and one connection to it, opened when it is first needed.

    `login` is as whom; `database` the numbered one. `opened` is the environment with its target, None
    for a managed service: there is nothing but the server there. Use it as a context manager.
    """

    def __init__(
        self, plan: Plan, home: str, door: Door, login: str, database: int, opened: Opened | None
    ) -> None:
        self.plan, self.home, self.login = plan, home, login
        self.database, self.opened = database, opened
        self._door = door
        self._wire: Wire | None = None

    def ask(self, commands: Sequence[Sequence[Word]]) -> list[Reply]:
        """Send commands in one round trip; errors stand in the list as ReplyError.

        Only what may be sent twice: a connection that was lost meanwhile is opened anew once.
        """
        if self._wire is not None:
            try:
                return self._wire.batch(commands)
            except Unreachable:
                self._wire = None
        self._wire = self.wire()
        return self._wire.batch(commands)

    def call(self, *words: Word) -> Reply:
        """Send one command and return its reply. Raises ReplyError, which names what is not allowed."""
        reply = self.ask([words])[0]
        if isinstance(reply, ReplyError):
            raise self.explain(reply, words)
        return reply

    def explain(self, reply: ReplyError, words: Sequence[Word]) -> Exception:
        """Return what to raise for a refusal of this command."""
        return refused(reply, words, self.login, self.plan.kind)

    def wire(
        self,
        *,
        raw: bool = False,
        timeout: float | None = None,
        change: Callable[[Endpoint], Endpoint] | None = None,
    ) -> Wire:
        """Return a connection of the caller's own, in the database: for MONITOR, a scan, bytes (`raw`).

        `timeout` is seconds for one answer (default: the endpoint's, 5).
        """

        def changed(endpoint: Endpoint) -> Endpoint:
            place = endpoint._replace(database=self.database)
            place = place if timeout is None else place._replace(timeout=timeout)
            return place if change is None else change(place)

        return self._door.connect(self.login, changed, raw=raw)

    def wire_as(self, login: str) -> Wire:
        """Return another client's connection, in the application's database: as this user where its
        password is known, else as whoever asks already."""
        known = self.opened is not None and login in self.opened.secrets
        number = self.plan.application.database
        return self._door.connect(
            login if known else self.login, lambda place: place._replace(database=number)
        )

    def close(self) -> None:
        """Close the connection."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def reach_server(
    file: str | None,
    environment: str | None,
    environ: Mapping[str, str],
    login: str = "",
    database: int | None = None,
) -> Reached:
    """Find an environment's server and return the way to it; nothing is asked yet.

    `login` is an ACL user whose password Keywright knows (default: its own, `admin`; of a managed
    service the application's). Raises InputError for a user or a service that is not known.
    """
    place, plan = open_plan(file, environment, environ)
    number = plan.application.database if database is None else database
    if plan.kind in MANAGED:
        return _managed(place, plan, environ, login, number)
    opened = open_environment(file, environment, environ)
    known = [user.name for user in opened.plan.users]
    if login and login not in known:
        raise InputError(f"there is no user {login!r}", f"users are {', '.join(known)}")
    door = opened.target.redis
    assert isinstance(door, Door)
    return Reached(opened.plan, opened.home, door, login or ADMIN, number, opened)


def _managed(
    place: "Place", plan: Plan, environ: Mapping[str, str], login: str, database: int
) -> Reached:
    """A managed service: its address stands in the file, its key in the variable that the file names."""
    from keywright_ops.targets.local import LocalTransport

    app, name = plan.application, plan.environment
    if isinstance(app.host, Discovered):
        raise InputError(
            f"env.{name}.app.host is not set: where is the service?",
            f'write app.host = "…" under [env.{name}] in keywright.toml',
        )
    home = place.home(name)
    secrets = choose_secrets(plan, Vault(LocalTransport(), f"{home}/vault.json"), place, environ)
    if "default" not in secrets:
        variable = plan.password_variable or "REDIS_PASSWORD"
        raise InputError(
            f"the password of environment {name} is not known",
            f"export {variable}=… (the service's access key or token), or put it into .env",
        )
    user = login or app.username or "default"
    place_there = Endpoint(
        host=app.host,
        port=app.port,
        tls=Tls(
            app.ca_certs, verify=app.cert_reqs != "none", check_hostname=app.cert_reqs == "required"
        ),
        connect_timeout=app.socket_connect_timeout,
        timeout=app.socket_timeout,
    )
    door = Door(lambda: place_there, {user: secrets["default"]})
    return Reached(plan, home, door, user, database, None)
