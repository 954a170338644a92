"""Django in one file with sessions and cache in Redis: `python app.py runserver`."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

COOKIE_SECURE = os.environ.get("COOKIE_SECURE") != "false"

settings.configure(
    SECRET_KEY=os.environ.get("SECRET_KEY", "only-for-this-example"),
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    MIDDLEWARE=[
        "keywright.contrib.django.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    SESSION_ENGINE="keywright.contrib.django.sessions",
    SESSION_COOKIE_SECURE=COOKIE_SECURE,
    SESSION_COOKIE_AGE=30 * 86400,  # seconds that the browser keeps the cookie after the last save
    KEYWRIGHT_SESSIONS={"limit": 10, "ttl": int(os.environ.get("CACHE_TTL", "3600"))},  # seconds
    CACHES={"default": {"BACKEND": "keywright.contrib.django.cache.RedisCache"}},
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("DATABASE", str(Path(__file__).with_name("users.sqlite3"))),
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()

from django.contrib.auth import authenticate, get_user_model  # noqa: E402 - after django.setup
from django.contrib.auth import login as log_in  # noqa: E402
from django.contrib.auth import logout as log_out  # noqa: E402
from django.core.cache import cache  # noqa: E402

from keywright.contrib.django import sessions as engine  # noqa: E402
from keywright.contrib.django.health import health_urls  # noqa: E402


def index(request: HttpRequest) -> HttpResponse:
    """Count the visits of this browser, and of all."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    cache.add("visits", 0, None)
    name = request.user.get_username()
    return JsonResponse(
        {"visits": request.session["visits"], "user": name, "all": cache.incr("visits")}
    )


@require_POST
def login(request: HttpRequest) -> HttpResponse:
    """Django gives the session a new id here: whoever knew the old one knows nothing."""
    user = authenticate(request, username=request.POST["name"], password=request.POST["password"])
    if user is None:
        return JsonResponse({"error": "wrong name or password"}, status=403)
    log_in(request, user)
    return JsonResponse({"user": user.get_username()})


def me(request: HttpRequest) -> HttpResponse:
    """Only for those who are logged in."""
    if not request.user.is_authenticated:
        return JsonResponse({"error": "log in first"}, status=401)
    return JsonResponse({"user": request.user.get_username()})


def sessions(request: HttpRequest) -> HttpResponse:
    """Where this user is logged in. `mark` tells sessions apart; an id is a key and is not shown."""
    rows: list[dict[str, Any]] = [
        {"mark": one.mark, "agent": one.agent, "this": one.id == request.session.session_key}
        for one in engine.sessions_of(request.user)
    ]
    return JsonResponse(rows, safe=False)


@require_POST
def put(request: HttpRequest, key: str, value: str) -> HttpResponse:
    """Keep something, slowly if you like: requests that change other keys lose nothing."""
    request.session.get(key)
    time.sleep(float(request.GET.get("wait", 0)))
    request.session[key] = value
    return JsonResponse({key: value})


def data(request: HttpRequest) -> HttpResponse:
    """What the session holds."""
    return JsonResponse({key: each for key, each in request.session.items() if key[0] != "_"})


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End this session."""
    log_out(request)
    return JsonResponse({"out": True})


@require_POST
def logout_everywhere(request: HttpRequest) -> HttpResponse:
    """End every session of this user, here and on other devices."""
    if not request.user.is_authenticated:
        return JsonResponse({"error": "log in first"}, status=401)
    user = request.user.get_username()
    ended = engine.logout_everywhere(request.user)
    log_out(request)
    return JsonResponse({"user": user, "ended": ended})


urlpatterns = [
    path("", index),
    path("login", login),
    path("me", me),
    path("sessions", sessions),
    path("set/<key>/<value>", put),
    path("data", data),
    path("logout", logout),
    path("logout-everywhere", logout_everywhere),
    *health_urls(),
]
application = get_wsgi_application()


def _prepare() -> None:
    """Tables and two users, for a first run."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for name, password in (("ada", "lovelace"), ("bob", "babbage")):
        if not get_user_model().objects.filter(username=name).exists():
            get_user_model().objects.create_user(name, password=password)


if __name__ == "__main__":
    _prepare()
    execute_from_command_line(sys.argv)
