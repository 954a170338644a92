"""What happens while a line is typed: completion, colours, and the line below that explains."""

import os
from collections.abc import Callable, Iterator
from threading import Event, Thread

from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

from keywright.errors import KeywrightError
from keywright_ops.actions.shell import Conversation
from keywright_ops.facts.command_docs import Doc, doc_of, offers, wants_key
from keywright_ops.facts.command_line import parse_begun
from keywright_ops.facts.painting import paint
from keywright_ops.facts.words import quote

OWN_WORDS = ("help", "connect", "clear", "exit", "quit")

MOMENT = 2.0  # seconds that Tab waits for the server to have told of its commands


class Book:
    """What the server says of its commands; fetched beside, so that the prompt need not wait."""

    def __init__(self, conversation: Conversation) -> None:
        self.docs: dict[str, Doc] = {}
        self.names = conversation.names
        self._conversation = conversation
        self._told = Event()
        Thread(target=self._fetch, daemon=True).start()

    def await_docs(self) -> None:
        """Wait for what the server tells of its commands, a moment at most: it was asked at the start, and
        whoever types at once is offered nothing otherwise."""
        self._told.wait(MOMENT)

    def _fetch(self) -> None:
        try:
            self.docs = self._conversation.docs()
        except (KeywrightError, TypeError, ValueError, LookupError, AttributeError):
            pass  # it tells nothing, or what we cannot read: no completion; the commands themselves work
        finally:
            self._told.set()

    def toolbar(self) -> StyleAndTextTuples:
        """Two lines: how the command at the cursor is written, and what it does, costs, and since when."""
        begun = parse_begun(get_app().current_buffer.document.text_before_cursor)
        doc = doc_of(self.docs, (*begun.words, begun.part))
        if doc is None:
            return [("", " \n ")]
        width = get_app().output.get_size().columns - 1
        since = f"since {doc.since}" if doc.since else ""
        told = " · ".join(filter(None, (doc.summary, doc.complexity, since)))
        if len(told) > width:  # the summary is what can best be cut
            rest = " · ".join(filter(None, (doc.complexity[:40], since)))
            told = f"{doc.summary[: max(10, width - len(rest) - 4)]}… · {rest}"
        syntax = f"{doc.name} {doc.syntax or ' | '.join(doc.parts)}"
        return [("class:bottom-toolbar.syntax", syntax[:width]), ("", f"\n{told[:width]}")]


class Completing(Completer):
    """Commands, subcommands and tokens while typing; names of keys at Tab, for they ask the server."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterator[Completion]:
        """Yield what may stand at the cursor."""
        self._book.await_docs()
        begun = parse_begun(document.text_before_cursor)
        back = begun.start - document.cursor_position
        docs = self._book.docs
        if wants_key(docs, begun.words):
            for name in self._book.names(begun.part) if event.completion_requested else ():
                yield Completion(quote(name), back, display=quote(name))
            return
        for offer in offers(docs, begun.words, begun.part):
            if begun.part or event.completion_requested:
                yield Completion(offer.word, back, display_meta=offer.meta)
        if not begun.words and begun.part:
            for word in OWN_WORDS:
                if word.startswith(begun.part.lower()):
                    yield Completion(word, back, display_meta="of this shell")


class Painting(Lexer):
    """Colours for the line: the command, tokens, strings, numbers."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Return the painted text of a line by its number."""
        lines = document.lines

        def painted(number: int) -> StyleAndTextTuples:
            if os.environ.get("NO_COLOR"):
                return [("", lines[number])]
            return [
                (f"class:{kind}" if kind else "", text)
                for kind, text in paint(lines[number], self._book.docs)
            ]

        return painted
