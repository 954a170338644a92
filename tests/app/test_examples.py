"""The applications of examples/, each started as its README says and asked by a real HTTP client."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from tests.app.conftest import start
from tests.engines.servers import ENGINES, Server, running
from tests.house.tree import ROOT, SRC
from tests.ports import free_port

PREFIX = "esabcfg:"
START_LIMIT = 30.0  # seconds until an application must answer


class Example(NamedTuple):
    """How an application is started, and what its cookie is called."""

    name: str
    words: tuple[str, ...]
    cookie: str


EXAMPLES = (
    Example("fastapi_app", ("-m", "uvicorn", "app:app", "--port", "PORT"), "session"),
    Example("flask_app", ("-m", "flask", "run", "--port", "PORT"), "session"),
    Example("django_app", ("app.py", "runserver", "--noreload", "PORT"), "sessionid"),
)


class Redis:
    """A server that keeps every write, and can be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self._engine = next(each for each in ENGINES if each.program)
        self._folder, self.port, self._stack = folder, free_port(), ExitStack()
        lines = ("appendonly yes", "appendfsync always")
        self.server: Server = self._stack.enter_context(
            start(self._engine, folder, self.port, *lines)
        )

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.server.process.kill()
        self.server.process.wait()

    def begin(self) -> None:
        """Start it again with what it wrote."""
        self.server = self._stack.enter_context(running(self._engine, self._folder, self.port))

    def close(self) -> None:
        """End it."""
        self._stack.close()


class Stage(NamedTuple):
    """A running application and its Redis."""

    example: Example
    url: str
    redis: Redis
    folder: Path

    def browser(self) -> httpx.Client:
        """A client with cookies of its own."""
        return httpx.Client(base_url=self.url, timeout=15)

    def login(self, name: str = "ada", password: str = "lovelace") -> httpx.Client:
        """A browser that has logged in."""
        browser = self.browser()
        answer = browser.post("/login", data={"name": name, "password": password})
        assert answer.status_code == 200, answer.text
        return browser

    def ask(self, path: str, id: str, method: str = "GET") -> httpx.Response:
        """Ask with that cookie alone."""
        headers = {"Cookie": f"{self.example.cookie}={id}"}
        return httpx.request(method, self.url + path, headers=headers, timeout=15)

    def id_of(self, browser: httpx.Client) -> str:
        """The id that the browser holds."""
        return browser.cookies[self.example.cookie]


@contextmanager
def serving(example: Example, redis: Redis, folder: Path, ttl: int) -> Iterator[str]:
    """Start the application; its address."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(SRC), "COOKIE_SECURE": "false",
        "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0", "CACHE_PREFIX": PREFIX,
        "CACHE_TTL": str(ttl), "DATABASE": str(folder / "users.sqlite3"),
    }  # fmt: skip
    words = [str(port) if word == "PORT" else word for word in example.words]
    log = folder / f"{example.name}-{ttl}.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT / "examples" / example.name, env=environment,
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        limit = time.monotonic() + START_LIMIT
        while True:
            try:
                httpx.get(f"{url}/health/live").raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < limit, log.read_text()
                time.sleep(0.05)
        yield url
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda each: each.name)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Each example in turn, with a Redis of its own."""
    folder = tmp_path_factory.mktemp(request.param.name)
    redis = Redis(folder)
    try:
        with serving(request.param, redis, folder, 600) as url:
            yield Stage(request.param, url, redis, folder)
    finally:
        redis.close()


def test_a_browser_is_known_again(stage: Stage) -> None:
    """Visits are counted for each browser; the cookie is for HTTP alone and the response for one reader."""
    with stage.browser() as one, stage.browser() as other:
        first = one.get("/")
        assert [1, 2, 1] == [
            each.json()["visits"] for each in (first, one.get("/"), other.get("/"))
        ]
        said = first.headers["set-cookie"]
        assert "HttpOnly" in said and "SameSite=Lax" in said and "Secure" not in said
        assert "cookie" in first.headers["vary"].lower()
        assert stage.id_of(one) != stage.id_of(other)


def test_a_session_begins_when_something_is_put_in(stage: Stage) -> None:
    """Who only looks gets no cookie, and nothing is stored for them."""
    with stage.browser() as browser:
        assert browser.get("/data").json() == {}
        assert browser.get("/me").status_code == 401
        assert dict(browser.cookies) == {}


