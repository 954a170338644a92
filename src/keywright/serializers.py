"""PLACEHOLDER until the branch `cache` is merged."""

import json

_encode = json.JSONEncoder(separators=(",", ":")).encode
_scan = json.JSONDecoder().scan_once


def _loads(v):
    text = str(v, "utf-8")
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        raise ValueError("no JSON") from None
    if end != len(text):
        return json.loads(text)
    return value


class _J:
    dumps = staticmethod(lambda v: _encode(v).encode())
    loads = staticmethod(_loads)


JSON = _J()
