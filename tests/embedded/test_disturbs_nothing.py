"""`check` and a repeated `up` disturb nothing."""

import time

from tests.embedded.stranger import Person, alive, await_true, processes

WRITES = {"set", "del", "unlink", "flushall", "flushdb", "config|set", "config|rewrite", "shutdown",
          "acl|setuser", "acl|load", "acl|deluser", "bgsave", "save", "bgrewriteaof", "debug",
          "client|kill", "config|resetstat"}  # fmt: skip


def calls(person: Person) -> dict[str, int]:
    """How often each command was called (INFO commandstats)."""
    return {
        name.removeprefix("cmdstat_"): int(value.partition("calls=")[2].partition(",")[0])
        for name, value in person.info().items()
        if name.startswith("cmdstat_")
    }


def test_nothing_is_disturbed(neighbour: Person) -> None:
    """Law: same process, same run, same keys; the only writes are the canary's, with a TTL."""
    neighbour.fill(10)
    for words in (["check"], ["up"], ["status"], ["diff"], ["info"], ["up", "--dry-run"]):
        before, was, keys = neighbour.identity(), calls(neighbour), neighbour.ask("DBSIZE")
        files = {path: path.read_bytes() for path in neighbour.state.glob("*.*")
                 if path.name not in ("server.log", "journal.jsonl")}  # fmt: skip
        assert neighbour.say(*words).code == 0
        now = calls(neighbour)
        written = {name for name in WRITES if now.get(name, 0) > was.get(name, 0)}
        proving = words in (["check"], ["up"])
        assert written == ({"set", "unlink"} if proving else set())
        assert now.get("set", 0) - was.get("set", 0) == (2 if proving else 0)
        assert neighbour.identity() == before
        assert neighbour.ask("DBSIZE") == keys
        assert files == {path: path.read_bytes() for path in files}


def test_killed_check_leaves_no_server(neighbour: Person) -> None:
    """Law: the scratch server of a check ends with it, also when the check is killed with SIGKILL."""
    folder = neighbour.root / "tmp"
    folder.mkdir()
    for _ in range(20):  # the scratch server lives some 30 ms: looked for until it is seen
        child = neighbour.start("check", env=neighbour.environ | {"TMPDIR": str(folder)})
        scratch: list[int] = []
        while child.poll() is None and not scratch:
            scratch = [pid for pid, argv in processes() if any(str(folder) in w for w in argv)]
        child.kill()
        child.communicate()
        for pid in scratch:
            await_true(lambda pid=pid: not alive(pid), "the scratch server ends")  # type: ignore[misc]
        if scratch:
            return
    raise AssertionError("no scratch server was ever seen: the test proves nothing")


def test_canary_has_a_ttl(neighbour: Person) -> None:
    """Law: a check that is killed leaves at most one key, and it goes by itself."""
    keys = int(str(neighbour.ask("DBSIZE")))
    child = neighbour.start("check")
    most = keys
    while child.poll() is None:
        most = max(most, int(str(neighbour.ask("DBSIZE"))))
        for name in neighbour.ask("KEYS", "esabcfg:keywright:*"):  # type: ignore[attr-defined]
            assert neighbour.ask("TTL", name) in range(-2, 61)
            assert neighbour.ask("TTL", name) != -1
        time.sleep(0.005)
    child.communicate()
    assert most <= keys + 1
