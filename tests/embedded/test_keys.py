"""`keys`, `key` and `sessions` as a person meets them; test_keys_engines.py asks other engines."""

import json
import signal

import pytest
from tests.embedded.stranger import Person, Said, await_true, on_terminal

from keywright.endpoint import Endpoint
from keywright.secret import Secret
from keywright.sessions import SessionStore
from keywright_ops.facts.escapes import shown


@pytest.fixture
def one(neighbour: Person) -> Person:
    """A person with a few keys."""
    neighbour.ask("FLUSHALL")
    with neighbour.wire() as wire:
        wire.batch([
            ("SET", "session:abc-123", '{"user_id":42,"cart":[1]}', "EX", 3600),
            ("SET", "cache:a", "x" * 5000), ("SET", "cache:b", "y", "EX", 60),
            ("HSET", "h", "field", b"\xff\xfe"), ("RPUSH", "l", *range(120)),
            ("SET", b"bin\xff\n", "v"), ("SET", "-dash", "v"), ("ZADD", "z", 1, "a"),
        ])  # fmt: skip
    return neighbour


NAMES = {"session:abc-123", "cache:a", "cache:b", "h", "l", "bin\\xff\\n", "\\x2ddash", "z"}


def told(said: Said) -> dict:
    """The JSON that was said."""
    assert said.code == 0, said
    return json.loads(said.out)


def test_a_pipe_gets_one_name_a_line_and_every_name_is_taken_back(one: Person):
    """What `keys` prints is what every command takes, also bytes and a leading dash."""
    said = one.say("keys")
    assert set(said.out.splitlines()) == NAMES
    assert said.err == ""
    for name in ("h", "bin\\xff\\n", "\\x2ddash"):
        assert told(one.say("key", "show", name, "--json"))["name"] == name
        assert one.say("keys", name).out == f"{name}\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("session:*",), {"session:abc-123"}), (("--type", "hash"), {"h"}),
        (("--no-ttl",), NAMES - {"session:abc-123", "cache:b"}), (("--ttl", "<5m"), {"cache:b"}),
        (("--ttl", ">5m"), {"session:abc-123"}), (("cache:*", "--min-size", "1kb"), {"cache:a"}),
        (("nothing*",), set()), (("cache:?", "--ttl", "none"), {"cache:a"}), (("h", "--type", "list"), set()),
    ],
)  # fmt: skip
def test_conditions(one: Person, words: tuple[str, ...], expected: set[str]):
    """Each condition keeps its own, as names and as JSON."""
    if len(words) == 1:
        assert set(one.say("keys", *words).out.splitlines()) == expected
    report = told(one.say("keys", *words, "--json"))
    assert {each["name"] for each in report["keys"]} == expected
    assert report["total"] == len(NAMES)


def test_a_person_sees_a_table_and_how_to_see_more(one: Person):
    """On a terminal: type, time, size, at most 100, and one sentence."""
    one.fill(300)
    code, screen = on_terminal(one, "keys", answers={})
    lines = screen.splitlines()
    assert code == 0
    assert (
        len([line for line in lines if line.startswith(("\x1b[1m", "string", "hash", "list"))])
        <= 101
    )
    assert "--limit 0 shows all" in screen
    assert "Scanned" in screen
    _, screen = on_terminal(one, "keys", "--sort", "size", "--limit", "1", answers={})
    assert "cache:a" in screen
    assert "found 308, 1 of them shown" in screen
    _, screen = on_terminal(one, "keys", "nosuch", answers={})
    assert "no such key" in screen


def test_never_keys(one: Person):
    """The server saw SCAN, and no KEYS."""
    one.ask("CONFIG", "RESETSTAT")
    one.say("keys", "*a*", "--sort", "size")
    stats = one.info()
    assert "cmdstat_scan" in stats
    assert "cmdstat_keys" not in stats


def test_the_viewer_sees_names_but_no_values(one: Person):
    """Least rights: names, types, TTLs and sizes; one sentence says what is missing."""
    report = told(one.say("keys", "--as", "viewer", "--json"))
    assert {each["name"] for each in report["keys"]} == NAMES
    assert all(each["size"] > 0 for each in report["keys"])
    said = one.say("key", "show", "cache:b", "--as", "viewer")
    assert said.code == 0
    assert "type " in said.out
    assert said.err.count("\n") == 1
    assert "user viewer may see names, types, TTLs and sizes, but no values" in said.err
    refused = one.say("key", "set", "cache:b", "v", "--yes", "--as", "viewer")
    assert refused.code == 1
    assert "user viewer may not use DUMP" in refused.err


