"""Sessions for Starlette and FastAPI: a pure ASGI middleware, dependencies, and /health.

    app.add_middleware(SessionMiddleware, store=AsyncSessionStore())

`request.session` is then a `RequestSession`. Rule: it is loaded by one command before the application
runs, and only when there is a cookie; what was changed is saved before the response's first octet.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from keywright.contrib.cookie import Cookie, client_address
from keywright.contrib.steps import Steps, T, awalk
from keywright.contrib.visit import AWAY, RETRY_AFTER, SENTENCE, Visit, log
from keywright.errors import InputError, KeywrightError
from keywright.health import MEDIA, AsyncHealth, health_response, live_response
from keywright.sessions import AsyncSessionStore
from keywright.sessions.record import SessionInfo

try:
    from starlette.exceptions import HTTPException
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import JSONResponse, PlainTextResponse
    from starlette.routing import Route
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
except ModuleNotFoundError:
    raise InputError("starlette is not installed", "pip install 'keywright[starlette]'") from None


COOKIE = Cookie()


class RequestSession(Visit):
    """A request's session: a mapping, and what a login and a logout need; these are awaited.

    Every method is one round trip and raises Unreachable and its kin, which the middleware turns into 503.
    """

    _store: AsyncSessionStore

    async def login(self, user: str) -> None:
        """The session is the user's from now on and gets a new id; the old one is dead.

        What a guest had put in stays; another user's data does not.
        """
        await self._take(self.logging_in(user))

    async def rotate(self) -> None:
        """Give it a new id, as at every change of rights."""
        await self._take(self.rotating())

    async def logout(self) -> None:
        """End it, and take the cookie back. What is put in afterwards begins another."""
        await self._take(self.logging_out())

    async def logout_everywhere(self, *, keep: bool = False) -> int:
        """End every session of its user, but this one with `keep`; returns how many others there were
        (all of them without `keep`). Two round trips at most, no scan."""
        return await self._take(self.ending_all(keep))

    async def sessions(self) -> list[SessionInfo]:
        """The sessions of its user, oldest first; [] for nobody. `mark` tells which one is this."""
        return await self._take(self.listing())

    def _take(self, steps: Steps[T]) -> Awaitable[T]:
        return awalk(steps, self._store)


class SessionMiddleware:
    """Puts a RequestSession into `scope["session"]`, for HTTP and WebSocket.

    `store` holds the sessions (AsyncSessionStore() of the environment when None), `cookie` says how the
    cookie goes out. `required=False` lets requests go on with an empty session while Redis is away, and what
    they put in is lost (and logged); otherwise a request that touches its session is answered with 503.
    `without` names beginnings of paths that have no session, such as "/static/". `proxies` is how many
    reverse proxies in front are trusted to write X-Forwarded-For.
    """

    def __init__(
        self,
        app: ASGIApp,
        store: AsyncSessionStore | None = None,
        *,
        cookie: Cookie = COOKIE,
        required: bool = True,
        without: Sequence[str] = (),
        proxies: int = 0,
    ) -> None:
        self.app, self.store, self.cookie = app, store or AsyncSessionStore(), cookie.checked()
        self.required, self._without, self._proxies = required, tuple(without), proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket") or scope["path"].startswith(self._without):
            await self.app(scope, receive, send)
            return
        visit = self._visit(scope)
        await awalk(visit.loading(self.required), self.store)
        scope["session"] = visit
        answer = _Answer(self, visit, scope, receive, send)
        try:
            await self.app(scope, receive, answer.send)
        except AWAY as error:
            if answer.begun:
                raise
            await answer.unavailable(error)
        else:
            await answer.ended()

    def _visit(self, scope: Scope) -> RequestSession:
        connection = HTTPConnection(scope)
        headers = connection.headers
        direct = scope["client"][0] if scope.get("client") else ""
        address = client_address(direct, headers.get("x-forwarded-for", ""), self._proxies)
        sent = connection.cookies.get(self.cookie.name, "")
        visit = RequestSession(sent, self.store.changed, address, headers.get("user-agent", ""))
        visit._store = self.store  # noqa: SLF001 - made here and handed out
        return visit


class _Answer:
    """What goes back to the client: the session is saved before its first message leaves."""

    def __init__(
        self,
        middleware: SessionMiddleware,
        visit: Visit,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._middleware, self._visit, self._scope = middleware, visit, scope
        self._receive, self._send = receive, send
        self.begun = False
        self._given_up = False  # 503 went out instead of what the application says

    async def send(self, message: Message) -> None:
        """Pass a message on; the first one takes the session's cookie along."""
        if self._given_up:
            return
        first = message["type"] in (
            "http.response.start", "websocket.accept", "websocket.http.response.start"
        )  # fmt: skip
        if not first or self.begun:
            await self._send(message)
            return
        if self._visit.accessed:
            if not await self._saved():
                return
            self._mark(message)
        self.begun = True
        await self._send(message)

    async def _saved(self) -> bool:
        """Save; False when Redis is away, and the client was told."""
        try:
            await awalk(self._visit.committing(), self._middleware.store)
        except AWAY as error:
            if self._middleware.required:
                await self.unavailable(error)
                return False
            log.error("what this request put into its session is lost: %s", error)
        return True

    def _mark(self, message: Message) -> None:
        """Add the cookie, and say that nobody else may be given this response."""
        headers = list(message.get("headers", ()))
        names = {bytes(name).lower() for name, _ in headers}
        vary = b", ".join(value for name, value in headers if name.lower() == b"vary")
        if b"cookie" not in vary.lower() and vary.strip() != b"*":
            headers.append((b"vary", b"Cookie"))
        if b"cache-control" not in names:
            headers.append((b"cache-control", b"private, no-cache"))
        cookie = self._visit.cookie(self._middleware.cookie)
        if cookie:
            headers.append((b"set-cookie", cookie.encode("latin-1")))
        message["headers"] = headers

    async def ended(self) -> None:
        """Save what was changed after the response had begun: a stream, or a conversation."""
        visit = self._visit
        if not self.begun or not visit.accessed or self._given_up or visit.failure is not None:
            return
        if visit.new and visit.data:
            log.warning("a session that begins after the response has no cookie: it is not stored")
            visit.data.clear()
        try:
            await awalk(visit.committing(), self._middleware.store)
        except AWAY as error:
            log.error("what was put into a session after the response began is lost: %s", error)

    async def unavailable(self, error: KeywrightError) -> None:
        """Answer that sessions are away: 503, or close a WebSocket."""
        if self._given_up:
            return
        self._given_up = True
        log.error("a request is answered with 503: %s", error)
        extensions: Mapping[str, Any] = self._scope.get("extensions") or {}
        if self._scope["type"] == "websocket" and "websocket.http.response" not in extensions:
            await self._send({"type": "websocket.close", "code": 1013, "reason": SENTENCE.strip()})
            return
        headers = {"retry-after": str(RETRY_AFTER), "cache-control": "no-store"}
        if cookie := self._visit.cookie(self._middleware.cookie):
            headers["set-cookie"] = cookie  # the id changed before Redis went away
        response = PlainTextResponse(SENTENCE, 503, headers)
        await response(self._scope, self._receive, self._send)


