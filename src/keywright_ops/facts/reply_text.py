"""How a reply looks: as redis-cli shows it on a terminal, raw as in its pipe, or as JSON.

Pure. On a terminal whatever is not printable ASCII is escaped; raw loses no byte.
"""

from typing import Any

from keywright_ops.facts.replies import Members, Number, Pairs, Problem, Reply, Status, Verbatim

_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\"}
_SHOWN = [_ESCAPES.get(c, chr(c) if 32 <= c < 127 else f"\\x{c:02x}") for c in range(256)]
_STEERING = {c: _SHOWN[c] for c in (*range(32), 127) if c not in (9, 10, 13)}
# Commands whose answer is a text for people: redis-cli shows it as it is.
_PLAIN = frozenset({"INFO", "LOLWUT"})
_PLAIN_PARTS = frozenset(
    {
        "CLIENT LIST", "CLIENT INFO", "CLUSTER NODES", "CLUSTER INFO", "MEMORY DOCTOR",
        "MEMORY MALLOC-STATS", "LATENCY GRAPH", "LATENCY DOCTOR", "DEBUG HTSTATS",
        "DEBUG HTSTATS-KEY", "DEBUG CLIENT-EVICTION",
    }
)  # fmt: skip


def told_plainly(words: list[str] | tuple[str, ...]) -> bool:
    """Whether this command answers a text for people (INFO, CLIENT LIST), shown without quotes."""
    first = words[0].upper() if words else ""
    return first in _PLAIN or (len(words) > 1 and f"{first} {words[1].upper()}" in _PLAIN_PARTS)


def quoted(text: bytes) -> str:
    """Return bytes in double quotes with escapes, as redis-cli writes them and reads them back."""
    if text.isascii() and text.isalnum():  # nearly all of them
        return f'"{text.decode()}"'
    return '"' + "".join([_SHOWN[each] for each in text]) + '"'


def render_typed(reply: Reply, prefix: str = "") -> str:
    """Return a reply with the kinds of its parts, every line ended."""
    if isinstance(reply, list):
        return _listed(reply, prefix)
    return _single(reply) + "\n"


def _single(reply: Reply) -> str:
    if isinstance(reply, Problem):
        return f"(error) {_text(reply)}"
    if isinstance(reply, Number):
        return f"(double) {_text(reply)}"
    if isinstance(reply, (Status, Verbatim)):
        return _text(reply)
    if isinstance(reply, bytes):
        return quoted(reply)
    if isinstance(reply, bool):
        return "(true)" if reply else "(false)"
    return "(nil)" if reply is None else f"(integer) {reply}"


def _text(text: bytes) -> str:
    """A text for people; what would steer the terminal is escaped (a name in an error may be anybody's)."""
    return text.decode("utf-8", "backslashreplace").translate(_STEERING)


def _listed(reply: list[Reply], prefix: str) -> str:
    """Number the elements; what is nested stands under its number."""
    pairs = isinstance(reply, Pairs)
    kind = "hash" if pairs else "set" if isinstance(reply, Members) else "array"
    if not reply:
        return f"(empty {kind})\n"
    width = len(str(len(reply) // 2 if pairs else len(reply)))
    mark = {"hash": "#", "set": "~", "array": ")"}[kind]
    deeper = prefix + " " * (width + 2)
    lines = []
    step = 2 if pairs else 1
    for at in range(0, len(reply), step):
        lines.append("" if at == 0 else prefix)
        lines.append(f"{at // step + 1:>{width}}{mark} ")
        if pairs:
            lines.append(render_typed(reply[at], deeper).rstrip("\n") + " => ")
        lines.append(render_typed(reply[at + step - 1], deeper))
    return "".join(lines)


def render_plainly(reply: Reply) -> str:
    """Return the answer of a command that tells people something, as it is, its last line ended."""
    if not isinstance(reply, bytes) or isinstance(reply, Problem):
        return render_typed(reply)
    return _text(reply.replace(b"\r\n", b"\n").rstrip(b"\n")) + "\n"


def render_raw(reply: Reply) -> bytes:
    """Return a reply's bytes, elements on lines of their own; nil is nothing."""
    if reply is None:
        return b""
    if isinstance(reply, list):
        return b"\n".join([render_raw(each) for each in reply])
    if isinstance(reply, Problem):
        return bytes(reply) + b"\n"
    if isinstance(reply, bytes):
        return bytes(reply)
    return str(reply).lower().encode() if isinstance(reply, bool) else str(reply).encode()


def reply_json(reply: Reply) -> Any:
    """Return a reply as JSON has it: what is no UTF-8 is {"base64": …}, an error {"error": …}."""
    if isinstance(reply, Pairs):
        names = [each.decode("utf-8", "replace") for each in reply[::2]]
        return dict(zip(names, map(reply_json, reply[1::2]), strict=True))
    if isinstance(reply, list):
        return [reply_json(each) for each in reply]
    if not isinstance(reply, bytes):
        return reply
    try:
        text = reply.decode()
    except UnicodeDecodeError:
        from base64 import b64encode  # binary values alone need it

        return {"base64": b64encode(reply).decode()}
    return {"error": text} if isinstance(reply, Problem) else text
