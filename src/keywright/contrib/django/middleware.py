"""Django's SessionMiddleware with one sentence and 503 instead of a traceback while Redis is away."""

from typing import Any

from keywright.contrib.cookie import client_address
from keywright.contrib.visit import AWAY, RETRY_AFTER, SENTENCE, log
from keywright.errors import InputError

try:
    from django.conf import settings
    from django.contrib.sessions import middleware
    from django.http import HttpRequest, HttpResponse
except ModuleNotFoundError:
    raise InputError("django is not installed", "pip install 'keywright[django]'") from None


class SessionMiddleware(middleware.SessionMiddleware):
    """Stands in MIDDLEWARE where django.contrib.sessions.middleware.SessionMiddleware stood.

    A view that needs its session while Redis is away, and a response whose session cannot be saved, become
    503 with Retry-After. The client's address is the connection's; KEYWRIGHT_PROXIES says how many reverse
    proxies in front are trusted to write X-Forwarded-For. Everything else is Django's.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Give it its session; where it comes from is kept with it, to be shown."""
        super().process_request(request)
        say = getattr(request.session, "seen_from", None)
        if say is not None:
            forwarded = request.headers.get("X-Forwarded-For", "")
            proxies = getattr(settings, "KEYWRIGHT_PROXIES", 0)
            address = client_address(request.META.get("REMOTE_ADDR", ""), forwarded, proxies)
            say(address, request.headers.get("User-Agent", ""))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> Any:
        """Save the session; when that fails the response is a 503."""
        try:
            return super().process_response(request, response)
        except AWAY as error:
            instead = unavailable(error)
            # What the view's response holds open is closed with the one that goes out.
            instead._resource_closers += response._resource_closers  # noqa: SLF001
            return instead

    def process_exception(self, request: HttpRequest, exception: Exception) -> Any:  # noqa: ARG002
        """Answer a view that needs Redis."""
        return unavailable(exception) if isinstance(exception, AWAY) else None


def unavailable(error: Exception) -> HttpResponse:
    """503 with one sentence."""
    log.error("a request is answered with 503: %s", error)
    response = HttpResponse(SENTENCE, status=503, content_type="text/plain; charset=utf-8")
    response["Retry-After"] = str(RETRY_AFTER)
    response["Cache-Control"] = "no-store"
    return response
