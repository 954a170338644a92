"""Sessions in Starlette: what goes over the wire, what is saved, what a browser is told."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.app.conftest import emptied
from tests.app.test_sessions import asked
from tests.engines.servers import Server
from tests.ports import free_port

from keywright.contrib.cookie import Cookie, client_address
from keywright.contrib.starlette import SessionMiddleware, current_user, health_routes, require_user
from keywright.contrib.visit import merged
from keywright.endpoint import Endpoint
from keywright.errors import SettingsError
from keywright.health import AsyncHealth
from keywright.sessions import AsyncSessionStore
from keywright.talkers.multiplexed import MultiplexedTalker

PREFIX = "esabcfg:"
PLAIN = Cookie(secure=False)


def made(port: int, **named: Any) -> AsyncSessionStore:
    """A store that does not wait for a server that is away."""
    talker = MultiplexedTalker(Endpoint(port=port, timeout=2.0), patience=0)
    return AsyncSessionStore(talker=talker, ttl=60, prefix=PREFIX, **named)


@pytest.fixture
def store(debian: Server) -> AsyncSessionStore:
    """A store on an empty server."""
    emptied(debian)
    return made(debian.port)


@pytest.fixture
def gone() -> AsyncSessionStore:
    """A store whose server is away."""
    return made(free_port())


async def _set(request: Request) -> JSONResponse:
    request.session.update(request.query_params)
    return JSONResponse(dict(request.session))


async def _read(request: Request) -> JSONResponse:
    return JSONResponse(dict(request.session))


async def _untouched(request: Request) -> JSONResponse:
    return JSONResponse({})


async def _nested(request: Request) -> JSONResponse:
    request.session.setdefault("cart", []).append(1)
    return JSONResponse(request.session["cart"])


async def _login(request: Request) -> JSONResponse:
    await request.session.login(request.query_params["user"])
    return JSONResponse(dict(request.session))


async def _late(request: Request) -> JSONResponse:
    await request.session._store.destroy(request.session.stored)  # somebody logs out meanwhile
    request.session["b"] = "2"
    if "user" in request.query_params:
        await request.session.login(request.query_params["user"])
    else:
        await request.session.rotate()
    return JSONResponse(dict(request.session))


async def _clear(request: Request) -> JSONResponse:
    request.session.clear()
    request.session.update(request.query_params)
    return JSONResponse({})


async def _logout(request: Request) -> JSONResponse:
    await request.session.logout()
    return JSONResponse({})


async def _others(request: Request) -> JSONResponse:
    return JSONResponse(await request.session.logout_everywhere(keep=True))


async def _rotate(request: Request) -> JSONResponse:
    await request.session.rotate()
    return JSONResponse({})


async def _seen(request: Request) -> JSONResponse:
    (row, *_) = await request.session.sessions()
    return JSONResponse([row.address, row.agent, row.mark == request.session.mark])


async def _stream(request: Request) -> StreamingResponse:
    async def parts() -> Any:
        yield "a"
        request.session["streamed"] = True
        yield "b"

    request.session.get("x")
    return StreamingResponse(parts())


async def _fails(request: Request) -> JSONResponse:
    request.session["half"] = 1
    raise RuntimeError


async def _no_form(request: Request) -> JSONResponse:
    request.session["what"] = object()
    return JSONResponse({})


async def _talk(socket: WebSocket) -> None:
    socket.session["said"] = socket.session.get("said", 0) + 1
    await socket.accept()
    await socket.receive_text()
    socket.session["later"] = True
    await socket.close()


def endpoint_of(store: AsyncSessionStore) -> Endpoint:
    """Where the store's server is."""
    found: Endpoint = store._talker.endpoint  # type: ignore[attr-defined]
    return found


PAGES = {
    "set": _set, "read": _read, "untouched": _untouched, "nested": _nested, "login": _login,
    "clear": _clear, "logout": _logout, "others": _others, "rotate": _rotate, "seen": _seen, "late": _late,
    "stream": _stream, "fails": _fails, "no-form": _no_form,
}  # fmt: skip


