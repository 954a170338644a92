"""What an ACL rule list permits, by our reckoning and by the server's own ACL DRYRUN."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.engines.servers import Line, Server

from keywright_ops.facts.acl import parse_acl_list, permitted, same_rights

CATEGORIES = (
    "@all", "@read", "@write", "@admin", "@dangerous", "@slow", "@fast", "@keyspace",
    "@connection", "@pubsub", "@scripting", "@blocking", "@string",
)  # fmt: skip
COMMANDS = (
    "get", "set", "keys", "info", "config", "config|get", "client", "client|kill", "acl",
    "acl|whoami", "memory|usage", "object|freq", "sort", "role", "flushall", "script|load",
)  # fmt: skip
RULE = st.builds("".join, st.tuples(st.sampled_from("+-"), st.sampled_from(CATEGORIES + COMMANDS)))
SETTINGS = settings(
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_KNOWN: dict[int, tuple[dict[str, frozenset[str]], dict[str, int]]] = {}


def _known(line: Line, port: int) -> tuple[dict[str, frozenset[str]], dict[str, int]]:
    """The server's categories, and every command that can be sent with its number of words."""
    if port not in _KNOWN:
        names = line.ask("ACL", "CAT")
        replies = line.ask_all([("ACL", "CAT", name) for name in names])
        found = {name: frozenset(each) for name, each in zip(names, replies, strict=True)}
        arity: dict[str, int] = {}
        for entry in line.ask("COMMAND"):
            for one in entry[9] or [entry]:
                arity[one[0].lower()] = abs(one[1])
        # Commands that a module brought (vector sets in Redis 8) stand in no category.
        found["all"] = frozenset(arity).union(*found.values())
        _KNOWN[port] = found, arity
    return _KNOWN[port]


def _may(line: Line, arity: dict[str, int]) -> tuple[set[str], set[str]]:
    """What the server's dry run lets the user t do, and what it refuses for want of a right."""
    commands = []
    for name, count in arity.items():
        words = name.split("|")
        commands.append(("ACL", "DRYRUN", "t", *words, *["1"] * (count - len(words))))
    replies = map(str, line.ask_all(list(commands)))
    yes, no = set(), set()
    for name, reply in zip(arity, replies, strict=True):
        if "no permissions to run" in reply:
            no.add(name)
        elif reply == "OK":
            yes.add(name)
    return yes, no


@SETTINGS
@given(st.lists(RULE, max_size=6))
@example(["+@all", "-@dangerous", "+info"])
@example(["+@all", "-config", "+config|get"])
@example(["+@slow", "-@admin"])
@example(["+@read", "-@slow", "+client|list"])
def test_permitted_is_what_the_server_permits(open_server: Server, rules: list[str]):
    """For any rule list, the commands that we say are permitted are those that ACL DRYRUN lets by,
    both for the rules as declared and as the server echoes them."""
    with open_server.line() as line:
        categories, arity = _known(line, open_server.port)
        assert line.ask("ACL", "SETUSER", "t", "reset", "~*", "&*", *rules) == "OK"
        yes, no = _may(line, arity)
        lines = line.ask("ACL", "LIST")
    live = parse_acl_list(lines)["t"]
    declared = parse_acl_list([" ".join(["user t ~* &*", *rules])])["t"]
    assert len(yes | no) > 250
    for each in (declared, live):
        ours = permitted(each.commands, categories)
        assert (yes, set()) == (ours & (yes | no), ours & no)
    assert same_rights(declared, live, categories)


def _user(line: Line, *rules: str):
    assert line.ask("ACL", "SETUSER", "t", "reset", *rules) == "OK", rules
    return parse_acl_list(line.ask("ACL", "LIST"))["t"]


def test_every_difference_is_seen(open_server: Server):
    """One more or less of anything makes other rights; another order of the same does not."""
    base = ("on", "~a*", "%R~b*", "&c", "+@all", "-@dangerous", "+info")
    declared = parse_acl_list([" ".join(["user t", *base])])["t"]
    others = {
        "off": ("off", *base[1:]),
        "open": (*base, "nopass"),
        "more keys": (*base, "~c*"),
        "all keys": (*base, "allkeys"),
        "other keys": ("on", "~A*", *base[2:]),
        "reads and writes": ("on", "~a*", "~b*", *base[3:]),
        "more channels": (*base, "&d"),
        "all channels": (*base, "allchannels"),
        "one command more": (*base, "+keys"),
        "one command less": (*base, "-get"),
        "one subcommand less": (*base, "-client|setname"),
        "a selector": (*base, "(~z +get)"),
    }
    with open_server.line() as line:
        categories, _ = _known(line, open_server.port)
        same = {
            "itself": same_rights(declared, _user(line, *base), categories),
            "other order": same_rights(
                declared, _user(line, "+@all", "&c", "%R~b*", "~a*", "-@dangerous", "+info", "on"),
                categories,
            ),
            "in other words": same_rights(
                declared, _user(line, *base[:4], "allcommands", "-keys", "-@dangerous", "+info"),
                categories,
            ),
        }  # fmt: skip
        seen = {
            name: same_rights(declared, _user(line, *rules), categories)
            for name, rules in others.items()
        }
    assert dict.fromkeys(same, True) == same
    assert dict.fromkeys(others, False) == seen
