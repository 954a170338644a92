"""What the server says of its own commands: COMMAND DOCS (Redis 7 and newer, Valkey) and COMMAND.

Pure. An older server tells names and where keys stand, and nothing more.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Doc(NamedTuple):
    """One command or subcommand: `syntax` its arguments, `tokens` the words among them in capitals.

    `keys` is first, last (negative from the end) and step, (0, 0, 0) for a command without keys;
    `parts` are its subcommands. What the server does not tell is "".
    """

    name: str
    summary: str = ""
    since: str = ""
    complexity: str = ""
    group: str = ""
    syntax: str = ""
    tokens: tuple[str, ...] = ()
    keys: tuple[int, int, int] = (0, 0, 0)
    parts: tuple[str, ...] = ()


def parse_command_docs(docs: Any, commands: Any) -> dict[str, Doc]:
    """Return every command by its name in capitals (CONFIG GET too), in order of name.

    `docs` is the reply of COMMAND DOCS, `commands` that of COMMAND; either may be an error or missing.
    """
    found: dict[str, Doc] = {}
    for name, fields in _pairs(docs):
        _add(found, name.upper(), fields)
    for entry in commands if isinstance(commands, list) else ():
        _place(found, entry)
    return dict(sorted(found.items()))


def _pairs(flat: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(flat, list):
        return ()
    return zip(flat[::2], flat[1::2], strict=False)


def _add(found: dict[str, Doc], name: str, fields: Any) -> None:
    told = dict(_pairs(fields))
    parts = [
        (each.replace("|", " ").upper(), more) for each, more in _pairs(told.get("subcommands"))
    ]
    arguments = told.get("arguments", [])
    found[name] = Doc(
        name,
        told.get("summary", ""),
        told.get("since", ""),
        told.get("complexity", ""),
        told.get("group", ""),
        " ".join(filter(None, map(_syntax, arguments))),
        tuple(dict.fromkeys(_tokens(arguments))),
        parts=tuple(sorted(each.partition(" ")[2] for each, _ in parts)),
    )
    for each, more in parts:
        _add(found, each, more)


def _place(found: dict[str, Doc], entry: Any) -> None:
    """Take over where the keys of a command stand, and its subcommands', from COMMAND's entry."""
    name = str(entry[0]).replace("|", " ").upper()
    doc = found.get(name) or Doc(name)
    keys = (int(entry[3]), int(entry[4]), int(entry[5]))
    parts = entry[9] if len(entry) > 9 and isinstance(entry[9], list) else []
    for each in parts:
        _place(found, each)
    told = doc.parts or tuple(sorted(str(each[0]).partition("|")[2].upper() for each in parts))
    found[name] = doc._replace(keys=keys if keys[0] else doc.keys, parts=told)


def _syntax(argument: Any) -> str:
    """One argument as the documentation writes it: [NX | XX], key [key ...], EX seconds."""
    told = dict(_pairs(argument))
    flags = [str(each) for each in told.get("flags") or ()]
    inner = [_syntax(each) for each in told.get("arguments") or ()]
    kind, token = told.get("type", ""), told.get("token", "")
    if kind == "pure-token":
        text = token
    else:
        joined = " | ".join(inner) if kind == "oneof" else " ".join(inner)
        bare = joined or told.get("display_text") or told.get("name", "")
        text = f"{token} {bare}" if token else bare
        if kind == "oneof" and "optional" not in flags:
            text = f"<{text}>"
        if "multiple" in flags:
            again = text if "multiple_token" in flags else bare
            text = f"{text} [{again} ...]"
    return f"[{text}]" if "optional" in flags else text


def _tokens(arguments: Any) -> Iterable[str]:
    for argument in arguments or ():
        told = dict(_pairs(argument))
        if told.get("token"):
            yield str(told["token"])
        yield from _tokens(told.get("arguments"))


def doc_of(docs: Mapping[str, Doc], words: Iterable[str]) -> Doc | None:
    """Return what is told of the command that these words begin; of its subcommand where there is one."""
    upper = [each.upper() for each in words]
    whole = docs.get(" ".join(upper[:2])) if len(upper) > 1 else None
    return whole or docs.get(upper[0] if upper else "")


def takes_key(doc: Doc, at: int) -> bool:
    """Tell whether the word at this place (0 is the command's name) is a key."""
    first, last, step = doc.keys
    if not first or at < first or (at - first) % max(step, 1):
        return False
    return last < 0 or at <= last


class Offer(NamedTuple):
    """A word that may come next, and what is said beside it."""

    word: str
    meta: str = ""


def offers(docs: Mapping[str, Doc], words: tuple[str, ...], part: str) -> list[Offer]:
    """Return the commands, subcommands or tokens that may stand where `part` is begun, after `words`.

    They are written small where the person writes small.
    """
    upper = part.upper()
    if not words:
        found = [Offer(name, doc.summary) for name, doc in docs.items() if " " not in name]
    else:
        doc = doc_of(docs, words)
        if doc is None:
            return []
        if len(words) == 1 and doc.parts:
            found = [Offer(each, _summary(docs, doc, each)) for each in doc.parts]
        elif takes_key(doc, len(words)) and words[-1].upper() not in doc.tokens:
            return []
        else:
            used = {each.upper() for each in words[1:]}
            found = [Offer(each) for each in doc.tokens if each not in used]
    lower = part[:1].islower() or (not part and bool(words) and words[0][:1].islower())
    chosen = [each for each in found if each.word.startswith(upper)]
    return [each._replace(word=each.word.lower()) for each in chosen] if lower else chosen


def _summary(docs: Mapping[str, Doc], doc: Doc, part: str) -> str:
    whole = docs.get(f"{doc.name} {part}")
    return whole.summary if whole else ""


def wants_key(docs: Mapping[str, Doc], words: tuple[str, ...]) -> bool:
    """Tell whether the word after these is a key."""
    doc = doc_of(docs, words) if words else None
    if doc is None or (len(words) == 1 and doc.parts):
        return False
    return takes_key(doc, len(words))