def client(store: AsyncSessionStore, **named: Any) -> TestClient:
    """A browser of an application with every page above."""
    routes = [Route(f"/{name}", page) for name, page in PAGES.items()]
    app = Starlette(
        routes=[
            *routes,
            WebSocketRoute("/talk", _talk),
            *health_routes(AsyncHealth(endpoint_of(store), key=f"{PREFIX}health")),
        ]
    )
    app.add_middleware(SessionMiddleware, store=store, **{"cookie": PLAIN, **named})
    return TestClient(app, raise_server_exceptions=False)


def send(browser: TestClient, id: str) -> None:
    """Let the browser send this id."""
    browser.cookies.set("session", id, domain="testserver.local")


@pytest.fixture
def browser(store: AsyncSessionStore) -> Iterator[TestClient]:
    """A browser with one event loop for all of its requests."""
    with client(store) as one:
        yield one


def test_what_each_request_costs(browser: TestClient, debian: Server) -> None:
    """No cookie, no command; a read is GETEX alone and writes nothing; a change is one more."""
    assert browser.get("/set?a=1").json() == {"a": "1"}
    browser.get("/set?a=2")  # the server knows the script
    for path, expected in (
        ("/read", {"getex": 1}),
        ("/untouched", {"getex": 1}),
        ("/set?a=2", {"getex": 1}),
        ("/set?a=3", {"getex": 1, "evalsha": 1, "get": 1, "set": 1}),
    ):
        asked(debian)
        browser.get(path)
        assert expected == asked(debian), path
    browser.cookies.clear()
    for path in ("/read", "/untouched"):
        answer = browser.get(path)
        assert ({}, False) == (asked(debian), "set-cookie" in answer.headers)


def test_what_the_browser_is_told(browser: TestClient) -> None:
    """A touched session is for one reader; the cookie goes out once, with its flags; others pay nothing."""
    first = browser.get("/set?a=1")
    assert ("Cookie", "private, no-cache") == (
        first.headers["vary"],
        first.headers["cache-control"],
    )
    assert first.headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert "set-cookie" not in browser.get("/set?a=2").headers
    assert not {"vary", "cache-control"} & set(browser.get("/untouched").headers)


def test_nested_changes_are_saved(browser: TestClient) -> None:
    """A list inside the session that grew is saved, though nobody assigned it."""
    assert [1, 2, 3] == [len(browser.get("/nested").json()) for _ in range(3)]


def test_clear_is_a_logout(browser: TestClient, debian: Server) -> None:
    """`clear` ends the session and takes the cookie back; what is put in after it has a new id."""
    browser.get("/set?a=1")
    old = browser.cookies["session"]
    assert "Max-Age=0" in browser.get("/clear").headers["set-cookie"]
    with debian.line() as line:
        assert line.ask("EXISTS", f"{PREFIX}session:{old}") == 0
    assert "set-cookie" not in browser.get("/clear").headers
    browser.get("/set?a=1")
    old = browser.cookies["session"]
    browser.get("/clear?b=2")
    assert old != browser.cookies["session"]
    assert browser.get("/read").json() == {"b": "2"}


def test_login_and_logout(browser: TestClient, store: AsyncSessionStore) -> None:
    """A login keeps a guest's data and no other user's; its id is new; a logout ends it."""
    browser.get("/set?a=1")
    old = browser.cookies["session"]
    assert browser.get("/login?user=ada").json() == {"a": "1"}
    assert old != browser.cookies["session"]
    old = browser.cookies["session"]
    assert browser.get("/login?user=bob").json() == {}
    assert old != browser.cookies["session"]
    old = browser.cookies["session"]
    browser.get("/rotate")
    assert old != browser.cookies["session"]
    assert "Max-Age=0" in browser.get("/logout").headers["set-cookie"]
    assert "session" not in browser.cookies
    assert asyncio.run(store.count("ada")) == asyncio.run(store.count("bob")) == 0


def test_a_login_that_meets_a_logout(browser: TestClient, store: AsyncSessionStore) -> None:
    """Whose session ended meanwhile, but has the password, is logged in with a new session."""
    send(browser, "ended-long-ago")
    assert browser.get("/login?user=ada").json() == {}
    assert browser.cookies["session"] != "ended-long-ago"
    assert browser.get("/late?user=ada").json() == {"b": "2"}
    assert asyncio.run(store.count("ada")) == 1
    assert browser.get("/late").json() == {}
    assert browser.get("/read").json() == {}


