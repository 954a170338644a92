"""Sessions for Flask: `Sessions(app)` replaces the signed cookie by a session in Redis.

`flask.session` is then a `RequestSession`. Rule: it is loaded by one command at its first use, and what was
changed, nested values too, is saved before the response goes out.
"""

from collections.abc import Callable
from typing import Any

from keywright.contrib.cookie import Cookie, client_address
from keywright.contrib.steps import Steps, T, walk
from keywright.contrib.visit import AWAY, RETRY_AFTER, SENTENCE, Visit, log
from keywright.errors import InputError
from keywright.health import MEDIA, Health, health_response, live_response
from keywright.sessions import Session, SessionStore
from keywright.sessions.record import SessionInfo

try:
    from flask import Blueprint, Flask, Request, Response, jsonify
    from flask.sessions import SessionInterface, SessionMixin
except ModuleNotFoundError:
    raise InputError("flask is not installed", "pip install 'keywright[flask]'") from None

COOKIE = Cookie()


class RequestSession(Visit, SessionMixin):
    """A request's session: a mapping, and what a login and a logout need.

    Every method is one round trip and raises Unreachable and its kin, which are answered with 503.
    """

    accessed = False

    def __init__(self, sessions: "Sessions", id: str, address: str, agent: str) -> None:
        self._sessions, self._asked = sessions, False
        super().__init__(id, sessions.store.changed, address, agent)

    def at_hand(self) -> Session | None:
        """The stored session, None when there is none (yet); the first call loads it."""
        if not self._asked:
            self._asked = True
            self._take(self.loading(self._sessions.required))
        return super().at_hand()

    @property
    def modified(self) -> bool:
        """Whether saving would write something."""
        return self.failure is None and self._asked and self.unsaved()

    @modified.setter
    def modified(self, value: bool) -> None:
        """Nothing: changes are seen by themselves; `session.modified = True` may stay where it stands."""

    @property
    def new(self) -> bool:  # type: ignore[override]
        """Whether nothing is stored of it yet."""
        return self.at_hand() is None

    def login(self, user: str) -> None:
        """The session is the user's from now on and gets a new id; the old one is dead.

        What a guest had put in stays; another user's data does not.
        """
        self._take(self.logging_in(user))

    def rotate(self) -> None:
        """Give it a new id, as at every change of rights."""
        self._take(self.rotating())

    def logout(self) -> None:
        """End it, and take the cookie back. What is put in afterwards begins another."""
        self._take(self.logging_out())

    def logout_everywhere(self, *, keep: bool = False) -> int:
        """End every session of its user, but this one with `keep`; returns how many ended.

        Two round trips at most, no scan.
        """
        return self._take(self.ending_all(keep))

    def sessions(self) -> list[SessionInfo]:
        """The sessions of its user, oldest first; [] for nobody. `mark` tells which one is this."""
        return self._take(self.listing())

    def _take(self, steps: Steps[T]) -> T:
        return walk(steps, self._sessions.store)


class Sessions(SessionInterface):
    """Puts sessions into `store` (SessionStore() of the environment when None).

    `cookie` says how the cookie goes out; Flask's SESSION_COOKIE_* and `session.permanent` are not read.
    `required=False` lets requests go on with an empty session while Redis is away, and what they put in is
    lost (and logged); otherwise a request that touches its session is answered with 503. `proxies` is how
    many reverse proxies in front are trusted to write X-Forwarded-For.

    A change that is made while a response streams is not saved, as with Flask's own.
    """

    def __init__(
        self,
        app: Flask | None = None,
        store: SessionStore | None = None,
        *,
        cookie: Cookie = COOKIE,
        required: bool = True,
        proxies: int = 0,
    ) -> None:
        self.store, self.cookie = store or SessionStore(), cookie.checked()
        self.required, self._proxies = required, proxies
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Serve the application's sessions."""
        app.session_interface = self
        for kind in AWAY:
            app.register_error_handler(kind, _unavailable)

    def open_session(self, app: Flask, request: Request) -> RequestSession:  # noqa: ARG002
        """A session that is loaded when it is used. No round trip."""
        forwarded = request.headers.get("X-Forwarded-For", "")
        address = client_address(request.remote_addr or "", forwarded, self._proxies)
        agent = request.headers.get("User-Agent", "")
        return RequestSession(self, request.cookies.get(self.cookie.name, ""), address, agent)

    def save_session(self, app: Flask, session: Any, response: Response) -> None:  # noqa: ARG002
        """Save what was changed; a save that fails makes the response a 503."""
        visit: RequestSession = session
        if not visit.accessed:
            return
        response.vary.add("Cookie")
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "private, no-cache"
        try:
            walk(visit.committing(), self.store)
        except AWAY as error:
            if self.required:
                _turn(response, error)
            else:
                log.error("what this request put into its session is lost: %s", error)
        if cookie := visit.cookie(self.cookie):
            response.headers.add("Set-Cookie", cookie)


def health_pages(
    health: Health | None = None,
    path: str = "/health",
    *,
    authorised: Callable[[], bool] = lambda: False,
) -> Blueprint:
    """Pages for a load balancer: `path`/live answers 200 while the process runs and asks nobody; `path`
    and `path`/ready answer 200 when Redis is ready and 503 otherwise, within the time-out of `health`
    (Health() of the environment when None). When `authorised` says so the details are told."""
    asked = health or Health()
    pages = Blueprint("keywright_health", __name__)

    @pages.get(f"{path}/live")
    def live() -> Response:
        return _told(*live_response())

    @pages.get(path)
    @pages.get(f"{path}/ready")
    def ready() -> Response:
        return _told(*health_response(asked.check(), authorised=authorised()))

    return pages


def _told(status: int, body: dict[str, Any]) -> Response:
    response = jsonify(body)
    response.status_code, response.mimetype = status, MEDIA
    response.headers["Cache-Control"] = "no-store"
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _unavailable(error: Exception) -> Response:
    """What a request is answered with whose session is away."""
    response = Response(SENTENCE, mimetype="text/plain")
    _turn(response, error)
    return response


def _turn(response: Response, error: Exception) -> None:
    """Make the response a 503 with one sentence."""
    log.error("a request is answered with 503: %s", error)
    response.close()
    response.headers.clear()
    response.status_code = 503
    response.content_type = "text/plain; charset=utf-8"
    response.set_data(SENTENCE)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    response.headers["Cache-Control"] = "no-store"