# --- FastAPI's dependencies -----------------------------------------------------------------------


async def session(connection: HTTPConnection) -> RequestSession:
    """The request's session: `Annotated[RequestSession, Depends(session)]`. No round trip."""
    found: RequestSession = connection.scope["session"]
    return found


async def current_user(connection: HTTPConnection) -> str:
    """The user who is logged in, "" for nobody. No round trip."""
    return (await session(connection)).user


async def require_user(connection: HTTPConnection) -> str:
    """The user who is logged in. Raises HTTPException 401 when nobody is. No round trip."""
    user = await current_user(connection)
    if not user:
        raise HTTPException(401, "log in first")
    return user


# --- health ---------------------------------------------------------------------------------------


def health_routes(
    health: AsyncHealth | None = None,
    path: str = "/health",
    *,
    authorised: Callable[[Request], bool] = lambda _: False,
) -> list[Route]:
    """Routes for a load balancer: `path`/live answers 200 while the process runs and asks nobody; `path`
    and `path`/ready answer 200 when Redis is ready and 503 otherwise, within the time-out of `health`
    (AsyncHealth() of the environment when None). Whom `authorised` names is told the details."""
    asked = health or AsyncHealth()

    async def live(_request: Request) -> JSONResponse:
        return _told(*live_response())

    async def ready(request: Request) -> JSONResponse:
        report = await asked.check()
        return _told(*health_response(report, authorised=authorised(request)))

    return [Route(path, ready), Route(f"{path}/ready", ready), Route(f"{path}/live", live)]


def _told(status: int, body: dict[str, Any]) -> JSONResponse:
    headers = {"cache-control": "no-store"}
    if status == 503:
        headers["retry-after"] = str(RETRY_AFTER)
    return JSONResponse(body, status, headers, media_type=MEDIA)