def test_all_but_this_one(store: AsyncSessionStore, browser: TestClient) -> None:
    """`keep` spares the session that asks."""
    browser.get("/login?user=ada")
    with client(store) as other:
        other.get("/login?user=ada")
        assert browser.get("/others").json() == 1
        assert ["testclient", "testclient", True] == browser.get("/seen").json()
        assert other.get("/read").json() == {}


def test_streams_and_conversations(browser: TestClient) -> None:
    """What changes after the response began is saved at its end, also in a WebSocket."""
    browser.get("/set?a=1")
    assert browser.get("/stream").text == "ab"
    assert browser.get("/read").json() == {"a": "1", "streamed": True}
    with browser.websocket_connect("/talk") as talk:
        talk.send_text("hello")
        with pytest.raises(WebSocketDisconnect):
            talk.receive_text()
    assert browser.get("/read").json() == {"a": "1", "streamed": True, "said": 1, "later": True}
    browser.cookies.clear()
    with browser.websocket_connect("/talk") as talk:
        assert [name for name, _ in talk.extra_headers or [] if name == b"set-cookie"]
        talk.send_text("hello")


def test_a_failed_request_saves_nothing(browser: TestClient) -> None:
    """An error of the application is its own: 500, and what it had put in is not stored."""
    browser.get("/set?a=1")
    assert browser.get("/fails").status_code == 500
    assert browser.get("/no-form").status_code == 500
    assert browser.get("/read").json() == {"a": "1"}


def test_while_redis_is_away(gone: AsyncSessionStore) -> None:
    """Requests that touch their session get 503 and a sentence, the others their page."""
    with client(gone) as browser:
        browser.cookies["session"] = "abc"
        for path in ("/read", "/set?a=1", "/login?user=ada", "/logout", "/clear"):
            answer = browser.get(path)
            assert (503, "5", 1) == (
                answer.status_code, answer.headers["retry-after"], answer.text.count("\n")
            ), path  # fmt: skip
            assert "set-cookie" not in answer.headers
        assert browser.get("/untouched").status_code == 200
        assert (503, {"status": "fail"}) == (
            (health := browser.get("/health")).status_code, health.json()
        )  # fmt: skip
        assert browser.get("/health/live").status_code == 200
        with pytest.raises(WebSocketDisconnect), browser.websocket_connect("/talk"):
            pass
        browser.cookies.clear()
        assert browser.get("/read").status_code == 200  # nobody was asked
        assert browser.get("/set?a=1").status_code == 503


def test_health_tells_the_authorised_more(debian: Server) -> None:
    """A load balancer is told a word, whom `authorised` names the server too; nobody is told to keep it."""
    health = AsyncHealth(Endpoint(port=debian.port), key=f"{PREFIX}health")
    routes = health_routes(health, "/h", authorised=lambda request: "x-key" in request.headers)
    with TestClient(Starlette(routes=routes)) as browser:
        for path in ("/h", "/h/ready", "/h/live"):
            answer = browser.get(path)
            assert (200, {"status": "pass"}) == (answer.status_code, answer.json())
            assert answer.headers["content-type"] == "application/health+json"
            assert answer.headers["cache-control"] == "no-store"
        assert "redis:responseTime" in browser.get("/h", headers={"x-key": "1"}).json()["checks"]


def test_going_on_without(gone: AsyncSessionStore) -> None:
    """With required=False the pages are served with an empty session; a login still says 503."""
    with client(gone, required=False) as browser:
        for _ in range(2):
            assert browser.get("/set?a=1").json() == {"a": "1"}
            assert browser.get("/login?user=ada").status_code == 503
            browser.cookies["session"] = "abc"


def test_a_save_that_fails_is_not_silent(store: AsyncSessionStore, debian: Server) -> None:
    """Redis goes between load and save: 503 instead of a page that lies, and nothing of the page."""

    async def break_off(request: Request) -> JSONResponse:
        request.session["a"] = 2
        store._talker.endpoint = Endpoint(port=free_port())  # type: ignore[attr-defined]
        await store.aclose()
        return JSONResponse({"saved": True})

    app = Starlette(routes=[Route("/set", _set), Route("/break", break_off)])
    app.add_middleware(SessionMiddleware, store=store, cookie=PLAIN)
    with TestClient(app) as browser:
        browser.get("/set?a=1")
        answer = browser.get("/break")
        assert (503, False) == (answer.status_code, "saved" in answer.text)


