"""The applications of examples/, each started as its README says and asked by a real HTTP client."""

import os
import re
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

    def loads(self) -> int:
        """How many sessions were loaded since the server began."""
        with self.redis.server.line() as line:
            found = re.search(r"cmdstat_getex:calls=(\d+)", line.ask("INFO", "commandstats"))
        return int(found[1]) if found else 0

    def slowly(self, id: str, answers: list[httpx.Response]) -> threading.Thread:
        """Let a slow request put a=1 into that session; returns when it has loaded it."""
        before = self.loads()
        slow = threading.Thread(
            target=lambda: answers.append(self.ask("/set/a/1?wait=0.4", id, "POST"))
        )
        slow.start()
        while slow.is_alive() and self.loads() == before:
            time.sleep(0.01)
        return slow

    def id_of(self, browser: httpx.Client) -> str:
        """The id that the browser holds."""
        return browser.cookies[self.example.cookie]


def begun(example: Example, port: int, environment: dict[str, str], log: Path) -> Any:
    """Start the application and wait until it answers; None when somebody else took the port."""
    words = [str(port) if word == "PORT" else word for word in example.words]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT / "examples" / example.name, env=environment,
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    limit = time.monotonic() + START_LIMIT
    while process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/health/live").raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > limit:
                process.kill()
                process.wait()
                raise AssertionError(log.read_text()) from None
            time.sleep(0.05)
        else:
            return process
    said = log.read_text()
    assert "in use" in said, said
    return None


@contextmanager
def serving(example: Example, redis: Redis, folder: Path, ttl: int) -> Iterator[str]:
    """Start the application; its address."""
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(SRC), "COOKIE_SECURE": "false",
        "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0", "CACHE_PREFIX": PREFIX,
        "CACHE_TTL": str(ttl), "DATABASE": str(folder / "users.sqlite3"),
    }  # fmt: skip
    log = folder / f"{example.name}-{ttl}.txt"
    for _ in range(3):
        port = free_port()
        process = begun(example, port, environment, log)
        if process is not None:
            break
    try:
        yield f"http://127.0.0.1:{port}"
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(each, id=each.name, marks=pytest.mark.xdist_group(each.name))
        for each in EXAMPLES
    ],
)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Each example in turn, with a Redis of its own."""
    folder = tmp_path_factory.mktemp(request.param.name)
    redis = Redis(folder)
    try:
        with serving(request.param, redis, folder, 600) as url:
            yield Stage(request.param, url, redis, folder)
    finally:
        redis.close()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_the_readme_starts_it_as_the_tests_do(example: Example) -> None:
    """The one command of the README is the one that is run here."""
    words = [word for word in example.words if word not in ("-m", "--port", "PORT", "--noreload")]
    text = (ROOT / "examples" / example.name / "README.md").read_text()
    assert f"{' '.join(words)}\n" in text


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
        mine, answers = stage.id_of(browser), list[httpx.Response]()
        slow = stage.slowly(mine, answers)
        assert stage.ask("/set/b/2", mine, "POST").status_code == 200
        slow.join()
        assert answers[0].status_code == 200
        assert {"a": "1", "b": "2"} == browser.get("/data").json()
        browser.post("/logout")


def test_a_slow_request_does_not_revive_a_logout(stage: Stage) -> None:
    """What a request saves after the session was logged out is saved nowhere, and has no new cookie."""
    with closing(stage.login()) as browser:
        mine, answers = stage.id_of(browser), list[httpx.Response]()
        slow = stage.slowly(mine, answers)
        assert browser.post("/logout").status_code == 200
        slow.join()
        assert answers[0].status_code in (200, 400)  # Django says SessionInterrupted
        assert not [each for each in answers[0].cookies.values() if each]
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
    with serving(stage.example, stage.redis, stage.folder, 2) as url:
        short = stage._replace(url=url)
        with closing(short.login()) as browser:
            for _ in range(3):
                time.sleep(0.5)
                assert browser.get("/me").status_code == 200
            time.sleep(2.1)
            assert browser.get("/me").status_code == 401
