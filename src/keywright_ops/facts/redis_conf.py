"""Reads a redis.conf by the server's own grammar. It opens no file: an `include` stays a value."""

from keywright_ops.facts.canonical import canonical, canonical_name
from keywright_ops.facts.settings import REPEATED
from keywright_ops.facts.words import split_words


def parse_redis_conf(text: str) -> dict[str, str]:
    """Return every setting of the file by its newest name, with its canonical value.

    Where a setting comes twice the last one wins, except those that add up: save points,
    client-output-buffer-limit, and user, include, loadmodule, rename-command (joined by newlines).
    A line whose quotes are not balanced, which the server refuses, is kept under its number
    (`line 12`), so that nobody compares a file that cannot be started without noticing.
    """
    found: dict[str, list[str]] = {}
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(" \t\r\n")
        if not line or line.startswith("#"):
            continue
        words = split_words(line)
        if words is None:
            found[f"line {number}"] = [line]
        elif words:
            _take(found, canonical_name(words[0]), words[1:])
    return {name: canonical(name, _joined(name, values)) for name, values in found.items()}


def _take(found: dict[str, list[str]], name: str, words: list[str]) -> None:
    value = " ".join(words)
    adds_up = name in REPEATED or name in ("save", "client-output-buffer-limit")
    if not adds_up or words == [""]:  # `save ""` forgets the points named before it
        found[name] = [value]
    else:
        found.setdefault(name, []).append(value)


def _joined(name: str, values: list[str]) -> str:
    return ("\n" if name in REPEATED else " ").join(values)
