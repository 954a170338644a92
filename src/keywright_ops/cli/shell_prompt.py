"""The shell at a terminal: the prompt and what is answered to each line. Loads prompt_toolkit."""

import argparse
import sys
from collections.abc import Sequence
from time import monotonic

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.styles import Style

from keywright.errors import KeywrightError, Refused
from keywright_ops.actions.monitor import GUARDED
from keywright_ops.actions.redis import explained
from keywright_ops.actions.shell import Conversation
from keywright_ops.cli.looking import reach_one
from keywright_ops.cli.main import EXIT_WELL
from keywright_ops.cli.redis import asking, write_reply
from keywright_ops.cli.shell import ENDS
from keywright_ops.cli.shell_help import help_of, help_text
from keywright_ops.cli.shell_history import KeptHistory
from keywright_ops.cli.shell_typing import Book, Completing, Painting
from keywright_ops.cli.show import DIM, YELLOW, coloured, show_error, wrapped
from keywright_ops.facts.command_line import parse_command_line, streams
from keywright_ops.facts.replies import Problem

SLOW = 0.5  # seconds from which on the time that a command took is told
STYLE = Style.from_dict(
    {
        "prod": "bold fg:ansiwhite bg:ansired",
        "dev": "bold fg:ansiyellow",
        "local": "bold fg:ansigreen",
        "tx": "bold fg:ansimagenta",
        "command": "bold fg:ansicyan",
        "unknown": "fg:ansired",
        "token": "fg:ansimagenta",
        "string": "fg:ansiyellow",
        "number": "fg:ansiblue",
        "bottom-toolbar": "noreverse fg:ansibrightblack",
        "bottom-toolbar.syntax": "fg:ansidefault",
    }
)


class Talk:
    """A person's session: one environment at a time, and the ways from one to another."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._enter(None)

    def _enter(self, environment: str | None) -> None:
        """Go to an environment. Raises what reaching it raises; then we stay where we are."""
        reached = reach_one(self._arguments, environment)
        conversation = Conversation(reached)
        conversation.open()
        self._conversation = conversation
        self._book = Book(conversation)
        self._prompt: PromptSession[str] = PromptSession(
            history=KeptHistory(reached.home),
            completer=Completing(self._book),
            lexer=Painting(self._book),
            auto_suggest=AutoSuggestFromHistory(),
            bottom_toolbar=self._book.toolbar,
            style=STYLE,
            reserve_space_for_menu=6,
        )

    def run(self) -> int:
        """Read lines until the person leaves."""
        print(coloured("Tab completes, help COMMAND explains, Ctrl-D leaves", DIM))
        while True:
            try:
                line = self._prompt.prompt(self._where)
            except KeyboardInterrupt:
                continue
            except EOFError:
                break
            if line.strip().lower() in ENDS:
                break
            self._do(line)
        self._conversation.close()
        self._conversation.reached.close()
        return EXIT_WELL

    def _where(self) -> StyleAndTextTuples:
        """The prompt: environment in its colour, user, database, and whether a transaction is open."""
        plan, conversation = self._conversation.reached.plan, self._conversation
        kind = "prod" if plan.kind in GUARDED else "local" if plan.kind == "local" else "dev"
        return [
            (f"class:{kind}", plan.environment),
            ("", f" {conversation.user}[{conversation.database}]"),
            ("class:tx", "(tx)" if conversation.in_transaction else ""),
            ("", "> "),
        ]

    def _do(self, line: str) -> None:
        try:
            typed = parse_command_line(line)
            if typed.words and not self._own_word(typed.words):
                for _ in range(typed.times):
                    self._send(typed.words)
        except KeyboardInterrupt:
            print()
        except Refused:
            print("not sent")
        except KeywrightError as error:
            show_error(error)
        for notice in self._conversation.notices:
            print(coloured(notice, YELLOW))
        self._conversation.notices.clear()

    def _own_word(self, words: Sequence[str]) -> bool:
        """Do what is no command of the server's; tell whether it was such a word."""
        word, rest = words[0].lower().lstrip("."), words[1:]
        if word in ("help", "?"):
            print(help_of(self._book.docs, rest) if rest else help_text())
        elif word == "clear" and not rest:
            print("\033[2J\033[H", end="", flush=True)
        elif word in ("connect", "env") and len(rest) == 1:
            before = self._conversation
            self._enter(rest[0])
            before.close()
            before.reached.close()
        elif word in ("connect", "env"):
            plan = self._conversation.reached.plan
            print(f"{plan.environment} ({plan.kind}); connect ENV goes to another")
        else:
            return False
        return True

    def _send(self, words: Sequence[str]) -> None:
        begun = monotonic()
        replies = self._conversation.send(words, asking(self._arguments.yes))
        streaming = streams(words)
        if streaming:
            print(coloured("Reading messages... (press Ctrl-C to quit)", DIM), file=sys.stderr)
        try:
            for reply in replies:
                write_reply(reply, list(words), raw=False)
                if isinstance(reply, Problem):
                    self._hint(reply, words)
        finally:
            replies.close()
        took = monotonic() - begun
        if took > SLOW and not streaming:
            print(coloured(f"({took:.2f}s)", DIM))

    def _hint(self, reply: Problem, words: Sequence[str]) -> None:
        told = explained(self._conversation.reached, reply, words)
        if told is not None and told.hint:
            print(coloured("\n".join(wrapped(f"hint: {told.hint}", "  ")), DIM))


def talk(arguments: argparse.Namespace) -> int:
    """Talk with the person at this terminal until they leave."""
    return Talk(arguments).run()
