"""Reads what RedisInsight answers when it is asked how it is."""

from keywright_ops.model.absence import Missing

HEALTH = "/api/health/"


def parse_health(text: str, port: int) -> str | Missing:
    """Return the status in a whole HTTP reply ("up"), or why there is none."""
    import json  # only where RedisInsight is asked

    head, _, body = text.partition("\r\n\r\n")
    if not head.startswith("HTTP/"):
        return Missing(
            f"port {port} does not answer" if not text else f"port {port} speaks no HTTP"
        )
    code = (head.split(None, 2) + [""])[1]
    if code != "200":
        return Missing(f"{HEALTH} on port {port} answers HTTP {code}")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):  # however deep it is nested
        told = None
    status = told.get("status") if isinstance(told, dict) else None
    return status if isinstance(status, str) else Missing(f"port {port} is not RedisInsight's")
