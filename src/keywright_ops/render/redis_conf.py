"""Writes redis.conf from the plan's directives. It says what the plan says and decides nothing."""

from keywright_ops.facts.words import quote
from keywright_ops.model.plan import Directive, Plan

__all__ = ["quote", "render_redis_conf"]

# Settings that older servers (6.2) read only as one line per so many words.
_WORDS_PER_LINE = {"save": 2, "client-output-buffer-limit": 4}


def render_redis_conf(plan: Plan) -> str:
    """Return the whole redis.conf: a header, then every group with its settings and their whys.

    Words are quoted where the server's grammar needs it, so any text survives.
    """
    lines = [
        f"# {_file_name(plan)} of {_one_line(plan.app)}, environment {_one_line(plan.environment)}.",
        "# Written by Keywright from keywright.toml: change it there, then run `keywright up`.",
        "# A change made here is found by `keywright diff`.",
    ]
    group = None
    for directive in plan.directives:
        if directive.group != group:
            group = directive.group
            lines += ["", f"# --- {_one_line(group)} ---"]
        if directive.why:
            lines.append(f"# {_one_line(directive.why)}")
        lines += _directive_lines(directive)
    return "\n".join(lines) + "\n"


def _file_name(plan: Plan) -> str:
    return plan.unit.conf.rpartition("/")[2] if plan.unit is not None else "redis.conf"


def _directive_lines(directive: Directive) -> list[str]:
    words = directive.words or ("",)
    size = _WORDS_PER_LINE.get(directive.name, len(words))
    if len(words) % size:  # one word, such as the empty `save ""`, or not for us to judge
        size = len(words)
    pieces = (words[at : at + size] for at in range(0, len(words), size))
    return [" ".join([directive.name, *map(quote, piece)]) for piece in pieces]


def _one_line(text: str) -> str:
    """Keep a comment one line: whatever would end it, or cannot be printed, becomes a blank."""
    return "".join(char if char.isprintable() else " " for char in text)
