"""Sessions in Flask: what goes over the wire, what is saved, what a browser is told."""

from typing import Any

import pytest
from flask import Flask, Response, request, session
from flask.testing import FlaskClient
from tests.app.conftest import emptied
from tests.app.test_sessions import asked
from tests.engines.servers import Server
from tests.ports import free_port

from keywright.contrib.cookie import Cookie
from keywright.contrib.flask import RequestSession, Sessions, health_pages
from keywright.endpoint import Endpoint
from keywright.health import Health
from keywright.sessions import SessionStore
from keywright.talkers.blocking import BlockingTalker

PREFIX = "esabcfg:"


def made(port: int) -> SessionStore:
    """A store that does not wait for a server that is away."""
    talker = BlockingTalker(Endpoint(port=port, timeout=2.0), patience=0)
    return SessionStore(talker=talker, ttl=60, prefix=PREFIX)


def mine() -> RequestSession:
    """The request's session with its own type."""
    return session._get_current_object()  # type: ignore[attr-defined, no-any-return]


def application(store: SessionStore, **named: Any) -> Flask:
    """Pages for every law below."""
    app = Flask(__name__)
    place: Endpoint = store._talker.endpoint  # type: ignore[attr-defined]
    health = Health(place, key=f"{PREFIX}health")
    app.register_blueprint(health_pages(health, authorised=lambda: "key" in request.args))
    Sessions(app, store, cookie=Cookie(secure=False), **named)

    @app.get("/set")
    def put() -> dict[str, Any]:
        session.update(request.args)
        return dict(session)

    @app.get("/read")
    def read() -> dict[str, Any]:
        return dict(session)

    @app.get("/untouched")
    def untouched() -> dict[str, Any]:
        return {}

    @app.get("/nested")
    def nested() -> list[int]:
        session.setdefault("cart", []).append(1)
        assert session.modified
        session.modified = True  # what applications write for Flask's own sessions
        return list(session["cart"])

    @app.get("/<act>/do")
    def act(act: str) -> dict[str, Any]:
        user = request.args.get("user", "")
        {"login": lambda: mine().login(user), "logout": mine().logout, "rotate": mine().rotate,
         "clear": session.clear, "others": lambda: mine().logout_everywhere(keep=True)}[act]()  # fmt: skip
        return dict(session)

    @app.get("/seen")
    def seen() -> list[Any]:
        return [[row.address, row.agent, row.mark == mine().mark] for row in mine().sessions()]

    @app.get("/break")
    def break_off() -> Response:
        session["a"] = 2
        store._talker.endpoint = Endpoint(port=free_port())  # type: ignore[attr-defined]
        store.close()
        return Response(iter(["saved", "!"]))

    return app


@pytest.fixture
def store(debian: Server) -> SessionStore:
    """A store on an empty server."""
    emptied(debian)
    return made(debian.port)


@pytest.fixture
def browser(store: SessionStore) -> FlaskClient:
    """A browser of the application."""
    return application(store).test_client()


def id_of(browser: FlaskClient) -> str:
    """The id that the browser holds, "" for none."""
    cookie = browser.get_cookie("session")
    return cookie.value if cookie is not None else ""


def test_what_each_request_costs(browser: FlaskClient, debian: Server) -> None:
    """What does not touch the session asks nobody; a read is GETEX alone; a change is one more."""
    browser.get("/set?a=1")
    browser.get("/set?a=2")
    for path, expected in (
        ("/untouched", {}),
        ("/read", {"getex": 1}),
        ("/set?a=2", {"getex": 1}),
        ("/set?a=3", {"getex": 1, "evalsha": 1, "get": 1, "set": 1}),
    ):
        asked(debian)
        browser.get(path)
        assert expected == asked(debian), path


