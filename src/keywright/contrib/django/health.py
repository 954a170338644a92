"""Pages for a load balancer: `path("health", include("keywright.contrib.django.health"))` in urlpatterns.

`health/live` answers 200 while the process runs, `health` and `health/ready` 200 when Redis answers and 503
otherwise. Ready asks one command: a session that there is not.
"""

from keywright.contrib.django.sessions import stores
from keywright.contrib.visit import RETRY_AFTER, log
from keywright.errors import InputError, KeywrightError

try:
    from django.http import HttpRequest, JsonResponse
    from django.urls import path
except ModuleNotFoundError:
    raise InputError("django is not installed", "pip install 'keywright[django]'") from None


def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """The process runs."""
    return JsonResponse({"status": "pass"})


def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Redis answers."""
    try:
        stores().threads.load("health")
    except KeywrightError as error:
        log.error("not ready: %s", error)
        return JsonResponse({"status": "fail"}, status=503, headers={"Retry-After": RETRY_AFTER})
    return JsonResponse({"status": "pass"})


urlpatterns = [path("", ready), path("/ready", ready), path("/live", live)]
