"""What the shell answers to `help`."""

from collections.abc import Mapping, Sequence

from keywright_ops.cli.show import wrapped
from keywright_ops.facts.command_docs import Doc, doc_of
from keywright_ops.facts.dangers import danger, impossible

HELP = """\
Every line is a command of the server, with redis-cli's quotes: SET key "a\\x00b". Besides:
  help COMMAND   how it is written, what it does and costs, since when
  connect ENV    another environment (.env alone says which this is)
  5 PING         the same five times
  clear, exit    the screen; the shell (quit and Ctrl-D too)
Tab completes commands, their words and the names of keys. Ctrl-C ends SUBSCRIBE, MONITOR
and whatever waits. A line with a secret, or that begins with a blank, is not kept."""


def help_text() -> str:
    """Return what the shell can do."""
    return HELP


def help_of(docs: Mapping[str, Doc], words: Sequence[str]) -> str:
    """Return what is known of a command."""
    doc = doc_of(docs, words)
    if doc is None or (len(words) > 1 and " " not in doc.name and doc.parts):
        return (
            f"this server has no {' '.join(words).upper()}"
            if docs
            else "the server tells nothing of its commands"
        )
    lines = [f"  {doc.name} {doc.syntax}".rstrip()]
    if len(lines[0]) > 80:
        lines = wrapped(lines[0].strip(), "  ")
    if doc.summary:
        lines += wrapped(doc.summary, "  ")
    if doc.parts:
        lines += wrapped("subcommands: " + ", ".join(doc.parts), "  ")
    facts = (("complexity", doc.complexity), ("since", doc.since), ("group", doc.group))
    for kind, value in facts:
        if value:
            lines += wrapped(f"{kind}: {value}", "  ")
    name = doc.name.split(" ")
    asked, never = danger(name), impossible(name)
    if asked is not None:
        lines += wrapped(
            f"asks first: {asked.reason}" + (f"; instead {asked.instead}" if asked.instead else ""),
            "  ",
        )
    if never is not None:
        lines += wrapped(f"not from here: {never[0]}; instead {never[1]}", "  ")
    return "\n".join(lines)
