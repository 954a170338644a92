"""A model of ufw: two ordered lists, and what its commands do to them.

tests/lab/test_ufw_model.py holds it to the real ufw, command by command.
"""

from ipaddress import ip_address, ip_network

from keywright_ops.model.machine import Ufw, UfwRule
from keywright_ops.model.step import RunCommand, Step

FAMILIES = (4, 6)
VERBS = {"allow": "allow", "limit": "allow", "deny": "refuse", "reject": "refuse"}


class UfwModel:
    """Rules of IPv4 and of IPv6, as words and comment; a rule that names no address is in both."""

    def __init__(self) -> None:
        self.lists: dict[int, list[UfwRule]] = {4: [], 6: []}
        self.active = False

    def run(self, argv: tuple[str, ...]) -> None:
        """Do what `ufw …` would do."""
        verb, *rest = argv[1:]
        if verb in ("--force", "enable", "disable"):
            self.active = argv[-1] == "enable"
        elif verb == "delete":
            for family in FAMILIES:
                self.lists[family] = [
                    each for each in self.lists[family] if each.words != _words(rest)
                ]
        elif verb == "prepend":
            self._add(rest, on_top=True)
        else:
            self._add([verb, *rest], on_top=False)

    def _add(self, rest: list[str], on_top: bool) -> None:
        comment = rest[rest.index("comment") + 1] if "comment" in rest else ""
        rule = UfwRule(_words(rest[: rest.index("comment")] if comment else rest), comment)
        for family in _families(rule.words):
            rules = self.lists[family]
            at = next((at for at, each in enumerate(rules) if each.words == rule.words), None)
            if at is None:
                rules.insert(0 if on_top else len(rules), rule)
            elif not on_top:  # a prepend of what is there is skipped
                rules[at] = rule

    def shown(self) -> Ufw:
        """What `ufw show added` lists: IPv4's rules, then those that only IPv6 has."""
        rules = dict.fromkeys(each.words for family in FAMILIES for each in self.lists[family])
        comments = {each.words: each.comment for family in FAMILIES for each in self.lists[family]}
        return Ufw(self.active, tuple(UfwRule(words, comments[words]) for words in rules), "deny")

    def answers(self, source: str, port: int, interface: str = "eth0") -> str:
        """What becomes of a new TCP connection: "allow" or "refuse"."""
        for rule in self.lists[ip_address(source).version]:
            if _matches(rule.words.split(), source, port, interface):
                return VERBS[rule.words.split()[0]]
        return "refuse"


def apply_steps(model: UfwModel, steps: list[Step]) -> None:
    """Do what the steps say; only ufw's own commands are carried out."""
    for step in steps:
        assert isinstance(step.do, RunCommand)
        if step.do.argv[0] == "ufw":
            model.run(step.do.argv)


def _words(words: list[str]) -> str:
    """As ufw shows them: one address has no prefix length."""
    return " ".join(each.removesuffix("/32").removesuffix("/128") for each in words)


def _families(words: str) -> tuple[int, ...]:
    source = words.partition(" from ")[2].partition(" ")[0]
    return (ip_network(source).version,) if source else FAMILIES


def _matches(words: list[str], source: str, port: int, interface: str) -> bool:
    told = [each for each in words[1:] if each not in ("log", "log-all")]
    if told[0] == "out":
        return False
    if told[:2] == ["in", "on"]:
        if told[2] != interface:
            return False
        told = told[3:]
    if "from" in told and ip_address(source) not in ip_network(told[told.index("from") + 1]):
        return False
    if "from" not in told and "port" not in told:
        ports, _, protocol = told[0].partition("/")
        if told[0] == "OpenSSH":
            ports, protocol = "22", "tcp"
    else:
        ports = told[told.index("port") + 1] if "port" in told else f"{port}"
        protocol = told[told.index("proto") + 1] if "proto" in told else ""
    spans = [each.partition(":") for each in ports.split(",")]
    inside = any(int(first) <= port <= int(last or first) for first, _, last in spans)
    return inside and protocol in ("", "tcp")
