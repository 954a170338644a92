"""Django's session engine and cache backend on a real server: Django's own laws, and ours."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from tests.app.conftest import emptied
from tests.app.test_sessions import asked
from tests.engines.servers import Server
from tests.house.tree import SRC
from tests.ports import free_port

PREFIX = "esabcfg:"

if not settings.configured:
    settings.configure(
        SECRET_KEY="x" * 50, ALLOWED_HOSTS=["*"], USE_TZ=True, ROOT_URLCONF=__name__,
        SESSION_ENGINE="keywright.contrib.django.sessions", SESSION_COOKIE_AGE=60,
        MIDDLEWARE=["keywright.contrib.django.middleware.SessionMiddleware"],
    )  # fmt: skip
    import django

    django.setup()

from django.contrib.sessions.backends.base import UpdateError  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import AsyncClient, Client  # noqa: E402
from django.urls import path  # noqa: E402

from keywright.contrib.django import sessions as engine  # noqa: E402
from keywright.contrib.django import talkers  # noqa: E402
from keywright.contrib.django.cache import RedisCache  # noqa: E402
from keywright.contrib.django.health import health_urls  # noqa: E402
from keywright.contrib.django.sessions import SessionStore  # noqa: E402


def _put(request: HttpRequest) -> HttpResponse:
    request.session["n"] = request.session.get("n", 0) + 1
    return HttpResponse(str(request.session["n"]))


def _away(request: HttpRequest) -> HttpResponse:
    request.session["n"] = 1
    settings.KEYWRIGHT_SOURCE = f"redis://127.0.0.1:{free_port()}/0"
    engine._made.cache_clear()
    return HttpResponse("saved")


async def _awaited(request: HttpRequest) -> HttpResponse:
    await request.session.aset("n", await request.session.aget("n", 0) + 1)
    return HttpResponse(str(await request.session.aget("n")))


urlpatterns = [
    path("awaited", _awaited),
    path("put", _put),
    path("away", _away),
    path("plain", lambda _: HttpResponse("plain")),
    *health_urls(),
]


@pytest.fixture
def redis(debian: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An empty server that the engine uses."""
    emptied(debian)
    _use(debian.port, monkeypatch)
    yield debian
    engine._made.cache_clear()