def test_an_id_is_worth_nothing_after_the_login(stage: Stage) -> None:
    """At a login the id changes and what a guest put in stays; the old id, or a made-up one, is nobody's."""
    with stage.browser() as browser:
        browser.get("/")
        old = stage.id_of(browser)
        browser.post("/login", data={"name": "ada", "password": "lovelace"}).raise_for_status()
        assert browser.get("/me").json() == {"user": "ada"}
        assert browser.get("/").json()["visits"] == 2
        assert stage.id_of(browser) != old
        assert stage.ask("/me", old).status_code == 401
        for dead in (old, "made-up-by-somebody-else-00000000"):
            again = stage.ask("/", dead)
            assert again.json() == {**again.json(), "visits": 1, "user": ""}
            assert dead not in again.headers["set-cookie"]
        browser.post("/logout-everywhere")


def test_logout_everywhere(stage: Stage) -> None:
    """All of a user's sessions are listed and ended together; other users stay."""
    mine = [stage.login() for _ in range(3)]
    other = stage.login("bob", "babbage")
    rows = mine[1].get("/sessions").json()
    assert [False, True, False] == [row["this"] for row in rows]
    assert all(row["mark"] and "httpx" in row["agent"] for row in rows)
    assert mine[0].post("/logout").status_code == 200
    assert [401, 200, 200] == [each.get("/me").status_code for each in mine]
    assert len(mine[1].get("/sessions").json()) == 2
    answer = mine[1].post("/logout-everywhere")
    assert answer.json() == {"user": "ada", "ended": 2}
    assert [401, 401, 401] == [each.get("/me").status_code for each in mine]
    assert other.get("/me").status_code == 200
    assert other.post("/logout-everywhere").json()["ended"] == 1


def test_requests_at_once_keep_each_others_changes(stage: Stage) -> None:
    """Two requests that load the same session and change different keys lose neither."""
    with closing(stage.login()) as browser:
        mine = stage.id_of(browser)
        slow = threading.Thread(target=stage.ask, args=("/set/a/1?wait=0.4", mine, "POST"))
        slow.start()
        time.sleep(0.15)
        assert stage.ask("/set/b/2", mine, "POST").status_code == 200
        slow.join()
        assert {"a": "1", "b": "2"} == browser.get("/data").json()
        browser.post("/logout")


def test_a_slow_request_does_not_revive_a_logout(stage: Stage) -> None:
    """What a request saves after the session was logged out is saved nowhere."""
    with closing(stage.login()) as browser:
        mine = stage.id_of(browser)
        answers: list[httpx.Response] = []

        def ask() -> None:
            answers.append(stage.ask("/set/a/1?wait=0.4", mine, "POST"))

        slow = threading.Thread(target=ask)
        slow.start()
        time.sleep(0.15)
        assert browser.post("/logout").status_code == 200
        slow.join()
        assert answers[0].status_code in (200, 400)
        assert "set-cookie" not in answers[0].headers or 'sessionid=""' in str(answers[0].headers)
        assert stage.ask("/me", mine).status_code == 401
        assert stage.ask("/data", mine).json() == {}


def test_redis_is_killed_and_comes_back(stage: Stage) -> None:
    """While Redis is away there is 503 and one sentence; afterwards everybody is still logged in."""
    with closing(stage.login()) as browser, stage.browser() as stranger:
        assert browser.get("/health").status_code == 200
        stage.redis.kill()
        for ask in (browser.get, browser.get):
            away = ask("/me")
            assert (503, "5") == (away.status_code, away.headers["retry-after"])
            assert away.text.count("\n") == 1 and "not available" in away.text
        lost = stranger.get("/")
        assert (503, {}) == (lost.status_code, dict(stranger.cookies))
        assert stranger.get("/health").status_code == 503
        assert stranger.get("/health/live").status_code == 200
        stage.redis.begin()
        assert browser.get("/me").json() == {"user": "ada"}
        assert browser.get("/health/ready").status_code == 200
        assert stranger.get("/").json()["visits"] == 1
        browser.post("/logout")


def test_a_session_expires_without_visits(stage: Stage) -> None:
    """Visits keep a session alive beyond its time; without one it ends."""
    with serving(stage.example, stage.redis, stage.folder, 1) as url:
        short = stage._replace(url=url)
        with closing(short.login()) as browser:
            for _ in range(3):
                time.sleep(0.5)
                assert browser.get("/me").status_code == 200
            time.sleep(1.2)
            assert browser.get("/me").status_code == 401
