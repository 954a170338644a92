"""PLACEHOLDER until the branch `cache` is merged."""

import json


class _J:
    dumps = staticmethod(lambda v: json.dumps(v, separators=(",", ":")).encode())
    loads = staticmethod(json.loads)


JSON = _J()