def test_show_decodes_and_raw_does_not(one: Person):
    """JSON is laid out, bytes are escaped, --raw writes the bytes as they are."""
    said = one.say("key", "show", "session:abc-123")
    assert '  "user_id": 42,' in said.out
    assert "ends 20" in said.out
    assert one.say("key", "show", "session:abc-123", "--raw").out == '{"user_id":42,"cart":[1]}'
    assert "\\xff\\xfe" in one.say("key", "show", "h").out
    raw = one.start("key", "show", "h", "--raw", text=False)
    assert raw.communicate(timeout=60)[0] == b"field\t\xff\xfe\n"


def test_a_long_value_is_paged(one: Person):
    """Fifty members, where the rest begins, and all of them."""
    said = one.say("key", "show", "l")
    assert "50 of 120 shown; --from '50' goes on" in said.err
    assert "  49\n" in said.out
    assert "  50\n" not in said.out
    rest = told(one.say("key", "show", "l", "--from", "100", "--json"))
    assert rest["items"] == [[str(n)] for n in range(100, 120)]
    assert len(told(one.say("key", "show", "l", "--all", "--json"))["items"]) == 120


def test_a_key_that_is_not_there(one: Person):
    """One sentence and exit 1, for looking and changing alike."""
    for words in (("show", "no"), ("expire", "no", "1h"), ("persist", "no"), ("rename", "no", "x"),
                  ("copy", "no", "x"), ("edit", "no"), ("set", "no", "v", "--xx")):  # fmt: skip
        said = one.say("key", *words)
        assert said.code == 1, words
        assert "there is no key no in database 0 of local" in said.err


def test_set_keeps_the_time_and_asks_before_it_replaces(one: Person):
    """SET alone would take the time away and the old value with it."""
    refused = one.say("key", "set", "cache:b", "new")
    assert refused.code == 4
    assert one.ask("GET", "cache:b") == "y"
    assert one.say("key", "set", "cache:b", "new", "--yes").code == 0
    assert one.ask("GET", "cache:b") == "new"
    assert told(one.say("keys", "--undo", "last", "--json"))["there"] == 1
    assert one.say("keys", "--undo", "last", "--replace").code == 0
    assert one.ask("GET", "cache:b") == "y"
    assert 0 < one.ask("TTL", "cache:b") <= 60
    assert one.say("keys", "--undo", "last", "--replace").code == 0
    assert one.ask("GET", "cache:b") == "new"  # what the first one wrote over was kept too
    assert one.say("key", "set", "cache:b", "new", "--xx", "--ttl", "none").code == 0
    assert one.ask("TTL", "cache:b") == -1
    assert one.say("key", "set", "cache:b", "new", "--nx").code == 4
    assert one.say("key", "set", "fresh", "--from-file", "-", "--ttl", "1h", typed="a\nb").code == 0
    assert one.ask("GET", "fresh") == "a\nb"
    assert 3500 < one.ask("TTL", "fresh") <= 3600
    code, _ = on_terminal(one, "key", "set", "h", "text", answers={"Type yes": "no"})
    assert code == 4
    assert one.ask("TYPE", "h") == "hash"


def test_expire_and_persist(one: Person):
    """The guide's EXPIRE 3600 and PERSIST."""
    assert one.say("key", "expire", "cache:a", "1h").code == 0
    assert 3590 < one.ask("TTL", "cache:a") <= 3600
    assert one.say("key", "persist", "cache:a").code == 0
    assert one.ask("TTL", "cache:a") == -1
    assert one.say("key", "expire", "cache:a", "soon").code == 2


def test_rename_and_copy_overwrite_nothing_unasked(one: Person):
    """Another key in the way is named; --replace and a yes write over it."""
    for verb in ("rename", "copy"):
        said = one.say("key", verb, "cache:b", "h")
        assert said.code == 4
        assert "h, a hash of 1 members" in said.err
    assert one.say("key", "copy", "cache:b", "new").code == 0
    assert 0 < one.ask("TTL", "new") <= 60
    assert one.say("key", "rename", "new", "h", "--replace").code == 4
    assert one.say("key", "rename", "new", "h", "--replace", "--yes").code == 0
    assert one.ask("GET", "h") == "y"
    assert one.ask("EXISTS", "new") == 0
    assert one.say("keys", "--undo", "last", "--replace").code == 0
    assert one.ask("TYPE", "h") == "hash"


def editor(one: Person, script: str) -> dict[str, str]:
    """An editor that runs a shell script on the file."""
    path = one.project / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"EDITOR": str(path), "TMPDIR": str(one.project)}


