"""Asks RedisInsight how it is, at the loopback port on which it is published."""

from keywright_ops.model.absence import Missing

HEALTH = "/api/health/"
LIMIT = 2.0  # seconds of silence after which it counts as not answering
LONGEST = 4096  # bytes; its answer is {"status":"up"}


def insight_health(port: int) -> str | Missing:
    """Return what RedisInsight at 127.0.0.1:PORT says of itself ("up"), or why that is unknown.

    Whoever else listens there and answers something else is Missing too, never "up".
    """
    import http.client  # 15 ms with its email parser: only who asks for RedisInsight pays
    import json

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        connection.request("GET", HEALTH)
        reply = connection.getresponse()
        body = reply.read(LONGEST)
    except TimeoutError:
        return Missing(f"port {port} gave no answer within {LIMIT:g} s")
    except http.client.HTTPException:
        return Missing(f"port {port} does not speak HTTP: it is not RedisInsight")
    except OSError as error:
        return Missing(f"127.0.0.1:{port}: {(error.strerror or 'no connection').lower()}")
    finally:
        connection.close()
    if reply.status != 200:
        return Missing(f"{HEALTH} on port {port} answers HTTP {reply.status}")
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    status = told.get("status") if isinstance(told, dict) else None
    if not isinstance(status, str):
        return Missing(f"{HEALTH} on port {port} is not RedisInsight's")
    return status