def test_what_cannot_be_read_begins_anew(browser: TestClient, debian: Server) -> None:
    """A value of somebody else is no session; it is neither shown nor changed."""
    with debian.line() as line:
        line.ask("SET", f"{PREFIX}session:torn", "k1 abc")
        send(browser, "torn")
        assert browser.get("/set?a=1").json() == {"a": "1"}
        assert browser.cookies["session"] != "torn"
        assert line.ask("GET", f"{PREFIX}session:torn") == "k1 abc"


def test_fastapi_depends_on_users(store: AsyncSessionStore) -> None:
    """`require_user` is 401 for nobody; `current_user` is empty then."""
    app = FastAPI(routes=[Route("/login", _login)])
    app.add_middleware(SessionMiddleware, store=store, cookie=PLAIN, without=("/free",))

    @app.get("/mine")
    def mine(user: Annotated[str, Depends(require_user)]) -> str:
        return user

    @app.get("/who")
    def who(user: Annotated[str, Depends(current_user)]) -> str:
        return user

    @app.get("/free")
    def free(request: Request) -> bool:
        return "session" in request.scope

    with TestClient(app) as browser:
        assert (401, '""') == (browser.get("/mine").status_code, browser.get("/who").text)
        browser.get("/login?user=ada")
        assert ["ada", "ada"] == [browser.get(path).json() for path in ("/mine", "/who")]
        assert browser.get("/free").json() is False


def test_many_tasks_at_once(store: AsyncSessionStore) -> None:
    """Fifty requests of one session, each with a key of its own: all keys are there."""
    app = Starlette(routes=[Route("/set", _set), Route("/read", _read)])
    app.add_middleware(SessionMiddleware, store=store, cookie=PLAIN)

    async def play() -> dict[str, str]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as browser:
            await browser.get("/set?a=0")
            answers = []
            for group in range(10):
                answers += await asyncio.gather(
                    *(browser.get(f"/set?k{group}.{n}=1") for n in range(5))
                )
            assert {200} == {each.status_code for each in answers}
            found: dict[str, str] = (await browser.get("/read")).json()
            return found

    assert len(asyncio.run(play())) == 51


@pytest.mark.parametrize(
    ("loaded", "mine", "theirs", "expected"),
    [
        ({"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": 3}, {"a": 2}, {"a": 3}),
        ({"a": 1}, {}, {"a": 2}, {}),
        ({"a": 1}, {"a": 1, "b": 1}, {}, {"b": 1}),
        ({"a": 1}, {"a": True}, {"a": 1}, {"a": True}),
        ({}, {"a": 1}, {"b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_changes_are_put_together(loaded: Any, mine: Any, theirs: Any, expected: Any) -> None:
    """By top-level key; what I did not touch is theirs, what I did is mine."""
    found = merged(loaded, mine, theirs)
    assert repr(expected) == repr(found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"same_site": "lax"}, {"same_site": "None", "secure": False},
        {"name": "__Host-a", "domain": "x"}, {"name": "__Secure-a", "secure": False},
        {"name": "a b"}, {"path": "/;x"},
    ],
)  # fmt: skip
def test_cookies_that_browsers_drop(wrong: dict[str, Any]) -> None:
    """What a browser would drop without a word is said at the start."""
    with pytest.raises(SettingsError):
        Cookie(**wrong).checked()
    assert (
        Cookie(max_age=9).header("i")
        == "session=i; Path=/; Max-Age=9; HttpOnly; Secure; SameSite=Lax"
    )


def test_the_clients_address() -> None:
    """X-Forwarded-For counts only as far as proxies are trusted; what a client adds in front never does."""
    said = "6.6.6.6, 1.2.3.4, 10.0.0.1"
    assert ["9.9.9.9", "10.0.0.1", "1.2.3.4", "9.9.9.9"] == [
        client_address("9.9.9.9", said, proxies) for proxies in (0, 1, 2, 4)
    ]