def test_edit_changes_one_thing_and_keeps_the_rest(one: Person):
    """The difference is shown; style and time are as they were."""
    said = one.say("key", "edit", "session:abc-123", "--yes",
                   environ=editor(one, 'sed -i s/42/43/ "$1"'))  # fmt: skip
    assert said.code == 0, said
    assert '-  "user_id": 42,' in said.err
    assert '+  "user_id": 43,' in said.err
    assert one.ask("GET", "session:abc-123") == '{"user_id":43,"cart":[1]}'
    assert one.ask("TTL", "session:abc-123") > 3000
    assert not list(one.project.glob("tmp*"))
    same = one.say("key", "edit", "session:abc-123", environ=editor(one, "true"))
    assert same.code == 0
    assert "nothing was written" in same.out


def test_edit_loses_no_update_and_no_work(one: Person):
    """Who wrote meanwhile wins, and what was typed is kept in a file that is named."""
    port, password = one.port, one.secrets["admin"]
    cli = f"redis-cli -p {port} --user admin --no-auth-warning"
    script = (
        f'REDISCLI_AUTH={password} {cli} SET cache:b theirs KEEPTTL >/dev/null; echo mine > "$1"'
    )
    said = one.say("key", "edit", "cache:b", "--yes", environ=editor(one, script))
    assert said.code == 1
    assert "was changed by somebody else while you edited: nothing was written" in said.err
    assert one.ask("GET", "cache:b") == "theirs"
    (kept,) = one.project.glob("tmp*")
    assert kept.read_text() == "mine\n"
    assert str(kept) in said.err
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.unlink()
    broken = one.say(
        "key", "edit", "session:abc-123", "--yes", environ=editor(one, 'echo "{" > "$1"')
    )
    assert broken.code == 4
    assert one.ask("GET", "session:abc-123") == '{"user_id":42,"cart":[1]}'
    for each in one.project.glob("tmp*"):
        each.unlink()


def test_a_bulk_delete_counts_asks_copies_and_comes_back(one: Person):
    """The dry run changes nothing, nobody's yes refuses, and undo brings everything back."""
    one.fill(2500)
    dry = told(one.say("keys", "esabcfg:*", "--delete", "--dry-run", "--json"))
    assert dry["count"] == 2500
    assert len(dry["sample"]) == 10
    refused = one.say("keys", "esabcfg:*", "--delete")
    assert refused.code == 4
    assert one.ask("DBSIZE") == 2500 + len(NAMES)
    done = told(one.say("keys", "esabcfg:*", "--delete", "--yes", "--json"))
    assert (done["done"], done["left"]) == (2500, 0)
    assert one.ask("DBSIZE") == len(NAMES)
    back = told(one.say("keys", "--undo", "last", "--json"))
    assert back["done"] == 2500
    assert one.ask("DBSIZE") == 2500 + len(NAMES)
    assert one.ask("GET", "esabcfg:fill:7") == "x" * 10
    code, screen = on_terminal(one, "keys", "esabcfg:*", "--delete", "--no-copy",
                               answers={"Type yes": "yes"})  # fmt: skip
    assert code == 0
    assert "this cannot be taken back" in screen
    assert one.ask("DBSIZE") == len(NAMES)


def test_a_bulk_expire_is_the_guides_fix(one: Person):
    """Keys without an end get one, the others keep theirs, and undo takes it back."""
    done = told(one.say("keys", "--no-ttl", "--expire", "1h", "--yes", "--json"))
    assert done["done"] == len(NAMES) - 2
    assert one.say("keys", "--no-ttl").out == ""
    assert 0 < one.ask("TTL", "cache:b") <= 60
    assert told(one.say("keys", "--undo", "last", "--json"))["done"] == len(NAMES) - 2
    assert len(one.say("keys", "--no-ttl").out.splitlines()) == len(NAMES) - 2


def test_named_keys_are_deleted_with_a_copy(one: Person):
    """`key delete` tells who is absent, and undo brings back what went."""
    said = one.say("key", "delete", "h", "bin\\xff\\n", "absent", "--yes")
    assert said.code == 0
    assert "2 keys deleted" in said.out
    assert "not there: absent" in said.err
    assert one.ask("EXISTS", "h", b"bin\xff\n") == 0
    assert one.say("keys", "--undo", "last").code == 0
    assert one.ask("EXISTS", "h", b"bin\xff\n") == 2
    assert one.say("key", "delete", "absent", "--yes").code == 1


def test_a_bulk_change_says_what_it_means(one: Person):
    """No pattern, two changes, or a copy that is too large: refused before anything is touched."""
    for words, code in (
        (("--delete", "--yes"), 2),
        (("a*", "--delete", "--expire", "1h"), 2),
        (("a*", "--delete", "--sort", "size"), 2),
        (("a*", "--yes"), 2),
        (("cache:*", "--delete", "--yes", "--copy-limit", "1kb"), 4),
        (("--undo", "nosuch"), 2),
        (("--undo", ""), 2),
        (("cache:*", "--undo", "last"), 2),
    ):
        assert one.say("keys", *words).code == code, words
    assert one.ask("DBSIZE") == len(NAMES)


