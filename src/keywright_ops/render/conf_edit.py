"""Writes a plan's settings into a distribution's redis.conf: replaced, never appended twice.

The file stays readable as the distribution wrote it. A line that sets what the plan sets becomes a comment
in its place; the plan's settings stand in one block between two marks, at the end, so that they win over
every line and every `include` before them. What the plan does not set is left as it stands.

Rule: a line that holds a password is not kept, not even as a comment: the users are in the ACL file.
"""

from keywright_ops.facts.canonical import canonical_name
from keywright_ops.facts.words import split_words
from keywright_ops.model.plan import Plan
from keywright_ops.render.redis_conf import render_redis_conf

BEGIN = "# >>> keywright >>>"
END = "# <<< keywright <<<"
SET_BELOW = "#keywright# "  # before a line of the distribution that the block replaces
# Beside an ACL file `requirepass` says nothing, and the server refuses `user` lines.
PASSWORDS = ("requirepass", "user")
NOT_KEPT = "#keywright# {name} stood here: users and passwords are in the ACL file"


def merge_redis_conf(found: str, plan: Plan) -> str:
    """Return the file with the plan's settings in it; `found` is what stands there now, "" for nothing.

    Merging again what was merged changes nothing.
    """
    names = frozenset(canonical_name(each.name) for each in plan.directives)
    lines = _without_block(found.split("\n"))
    kept = [_replaced(line, names) for line in lines]
    while kept and not kept[-1].strip():
        kept.pop()
    block = [BEGIN, *render_redis_conf(plan).rstrip("\n").split("\n"), END]
    return "\n".join([*kept, *([""] if kept else []), *block]) + "\n"


def _without_block(lines: list[str]) -> list[str]:
    """The lines without our block; without its end only its first line goes: the rest may be anybody's."""
    stripped = [line.strip() for line in lines]
    while BEGIN in stripped:
        first = stripped.index(BEGIN)
        last = stripped.index(END, first) if END in stripped[first:] else first
        del lines[first : last + 1], stripped[first : last + 1]
    return [line for line, bare in zip(lines, stripped, strict=True) if bare != END]


def _replaced(line: str, names: frozenset[str]) -> str:
    """The line itself, or the comment that stands for it."""
    bare = line.strip(" \t\r")
    if not bare or bare.startswith("#"):
        return line
    words = split_words(bare)
    if words is None:  # its quotes are not balanced
        words = bare.split()
    name = canonical_name(words[0]) if words else ""  # a form feed alone is no word
    if name in PASSWORDS:
        return NOT_KEPT.format(name=name)
    return f"{SET_BELOW}{bare}" if name in names else line