def _use(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_PREFIX", PREFIX)
    monkeypatch.setattr(settings, "KEYWRIGHT_SOURCE", f"redis://127.0.0.1:{port}/0", raising=False)
    talkers.forget()
    engine._made.cache_clear()


def begun(**data: Any) -> Any:
    """A stored session."""
    session = SessionStore()
    session.update(data)
    session.save()
    return session


def test_sessions_do_as_djangos_do(redis: Server) -> None:
    """New, saved, loaded, cycled, flushed: Django's own laws of a session engine."""
    session = SessionStore()
    assert (False, False, None) == (session.accessed, session.modified, session.session_key)
    assert session.get("a") is None and session.accessed
    session["a"] = 1
    session.save()
    key = session.session_key
    assert session.exists(key) and SessionStore(key)["a"] == 1
    session.cycle_key()
    assert session.session_key != key and not session.exists(key)
    assert SessionStore(session.session_key)["a"] == 1
    key = session.session_key
    session.flush()
    assert not session.exists(key) and session.session_key is None and dict(session.items()) == {}
    unknown = SessionStore("made-up-by-somebody-else")
    assert unknown.get("a") is None and unknown.session_key is None
    unknown.save()
    assert unknown.session_key not in (None, "made-up-by-somebody-else")
    fresh = SessionStore()
    fresh["b"] = 2
    fresh.create()
    assert SessionStore(fresh.session_key)["b"] == 2
    fresh.delete()
    assert not fresh.exists(fresh.session_key)
    SessionStore.clear_expired()


def test_what_has_ended_is_not_revived(redis: Server) -> None:
    """A save after somebody's logout is UpdateError, as Django wants it, and stores nothing."""
    session = begun(a=1)
    slow = SessionStore(session.session_key)
    assert slow["a"] == 1
    session.flush()
    for change in ({"a": 2}, {"_auth_user_id": "7"}):
        slow.update(change)
        with pytest.raises(UpdateError):
            slow.save()
    assert engine.sessions_of(7) == []


def test_changes_at_once_are_put_together(redis: Server) -> None:
    """Two requests change different keys: both are kept."""
    key = begun(a=1).session_key
    one, other = SessionStore(key), SessionStore(key)
    assert one["a"] == other["a"] == 1
    one["b"], other["c"] = 2, 3
    one.save()
    other.save()
    assert {"a": 1, "b": 2, "c": 3} == dict(SessionStore(key).items()) == dict(other.items())
    cleared = SessionStore(key)
    cleared.clear()
    cleared["d"] = 4
    cleared.save()
    assert {"d": 4} == dict(SessionStore(key).items())


def test_time_slides_without_a_write(redis: Server) -> None:
    """A load is GETEX alone; with set_expiry one EXPIRE more keeps that session's own time."""
    session = begun(a=1)
    key = f"{PREFIX}session:{session.session_key}"
    asked(redis)
    assert SessionStore(session.session_key)["a"] == 1
    assert asked(redis) == {"getex": 1}
    with redis.line() as line:
        assert line.ask("TTL", key) in (59, 60)
        session.set_expiry(10)
        session.save()
        assert line.ask("TTL", key) in (9, 10)
        assert SessionStore(session.session_key)["a"] == 1
        assert line.ask("TTL", key) in (9, 10)
        session.set_expiry(timedelta(seconds=-5))
        session.save()
        assert SessionStore(session.session_key).get("a") is None
        session = begun(a=1)
        session.set_expiry(0)  # until the browser closes
        session.save()
        assert SessionStore(session.session_key)["a"] == 1


def test_a_users_sessions(redis: Server) -> None:
    """Who is logged in owns the session, so that all of them are listed and ended."""
    mine = [begun(_auth_user_id="7") for _ in range(3)]
    guest = begun(a=1)
    old = guest.session_key
    guest["_auth_user_id"] = "7"
    guest.save()
    assert guest.session_key != old
    assert 4 == len(engine.sessions_of(7))
    assert engine.logout_everywhere(7, keep=mine[0].session_key) == 3
    assert [mine[0].session_key] == [row.id for row in engine.sessions_of(7)]
    assert asyncio.run(engine.alogout_everywhere(7)) == 1
    assert asyncio.run(engine.asessions_of(7)) == []


def test_sessions_of_tasks(redis: Server) -> None:
    """The awaited methods do the same, over asyncio's own connection."""

    async def play() -> None:
        session = SessionStore()
        await session.aset("a", 1)
        await session.asave()
        key = session.session_key
        assert await session.aexists(key)
        assert await SessionStore(key).aget("a") == 1
        await session.acycle_key()
        assert not await session.aexists(key)
        key = session.session_key
        await session.aset_expiry(10)
        await session.asave()
        assert await SessionStore(key).aget("a") == 1
        await session.aflush()
        assert not await session.aexists(key)
        other = SessionStore()
        await other.acreate()
        assert await other.aexists(other.session_key)
        await SessionStore.aclear_expired()

    asyncio.run(play())


def test_while_redis_is_away(redis: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that needs its session, and a save that fails, are 503 and one sentence."""
    browser = Client(raise_request_exception=False)
    assert [b"1", b"2"] == [browser.get("/put").content for _ in range(2)]
    assert browser.get("/health/ready").status_code == 200
    answers = [browser.get("/away")]
    answers += [browser.get("/put"), Client().get("/put")]
    for answer in answers:
        assert (503, "5", 1) == (
            answer.status_code, answer["Retry-After"], answer.content.count(b"\n")
        )  # fmt: skip
        assert not answer.cookies
    assert browser.get("/plain").status_code == 200
    assert [503, 200] == [browser.get(f"/health{end}").status_code for end in ("", "/live")]


def test_views_of_tasks(redis: Server) -> None:
    """A view that awaits its session under ASGI, and one that does not, see the same one."""

    async def play() -> list[bytes]:
        browser = AsyncClient()
        answers = [await browser.get(page) for page in ("/awaited", "/awaited", "/put")]
        return [answer.content for answer in answers]

    assert [b"1", b"2", b"3"] == asyncio.run(play())


def test_health_tells_the_authorised_more(redis: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load balancer is told a word, whom the setting names the server too."""
    browser = Client()
    for end in ("", "/ready", "/live"):
        answer = browser.get(f"/health{end}")
        assert (200, {"status": "pass"}) == (answer.status_code, answer.json())
    monkeypatch.setattr(settings, "KEYWRIGHT_HEALTH_AUTHORISED", lambda _: True, raising=False)
    assert "redis:responseTime" in browser.get("/health").json()["checks"]


def cache_of(server: Server, **params: Any) -> Any:
    """A cache on that server."""
    return RedisCache(f"redis://127.0.0.1:{server.port}/0", params)


class Plain:
    """Calls the cache as threads do."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cache, name)


class Awaited(Plain):
    """Calls the cache's awaited methods, in one loop."""

    def __init__(self, cache: Any) -> None:
        super().__init__(cache)
        self.loop = asyncio.new_event_loop()

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **named: Any) -> Any:
            return self.loop.run_until_complete(getattr(self.cache, f"a{name}")(*args, **named))

        return call


@pytest.mark.parametrize("face", [Plain, Awaited])
def test_the_cache_does_as_djangos_does(redis: Server, face: type[Plain]) -> None:
    """Django's own laws of a cache, each of its methods, awaited or not."""
    cache = face(cache_of(redis))
    value = {"a": [1, 2], "b": (3,), "c": None, "d": True}
    cache.set("key", value)
    assert value == cache.get("key") and cache.get("no") is None and cache.get("no", 1) == 1
    cache.set("none", None)
    assert cache.get("none", "default") is None
    cache.set("true", True)
    assert cache.get("true") is True
    assert not cache.add("key", 1) and cache.add("new", 1) and cache.get("new") == 1
    assert cache.has_key("new") and not cache.has_key("no")
    assert cache.delete("new") and not cache.delete("new")
    assert [] == cache.set_many({"a": 1, "b": "two", "c": 3.5}) and [] == cache.set_many({})
    assert {"a": 1, "b": "two", "c": 3.5} == cache.get_many(["a", "b", "c", "no"])
    assert {} == cache.get_many([])
    cache.delete_many(["a", "b"])
    cache.delete_many([])
    assert {"c": 3.5} == cache.get_many(["a", "b", "c"])
    cache.set("n", 41)
    assert [42, 52, 51] == [cache.incr("n"), cache.incr("n", 10), cache.decr("n")]
    assert cache.incr("n", -1) == 50 == cache.get("n")
    for wrong in ("no", "key"):
        with pytest.raises(ValueError, match=wrong):
            cache.incr(wrong)
    with pytest.raises(ValueError, match="no"):
        cache.decr("no")
    assert cache.get_or_set("made", lambda: 7) == 7 == cache.get_or_set("made", 8)
    cache.set("v", 1, version=1)
    assert cache.incr_version("v", version=1) == 2
    assert cache.get("v", version=1) is None and cache.get("v", version=2) == 1
    assert cache.decr_version("v", version=2) == 1 and cache.get("v") == 1
    with pytest.raises(ValueError, match="no"):
        cache.incr_version("no")
    cache.clear()
    assert {} == cache.get_many(["key", "n", "v", "made"])


@pytest.mark.parametrize("face", [Plain, Awaited])
def test_without_a_server(monkeypatch: pytest.MonkeyPatch, face: type[Plain]) -> None:
    """With ENABLE_REDIS_CACHING=false cache and sessions live in the process; threads and tasks share it."""
    monkeypatch.setenv("ENABLE_REDIS_CACHING", "false")
    monkeypatch.setattr(settings, "KEYWRIGHT_SOURCE", None, raising=False)
    talkers.forget()
    engine._made.cache_clear()
    cache = face(RedisCache("", {}))
    cache.set("a", 1, 50)
    assert cache.touch("a", None) and cache.incr("a") == 2
    assert RedisCache("", {}).get("a") == 2
    session = begun(a=1)
    assert asyncio.run(SessionStore(session.session_key).aget("a")) == 1
    cache.clear()
    assert cache.get("a") is None and SessionStore(session.session_key)["a"] == 1
    talkers.forget()
    engine._made.cache_clear()


def test_threads_share_connections(redis: Server) -> None:
    """Django makes a cache for each thread; they use the same connections."""
    with redis.line() as line:
        cache_of(redis).get("a")
        before = line.ask("INFO", "stats")
        for _ in range(20):
            cache_of(redis).get("a")
        after = line.ask("INFO", "stats")
    count = [row for row in before.splitlines() if row.startswith("total_connections_received")]
    assert count[0] in after


def test_times_of_cached_values(redis: Server) -> None:
    """None is for ever, 0 and less at once, the default is the cache's TIMEOUT; touch changes it."""
    cache = cache_of(redis, TIMEOUT=100)
    with redis.line() as line:

        def left(key: str) -> int:
            return int(line.ask("TTL", f"{PREFIX}django::1:{key}"))

        cache.set("a", 1)
        assert left("a") in (99, 100)
        cache.set("a", 1, timeout=None)
        assert left("a") == -1 and cache.touch("a", None)
        assert cache.touch("a", 50) and left("a") in (49, 50)
        assert cache.touch("a") and left("a") in (99, 100)
        assert cache.touch("a", None) and left("a") == -1
        assert cache.touch("a", 0) and cache.get("a") is None and not cache.touch("a", 5)
        assert cache.add("a", 1, timeout=0) and cache.get("a") is None
        cache.set("a", 1)
        assert not cache.add("a", 2, timeout=0)
        cache.set("a", 2, timeout=-1)
        assert left("a") == -2
        cache.set_many({"a": 1, "b": 2}, timeout=10)
        assert left("a") in (9, 10) and left("b") in (9, 10)
        cache.set("f", 1, timeout=0.5)
        assert 0 < line.ask("PTTL", f"{PREFIX}django::1:f") <= 500
        cache.incr("a")
        assert left("a") in (9, 10)


def test_each_is_one_round_trip(redis: Server) -> None:
    """One command or one script for each operation, a batch for many."""
    cache = cache_of(redis)
    cache.set("n", 1)
    cache.incr("n")
    for act, expected in (
        (lambda: cache.get("n"), {"get": 1}),
        (lambda: cache.set("n", 1), {"set": 1}),
        (lambda: cache.add("n", 1), {"set": 1}),
        (lambda: cache.incr("n"), {"evalsha": 1, "exists": 1, "incrby": 1}),
        (lambda: cache.get_many("nm"), {"mget": 1}),
        (lambda: cache.set_many({"n": 1, "m": 2}), {"set": 2}),
        (lambda: cache.touch("n", 5), {"pexpire": 1, "exists": 1}),
        (lambda: cache.delete_many(["n", "m"]), {"unlink": 1}),
    ):
        asked(redis)
        act()
        assert expected == asked(redis)


def test_clear_removes_nothing_of_others(redis: Server) -> None:
    """Another KEY_PREFIX, a session and a foreign key stay; letters of a pattern are only letters."""
    mine, other = cache_of(redis, KEY_PREFIX="a*"), cache_of(redis, KEY_PREFIX="ab")
    mine.set_many({f"k{n}": n for n in range(2500)})
    other.set("k", 1)
    session = begun(a=1)
    with redis.line() as line:
        line.ask("SET", "foreign", "1")
        mine.clear()
        assert line.ask("DBSIZE") == 3
    assert other.get("k") == 1 and SessionStore(session.session_key)["a"] == 1


def test_a_serializer_of_ones_own(redis: Server) -> None:
    """OPTIONS names what writes and reads values, an object or a path."""
    cache = cache_of(redis, OPTIONS={"SERIALIZER": "keywright.serializers.JSON"})
    cache.set("a", {"b": 1})
    assert cache.get("a") == {"b": 1}
    with redis.line() as line:
        assert line.ask("GET", f"{PREFIX}django::1:a") == '{"b":1}'


@pytest.mark.parametrize(
    ("module", "framework"),
    [("starlette", "starlette"), ("flask", "flask"), ("django.sessions", "django"),
     ("django.cache", "django"), ("django.middleware", "django"), ("django.health", "django")],
)  # fmt: skip
def test_a_missing_framework_is_one_sentence(module: str, framework: str) -> None:
    """Without the framework the import says what to install."""
    program = (
        f"import sys; sys.modules[{framework!r}] = None\n"
        f"try: import keywright.contrib.{module}\n"
        "except Exception as error: print(type(error).__name__, error, error.hint)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True,
        env={"PYTHONPATH": str(SRC)},
    )  # fmt: skip
    expected = f"InputError {framework} is not installed pip install 'keywright[{framework}]'\n"
    assert expected == run.stdout, run.stderr