def test_what_the_browser_is_told(browser: FlaskClient) -> None:
    """A touched session is for one reader; the cookie goes out once, with its flags; others pay nothing."""
    assert "Set-Cookie" not in browser.get("/read").headers
    first = browser.get("/set?a=1")
    assert ("Cookie", "private, no-cache") == (
        first.headers["Vary"],
        first.headers["Cache-Control"],
    )
    assert first.headers["Set-Cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert "Set-Cookie" not in browser.get("/set?a=2").headers
    assert not {"Vary", "Cache-Control"} & set(browser.get("/untouched").headers.keys())


def test_nested_changes_are_saved(browser: FlaskClient) -> None:
    """A list inside the session that grew is saved without `modified = True`."""
    assert [1, 2, 3] == [len(browser.get("/nested").json or []) for _ in range(3)]


def test_login_and_logout(browser: FlaskClient, store: SessionStore) -> None:
    """Each change of rights gives a new id; a guest's data stays, another user's does not; clear ends it."""
    browser.get("/set?a=1")
    ids = [id_of(browser)]
    for path, expected in (
        ("/login/do?user=ada", {"a": "1"}),
        ("/rotate/do", {"a": "1"}),
        ("/login/do?user=bob", {}),
    ):
        assert expected == browser.get(path).json
        ids.append(id_of(browser))
    assert len(set(ids)) == 4
    assert ["127.0.0.1", True] == (browser.get("/seen").json or [[]])[0][::2]
    other = browser.application.test_client()
    other.get("/login/do?user=bob")
    browser.get("/others/do")
    assert other.get("/seen").json == []
    assert "Max-Age=0" in browser.get("/logout/do").headers["Set-Cookie"]
    assert store.count("ada") == store.count("bob") == 0
    browser.get("/set?a=1")
    assert "Max-Age=0" in browser.get("/clear/do").headers["Set-Cookie"]


def test_while_redis_is_away() -> None:
    """Requests that touch their session get 503 and a sentence, the others their page."""
    browser = application(made(free_port())).test_client()
    assert browser.get("/read").status_code == 200  # nobody was asked
    assert browser.get("/set?a=1").status_code == 503
    browser.set_cookie("session", "abc")
    for path in ("/read", "/set?a=1", "/login/do?user=ada", "/logout/do"):
        answer = browser.get(path)
        assert (503, "5", 1) == (
            answer.status_code, answer.headers["Retry-After"], answer.text.count("\n")
        )  # fmt: skip
        assert "Set-Cookie" not in answer.headers
    assert [200, 200, 503, 503] == [
        browser.get(path).status_code
        for path in ("/untouched", "/health/live", "/health", "/health/ready")
    ]


def test_going_on_without() -> None:
    """With required=False pages are served with an empty session; a login still says 503."""
    browser = application(made(free_port()), required=False).test_client()
    for _ in range(2):
        assert browser.get("/set?a=1").json == {"a": "1"}
        assert browser.get("/login/do?user=ada").status_code == 503
        browser.set_cookie("session", "abc")


def test_a_save_that_fails_is_not_silent(browser: FlaskClient) -> None:
    """Redis goes between load and save: 503 instead of a page that lies."""
    browser.get("/set?a=1")
    answer = browser.get("/break")
    assert (503, False) == (answer.status_code, "saved" in answer.text)


def test_health_tells_the_authorised_more(browser: FlaskClient) -> None:
    """A load balancer is told a word, whom `authorised` names the server too; nobody is told to keep it."""
    for path in ("/health", "/health/ready", "/health/live"):
        answer = browser.get(path)
        assert (200, {"status": "pass"}) == (answer.status_code, answer.json)
        assert "application/health+json" == answer.content_type
        assert "no-store" == answer.headers["Cache-Control"]
    assert "redis:responseTime" in (browser.get("/health?key").json or {})["checks"]


def test_flasks_own_test_tool_works(browser: FlaskClient) -> None:
    """`session_transaction` reads and writes the session of a test's browser."""
    with browser.session_transaction() as found:
        found["a"] = "7"
    assert browser.get("/read").json == {"a": "7"}
