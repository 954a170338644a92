"""`keywright key edit NAME`: the decoded value in $EDITOR, the difference shown, no update lost."""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from difflib import unified_diff

from keywright.errors import InputError, KeywrightError, Refused
from keywright_ops.actions.key_change import edit_key
from keywright_ops.cli.as_json import plan_json, show_json
from keywright_ops.cli.key_change import asking
from keywright_ops.cli.keys import ttl_text
from keywright_ops.cli.looking import reach_one
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.show import GREEN, RED, coloured
from keywright_ops.facts.escapes import shown, taken
from keywright_ops.ops.keyspace.decode import Editable, editable, edited, peel, put_on, renewed_head


def run_edit(arguments: argparse.Namespace, words: list[str]) -> int:
    """Edit one value; what was typed is never lost, also when it could not be written."""
    if len(words) != 1:
        raise InputError("key edit takes one name")
    if "," in (arguments.env or ""):
        raise InputError("keys are changed in one environment at a time")
    name = taken(words[0])
    desk = Desk(arguments)
    with reach_one(arguments) as reached:
        try:
            done = edit_key(reached, name, desk.edit)
        except KeywrightError as error:
            if desk.kept():
                error.hint = f"what you wrote is kept in {desk.path}"
            raise
    desk.clear()
    if arguments.json:
        show_json("key-change", **plan_json(reached.plan), name=shown(name),
                  change="edited" if done else "unchanged", type="string",
                  ttl=None if done is None or done.pttl < 0 else done.pttl / 1000)  # fmt: skip
    elif not arguments.quiet:
        told = f"written, ttl {ttl_text(done.pttl)}" if done else "as it was: nothing was written"
        print(f"{shown(name)} {told}")
    return EXIT_WELL


class Desk:
    """A file of its owner's alone in which a person edits; `path` while something in it could be lost."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._confirm = asking(arguments)
        self.path = ""
        self._before = ""

    def kept(self) -> bool:
        """Whether the file holds something that a person wrote; else it is removed."""
        if not self.path:
            return False
        with open(self.path, encoding="utf-8", errors="replace", newline="") as stream:
            typed = stream.read() != self._before
        if not typed:
            self.clear()
        return typed

    def edit(self, value: bytes) -> bytes | None:
        """Let the value be edited, show the difference, ask; None to leave it as it is."""
        peeled = peel(value)
        text = editable(peeled.body)
        if text is None:
            raise InputError(
                "the value is not text", "`keywright key show NAME --raw` and `key set --from-file`"
            )
        handle, self.path = tempfile.mkstemp(suffix=".json" if text.style >= 0 else ".txt")
        with open(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text.text)
        self._before = text.text
        while True:
            self._run()
            try:
                with open(self.path, encoding="utf-8", newline="") as stream:
                    body = edited(stream.read(), text)
                break
            except ValueError as error:
                if not self._again(f"that is no JSON: {error}"):
                    raise Refused("nothing was written: it is no JSON any more") from None
        if body == peeled.body:
            return None
        self._show(text, body)
        if self._arguments.dry_run:
            return None
        if not self._confirm("is what changes"):
            raise Refused("nothing was written: it was not confirmed", "--yes answers")
        return put_on(peeled, body, renewed_head(peeled, os.urandom(6).hex().encode()))

    def _run(self) -> None:
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        try:
            ended = subprocess.run([*shlex.split(editor), self.path], check=False).returncode
        except OSError as error:
            raise InputError(
                f"the editor {editor} cannot be started: {error.strerror}", "export EDITOR=nano"
            ) from None
        if ended:
            raise Refused(f"nothing was written: the editor ended with {ended}")

    def _again(self, what: str) -> bool:
        if not sys.stdin.isatty():
            return False
        print(f"{what}\nEdit it again? Type yes: ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() == "yes"

    def _show(self, before: Editable, body: bytes) -> None:
        after = editable(body) or before
        lines = unified_diff(before.text.splitlines(), after.text.splitlines(), "stored", "edited",
                             lineterm="", n=2)  # fmt: skip
        for line in lines:
            colour = {"+": GREEN, "-": RED}.get(line[:1], "")
            print(coloured(line, colour) if colour else line, file=sys.stderr)

    def clear(self) -> None:
        """Remove the file: nothing in it can be lost any more."""
        if self.path:
            os.unlink(self.path)
            self.path = ""
