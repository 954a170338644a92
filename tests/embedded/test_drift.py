"""What somebody changed by hand: `diff` says it, `check` fails with the evidence, `up` mends it."""

import pytest
from tests.embedded.stranger import Person


def hand(person: Person, what: str) -> None:
    """Change something as a person at two in the morning would."""
    state = person.state
    conf, acl = state / "redis.conf", state / "users.acl"
    match what:
        case "config-set":
            person.ask("CONFIG", "SET", "maxmemory", "1000000000")
        case "acl-setuser":
            person.ask("ACL", "SETUSER", "appuser", "+@all")
        case "acl-deluser":
            person.ask("ACL", "DELUSER", "viewer")
        case "acl-newuser":
            person.ask("ACL", "SETUSER", "eve", "on", ">pw", "~*", "+@all")
        case "conf-edited":
            conf.write_text(conf.read_text().replace("maxmemory 536870912", "maxmemory 1"))
        case "conf-comment":
            conf.write_text(conf.read_text() + "# my note\n")
        case "acl-edited":
            acl.write_text(acl.read_text() + "user eve on nopass ~* +@all\n")
        case "conf-mode":
            conf.chmod(0o644)
        case "acl-mode":
            acl.chmod(0o644)
        case "env-mode":
            (state / "app.env").chmod(0o604)
        case "conf-gone":
            conf.unlink()
        case "acl-gone":
            acl.unlink()
        case "env-gone":
            (state / "app.env").unlink()


EVIDENCE = {
    "config-set": "maxmemory is 1000000000",
    "acl-setuser": "appuser has other rights",
    "acl-deluser": "viewer is missing",
    "acl-newuser": "eve is not in the plan",
    "conf-edited": "redis.conf says maxmemory 1",
    "conf-comment": "redis.conf has another content",
    "acl-edited": "users.acl has another content",
    "conf-mode": "redis.conf has mode 644, declared 600",
    "acl-mode": "users.acl has mode 644, declared 600",
    "env-mode": "app.env has mode 604",
    "conf-gone": "redis.conf: it is not there",
    "acl-gone": "users.acl: it is not there",
    "env-gone": "app.env: it is not there",
}


@pytest.mark.parametrize("what", EVIDENCE)
def test_by_hand(neighbour: Person, what: str) -> None:
    """Law: found by diff (a step), by check (exit 1 with evidence), mended by up without a restart."""
    before = neighbour.identity()
    hand(neighbour, what)
    assert neighbour.say("diff", "--strict").code == 1
    said = neighbour.say("check", "--json")
    assert said.code == 1
    assert EVIDENCE[what] in said.out
    said = neighbour.say("up")
    assert said.code == 0, said
    assert neighbour.identity() == before


def test_conf_names_another_port(neighbour: Person) -> None:
    """Law: a redis.conf edited to another port does not make Keywright lose its server."""
    before = neighbour.identity()
    conf = neighbour.state / "redis.conf"
    conf.write_text(conf.read_text().replace(f"port {neighbour.port}", "port 1"))
    assert neighbour.say("status").code == 0
    assert neighbour.say("check").code == 1
    assert neighbour.say("up").code == 0
    assert neighbour.identity() == before


def test_vault_open_to_others(neighbour: Person) -> None:
    """Law: a vault that others may read is refused (2) with the command that closes it."""
    vault = neighbour.state / "vault.json"
    vault.chmod(0o640)
    try:
        for verb in ("up", "status", "check"):
            said = neighbour.say(verb)
            assert (said.code, "chmod 600" in said.err) == (2, True)
    finally:
        vault.chmod(0o600)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"secrets": []}', "\0", '{"secrets": {"a": [7]}}']
)
def test_vault_damaged(neighbour: Person, content: str) -> None:
    """Law: a damaged vault is refused (2), and never overwritten."""
    vault = neighbour.state / "vault.json"
    before = vault.read_text()
    vault.write_text(content)
    try:
        said = neighbour.say("up")
        assert (said.code, "is damaged" in said.err) == (2, True)
        assert vault.read_text() == content
    finally:
        vault.write_text(before)


def test_vault_lost(settled: Person) -> None:
    """Law: without its vault `check` fails, and `up` gives new passwords by a restart that keeps data."""
    settled.ask("SET", "kept", "1")
    (settled.state / "vault.json").unlink()
    said = settled.say("check")
    assert said.code == 1, said
    said = settled.say("up")
    assert said.code == 0, said
    assert settled.ask("GET", "kept") == "1"


def test_appendonly_flipped_by_hand(settled: Person) -> None:
    """Law: `CONFIG SET appendonly no` at runtime is mended by up, and no key is lost by it."""
    settled.fill(10)
    settled.ask("CONFIG", "SET", "appendonly", "no")
    settled.ask("SET", "later", "1")
    assert settled.say("check").code == 1
    assert settled.say("up").code == 0
    assert settled.say("restart").code == 0
    assert settled.ask("GET", "later") == "1"


def test_state_folder_open_to_others(neighbour: Person) -> None:
    """Law: whatever the umask, no file or folder of the environment is open to others."""
    for path in (neighbour.state, *neighbour.state.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
