"""Reads ACL LIST and ACL files, and tells whether two users may do the same.

Servers echo the same rights differently: redis 7.0 writes `+@all -@dangerous +info` as a list of
commands, 8.2 and Valkey 9.1 echo the rule as given. So rights are compared by what they permit.
"""

from collections.abc import Iterable, Mapping

from keywright_ops.model.facts import AclUser

# What everybody may send, even before logging in (CMD_NO_AUTH in redis `src/commands`).
_ALWAYS = frozenset({"auth", "hello", "quit", "reset"})
_FLAGS = ("sanitize-payload",)  # the default, which some servers print and others do not


def parse_acl_list(lines: Iterable[str]) -> dict[str, AclUser]:
    """Return the users by name from ACL LIST's lines, or from those of an ACL file.

    A selector (`(…)`) and what this parser does not know stay in `commands` as one word each, so
    that they count as a difference. A plaintext password (`>…`) is kept as its hash only.
    """
    users: dict[str, AclUser] = {}
    for line in lines:
        words = line.strip(" \t\r\n").split(" ")
        if len(words) > 1 and words[0] == "user":
            users[words[1]] = _user(words[1], _with_selectors(words[2:]))
    return users


def _with_selectors(words: list[str]) -> list[str]:
    """Join `(~a`, `+get)` to one word, by the server's own rule: up to a word that ends in `)`."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("(") and not joined[-1].endswith(")"):
            joined[-1] += " " + word
        elif word:
            joined.append(word)
    return joined


def _user(name: str, rules: list[str]) -> AclUser:
    enabled = nopass = False
    hashes: set[str] = set()
    keys: list[str] = []
    channels: list[str] = []
    commands: list[str] = []
    for rule in rules:
        word = rule.lower()
        if word in ("on", "off"):
            enabled = word == "on"
        elif word in ("nopass", "resetpass"):
            nopass = word == "nopass"
            hashes.clear()
        elif word == "reset":
            enabled = nopass = False
            for each in (hashes, keys, channels, commands):
                each.clear()
        elif rule[0] in "#>":
            hashes.add(rule[1:].lower() if rule[0] == "#" else _sha256(rule[1:]))
            nopass = False
        elif rule[0] in "!<":
            hashes.discard(rule[1:].lower() if rule[0] == "!" else _sha256(rule[1:]))
        elif rule[0] in "~%" or word in ("allkeys", "resetkeys"):
            _add_pattern(keys, rule, "~*", "resetkeys")
        elif rule[0] == "&" or word in ("allchannels", "resetchannels"):
            _add_pattern(channels, rule, "&*", "resetchannels")
        elif word == "clearselectors":
            commands = [each for each in commands if each[0] != "("]
        elif word not in _FLAGS:
            commands.append(rule)
    return AclUser(
        name, enabled, nopass, frozenset(hashes), tuple(keys), tuple(channels), tuple(commands)
    )


def _add_pattern(patterns: list[str], rule: str, everything: str, reset: str) -> None:
    word = rule.lower()
    if word == reset:
        patterns.clear()
        return
    if word in ("allkeys", "allchannels"):
        rule = everything
    if word.startswith(("%rw~", "%wr~")):
        rule = rule[3:]
    if rule == everything:
        patterns.clear()
    if rule not in patterns and everything not in patterns:
        patterns.append(rule)


def _sha256(text: str) -> str:
    # Imported here: only a hand-written ACL file holds plaintext, and hashlib loads OpenSSL.
    from hashlib import sha256

    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def same_rights(declared: AclUser, live: AclUser, categories: Mapping[str, frozenset[str]]) -> bool:
    """Tell whether both users may do the same; password hashes are compared elsewhere.

    Compared are: on or off, nopass, key and channel patterns in any order, the permitted commands
    and subcommands, selectors, and rules that are not understood. `categories` is what ACL CAT
    answers, by category, with "all" for every command; where that is missing, the union is taken.
    """
    return (
        (declared.enabled, declared.nopass) == (live.enabled, live.nopass)
        and set(declared.keys) == set(live.keys)
        and set(declared.channels) == set(live.channels)
        and permitted(declared.commands, categories) == permitted(live.commands, categories)
    )


def permitted(rules: Iterable[str], categories: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return every command (`get`, `config|get`) that the rules permit, applied in their order.

    A command that has subcommands stands for them and is not itself in the answer. A rule that is
    neither a category nor a command is in the answer as it was written, brackets and all.
    """
    every = categories.get("all") or frozenset().union(*categories.values())
    subcommands: dict[str, set[str]] = {}
    for name in every:
        parent, bar, _ = name.partition("|")
        if bar:
            subcommands.setdefault(parent, set()).add(name)
    allowed: set[str] = set()
    odd: list[str] = []
    for rule in rules:
        names = _named(rule, categories, every, subcommands)
        if names is None:
            odd.append(rule)
        elif rule[0] == "-" or rule.lower() == "nocommands":
            allowed -= names
        else:
            allowed |= names
        if names is not None and names >= every:  # what was said of single commands is overruled
            odd = [each for each in odd if each[0] not in "+-"]
    allowed |= _ALWAYS & every
    return frozenset(allowed - subcommands.keys()) | frozenset(odd)


def _named(
    rule: str,
    categories: Mapping[str, frozenset[str]],
    every: frozenset[str],
    subcommands: Mapping[str, set[str]],
) -> set[str] | None:
    """Return the commands that one rule speaks of; None when the rule is not understood."""
    word = rule.lower()
    if word in ("allcommands", "nocommands", "+@all", "-@all"):
        return set(every)
    if word[:1] not in "+-" or not word[1:]:
        return None
    name = word[1:]
    listed = categories.get(name[1:]) if name[0] == "@" else frozenset({name}) & every
    if not listed:
        return None
    # As the server does it: a command of the category carries all of its subcommands along.
    return set(listed).union(*(subcommands.get(each, ()) for each in listed))