def test_ctrl_c_keeps_what_was_done_and_says_how_far(one: Person):
    """After the batch under way it ends; what went is in the copy, and the same command goes on."""
    one.fill(10_000)
    child = one.start("keys", "esabcfg:*", "--delete", "--yes", "--pace", "20%")
    try:
        await_true(lambda: 0 < one.ask("DBSIZE") < 10_000, "it has begun", 60)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 130
    assert "of about 10,000 keys deleted" in out
    assert "stopped; the same command goes on" in err
    done = int(out.split()[0].replace(",", ""))
    assert one.ask("DBSIZE") == 10_000 + len(NAMES) - done
    assert told(one.say("keys", "--undo", "last", "--json"))["done"] == done
    assert one.ask("DBSIZE") == 10_000 + len(NAMES)


def test_idle_times_and_frequencies(one: Person):
    """The eviction policy decides which of the two a server knows; the other is said to be missing."""
    assert "idle " in one.say("key", "show", "h").out
    assert one.say("keys", "--sort", "idle").code == 0
    one.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    try:
        assert "frequency " in one.say("key", "show", "h").out
        said = one.say("keys", "--sort", "idle")
        assert said.code == 2
        assert "LFU" in said.err
    finally:
        one.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")


# --- sessions ---------------------------------------------------------------------------------------


def store(one: Person) -> SessionStore:
    """The application's own store on this server."""
    place = Endpoint(port=one.port, username="admin", password=Secret(one.secrets["admin"]))
    return SessionStore(place, ttl=3600, prefix="esabcfg:")


def test_sessions_are_listed_without_their_ids(one: Person):
    """Whose, how old, when they end; the id opens a session and is shown only when asked for."""
    sessions = store(one)
    first = sessions.create({"cart": 1}, user="ada", agent="Firefox")
    sessions.create({}, user="ada")
    sessions.create({}, user="bob")
    report = told(one.say("sessions", "--json"))
    assert {row["user"] for row in report["sessions"]} == {"ada", "bob", "42"}
    assert report["users"][0] == {"user": "ada", "sessions": 2}
    said = one.say("sessions")
    assert first.id not in said.text
    assert "4 sessions of 3 users" in said.out
    assert shown(first.id.encode()) in one.say("sessions", "--user", "ada", "--ids").out
    mark = next(
        line.split()[0] for line in one.say("sessions", "--user", "bob").out.splitlines()[1:]
    )
    bobs = one.say("sessions", "show", mark)
    assert "user     bob" in bobs.out
    assert '"cart": 1' in one.say("sessions", "show", shown(first.id.encode())).out
    assert "esabcfg" not in bobs.out
    viewer = one.say("sessions", "--as", "viewer")
    assert viewer.code == 0
    assert "user viewer may not read whose they are" in viewer.err


def test_ending_sessions_follows_the_librarys_rules(one: Person):
    """They are gone for the application, and its own list of the user's sessions knows it."""
    sessions = store(one)
    ours = [sessions.create({}, user="ada") for _ in range(3)]
    other = sessions.create({}, user="bob")
    assert one.say("sessions", "end", "--user", "ada").code == 4
    assert "3 sessions of ada ended" in one.say("sessions", "end", "--user", "ada", "--yes").out
    assert [sessions.load(each.id) for each in ours] == [None] * 3
    assert sessions.count("ada") == 0
    assert sessions.load(other.id) is not None
    assert "1 session ended" in one.say("sessions", "end", shown(other.id.encode()), "--yes").out
    assert sessions.count("bob") == 0
    assert "1 session ended" in one.say("sessions", "end", "abc-123", "--yes").out
    assert one.ask("EXISTS", "session:abc-123") == 0
    assert one.say("sessions", "show", "abc-123").code == 1


def test_what_is_mistyped_or_has_no_room(one: Person):
    """A type that the server does not know is exit 2; bytes that have no room are a sentence."""
    wrong = one.say("keys", "--type", "strng")
    assert (wrong.code, "types are string, list" in wrong.err) == (2, True), wrong
    with open("/dev/full", "w") as full:
        said = one.say("key", "show", "cache:b", "--raw", stdout=full)
    assert (said.code, "cannot write the output" in said.err) == (1, True), said


def test_options_may_stand_before_the_command(one: Person):
    """As whom and which database may be said first, like the environment."""
    assert one.say("--as", "viewer", "-n", "0", "keys", "cache:b").code == 0
