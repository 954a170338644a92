"""Pages for a load balancer: `urlpatterns = [..., *health_urls()]`.

`health/live` answers 200 while the process runs and asks nobody; `health` and `health/ready` answer 200 when
Redis is ready and 503 otherwise, within a second. The setting KEYWRIGHT_HEALTH_AUTHORISED, a function of the
request, says who is told the details.
"""

from functools import cache
from typing import Any

from keywright.contrib.visit import RETRY_AFTER
from keywright.errors import InputError
from keywright.health import MEDIA, Health, health_response, live_response

try:
    from django.conf import settings
    from django.http import HttpRequest, JsonResponse
    from django.urls import path
except ModuleNotFoundError:
    raise InputError("django is not installed", "pip install 'keywright[django]'") from None


@cache
def health(source: Any) -> Health:
    """The question to one source of KEYWRIGHT_SOURCE."""
    return Health(source)


def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """The process runs."""
    return _told(*live_response())


def ready(request: HttpRequest) -> JsonResponse:
    """Redis answers."""
    report = health(getattr(settings, "KEYWRIGHT_SOURCE", None)).check()
    authorised = getattr(settings, "KEYWRIGHT_HEALTH_AUTHORISED", None)
    known = authorised is not None and authorised(request)
    return _told(*health_response(report, authorised=known))


def _told(status: int, body: dict[str, Any]) -> JsonResponse:
    headers = {"Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER)
    return JsonResponse(body, status=status, headers=headers, content_type=MEDIA)


def health_urls(route: str = "health") -> list[Any]:
    """The three pages at `route`, `route`/ready and `route`/live, for urlpatterns."""
    return [path(route, ready), path(f"{route}/ready", ready), path(f"{route}/live", live)]
