"""`keywright shell`: at a terminal, and with the lines of a file."""

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import pytest
from tests.embedded.stranger import Person, await_true
from tests.embedded.typist import Typist
from tests.ports import free_port

PROMPT = "local admin[0]>"
ENGINES = ["", which("redis-server") or "/nowhere"]


@pytest.fixture(scope="module", params=ENGINES, ids=["valkey", "redis"])
def either(request: pytest.FixtureRequest, rooms: Callable[[], Path]) -> Iterator[Person]:
    """A person whose server runs: the embedded Valkey, or Debian's Redis."""
    if request.param == "/nowhere":
        pytest.skip("redis-server is not installed")
    lines = (f'server = "{request.param}"',) if request.param else ()
    one = Person(rooms() / "p", *lines)
    said = one.say("up")
    assert said.code == 0, said
    yield one
    one.leave()


@pytest.fixture
def shell(neighbour: Person) -> Iterator[Typist]:
    """A shell at its prompt, on an empty server."""
    neighbour.ask("FLUSHALL")
    with Typist(neighbour, "shell") as typist:
        typist.await_line(PROMPT)
        yield typist


def leave(typist: Typist) -> None:
    """Leave it, and well."""
    typist.type("exit\r")
    assert typist.leave() == 0


def test_completion(either: Person) -> None:
    """Law: the live server's own documentation completes and explains; Tab offers the names of keys."""
    either.ask("SET", "esabcfg:session:one", "1")
    with Typist(either, "shell") as typist:
        typist.await_line(PROMPT)
        typist.type("SETE")
        typist.await_text("SETEX")  # offered while typing
        typist.type("\t")
        typist.await_line(f"{PROMPT} SETEX")
        typist.await_text("SETEX key seconds value")
        seen = typist.await_text("since 2.0.0")
        assert "O(1)" in seen
        typist.type("\x15get esab\t")
        typist.await_line(f"{PROMPT} get esabcfg:session:one")
        typist.type("\x15config rew")
        typist.await_text("rewrite")  # the menu: keys that come all at once would be before it
        typist.type("\t")
        typist.await_line(f"{PROMPT} config rewrite")
        typist.type("\x15")
        typist.say("help zadd")
        seen = typist.await_text("complexity: O(log(N))")
        assert "ZADD key [NX | XX]" in seen
        typist.say("help flushall")
        typist.await_text("asks first: deletes every key of every database")
        leave(typist)


def test_replies_and_where_one_is(shell: Typist) -> None:
    """Law: replies have their kinds; the prompt follows database, transaction and user."""
    shell.say('SET k "a\\x00b"')
    shell.await_text("OK")
    shell.say("GET k")
    shell.await_text('"a\\x00b"\n')
    shell.say("MULTI")
    shell.await_line("local admin[0](tx)>")
    shell.say("INCR k")
    shell.await_text("QUEUED")
    shell.say("EXEC")
    shell.await_text("1) (error) ERR value is not an integer")
    shell.await_line(PROMPT)
    shell.say("SELECT 3")
    shell.await_line("local admin[3]>")
    shell.say("3 INCR n")
    shell.await_text("(integer) 1\n(integer) 2\n(integer) 3\n")
    shell.say("GET")
    shell.await_text("(error) ERR wrong number of arguments")
    shell.say('GET "open')
    shell.await_text("keywright: the quotes are not balanced")
    shell.await_line("local admin[3]>")
    shell.say("clear")
    shell.await_line("local admin[3]>")
    assert "balanced" not in shell.screen.text
    shell.type("\x04")
    assert shell.leave() == 0


def test_danger(shell: Typist, neighbour: Person) -> None:
    """Law: a dangerous command is asked about with its reason; only yes sends it."""
    neighbour.ask("SET", "esabcfg:a", "1")
    shell.say("FLUSHDB")
    seen = shell.await_text("Type yes:")
    assert "FLUSHDB in local: deletes every key of this database (1 key)" in seen
    assert "keywright flush" in seen
    shell.say("no")
    shell.await_text("not sent")
    shell.await_line(PROMPT)
    assert neighbour.ask("DBSIZE") == 1
    shell.say("flushall")
    shell.await_text("every database (1 key)")
    shell.await_text("Type yes:")  # what was typed before it is no answer
    shell.say("yes")
    shell.await_text("OK")
    shell.await_line(PROMPT)
    assert neighbour.ask("DBSIZE") == 0
    shell.say("PSYNC ? -1")
    shell.await_text("PSYNC cannot be sent from here")
    leave(shell)


def test_what_is_pasted(shell: Typist, neighbour: Person) -> None:
    """Law: pasted lines are as many commands; none of them answers a question of the one before."""
    shell.type("\x1b[200~SET esabcfg:p 1\nFLUSHALL\nyes\nINCR esabcfg:p\x1b[201~\r")
    shell.await_text("Type yes:")
    assert neighbour.ask("GET", "esabcfg:p") == "1"
    shell.say("no")
    shell.await_text("not sent")
    shell.await_text(
        "(integer) 2"
    )  # `yes` was a command of its own, which the server does not know
    shell.await_line(PROMPT)
    leave(shell)
    assert (neighbour.state / "shell-history").read_text().splitlines()[-4:][0] == "SET esabcfg:p 1"


def test_streams_end_by_ctrl_c(shell: Typist, neighbour: Person) -> None:
    """Law: SUBSCRIBE, MONITOR and a command that waits end by Ctrl-C, and the prompt is back."""
    shell.say("SUBSCRIBE news")
    shell.await_text("3) (integer) 1")
    neighbour.ask("PUBLISH", "news", "hello")
    shell.await_text('3) "hello"')
    shell.type("\x03")
    shell.await_line(PROMPT)
    shell.say("MONITOR")
    shell.await_text("Type yes:")
    shell.say("yes")
    await_true(lambda: "cmd=monitor" in str(neighbour.ask("CLIENT", "LIST")), "it listens")
    neighbour.ask("HELLO", "2", "AUTH", "admin", neighbour.secrets["admin"])
    neighbour.ask("ECHO", "loud")
    shell.await_text('"ECHO" "loud"')
    shell.type("\x03")
    shell.await_line(PROMPT)
    shell.say("BLPOP esabcfg:nothing 0")
    await_true(lambda: "blocked_clients:1" in str(neighbour.ask("INFO", "clients")), "it waits")
    shell.type("\x03")
    shell.await_line(PROMPT)
    shell.say("ECHO alive")
    shell.await_text('"alive"')
    assert neighbour.secrets["admin"].encode() not in shell.said
    leave(shell)


def test_the_history(neighbour: Person) -> None:
    """Law: what was typed is there the next time, for its owner alone, without secrets."""
    with Typist(neighbour, "shell") as typist:
        typist.await_line(PROMPT)
        for line in (
            "ECHO first",
            "AUTH admin wrong-secret",
            "HELLO 2 AUTH admin wrong-secret",
            " ECHO private",
        ):
            typist.say(line)
            typist.await_line(PROMPT)
        for line in ("ACL SETUSER tim >wrong-secret", "CONFIG SET requirepass wrong-secret"):
            typist.say(line)
            typist.await_text("Type yes:")
            typist.say("no")
            typist.await_line(PROMPT)
        typist.say("ECHO last")
        typist.await_text('"last"')
        typist.await_line(PROMPT)
        leave(typist)
    file = neighbour.state / "shell-history"
    assert file.read_text().splitlines()[-2:] == ["ECHO first", "ECHO last"]
    assert "wrong-secret" not in file.read_text()
    assert "private" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with Typist(neighbour, "shell") as typist:
        typist.await_line(PROMPT)
        typist.type("\x1b[A")
        typist.await_line(f"{PROMPT} ECHO last")
        typist.type("\x1b[A")
        typist.await_line(f"{PROMPT} ECHO first")
        typist.type("\x03")
        leave(typist)


def test_a_restarted_server(settled: Person) -> None:
    """Law: after a restart the next command connects anew and says so; a transaction is not half done."""
    with Typist(settled, "shell") as typist:
        typist.await_line(PROMPT)
        typist.say("SELECT 2")
        typist.await_line("local admin[2]>")
        assert settled.say("restart", "--yes").code == 0
        typist.say("SET k 1")
        typist.await_text("the server closed the connection (a restart?); connected anew")
        typist.await_line("local admin[2]>")
        assert settled.ask("DBSIZE") == 0  # it went into database 2
        typist.say("MULTI")
        typist.await_line("local admin[2](tx)>")
        assert settled.say("restart", "--yes").code == 0
        typist.say("DEL k")
        typist.await_text("the transaction that was begun is gone, and DEL was not sent")
        assert settled.say("down", "--yes").code == 0
        typist.say("PING")
        typist.await_text("keywright: ")
        typist.await_line("local admin[2]>")
        assert settled.say("up").code == 0
        typist.say("EXISTS k")
        typist.await_text("(integer) 1")
        leave(typist)


def test_another_environment(person: Callable[..., Person]) -> None:
    """Law: connect ENV goes there; where it cannot, one stays where one is."""
    somebody = person(more=f'[env.other]\nkind = "local"\nport = {free_port()}\n')
    assert somebody.say("up").code == 0
    with Typist(somebody, "shell") as typist:
        typist.await_line(PROMPT)
        typist.say("connect nowhere")
        typist.await_text("keywright: ")
        typist.await_line(PROMPT)
        typist.say("connect other")  # it does not run
        typist.await_line(PROMPT)
        assert somebody.say("up", "-e", "other").code == 0
        typist.say("connect other")
        typist.await_line("other admin[0]>")
        typist.say(".env")
        typist.await_text("other (local)")
        leave(typist)


def test_lines_from_a_pipe(neighbour: Person) -> None:
    """Law: lines are done in order, raw as redis-cli's, until the first error, which names its line."""
    neighbour.ask("FLUSHALL")
    said = neighbour.say("shell", typed="SET k 1\n# a comment\n\n2 INCR k\nLPUSH k x\nSET late 1\n")
    assert said.code == 1
    assert said.out.startswith("OK\n2\n3\nWRONGTYPE")
    assert "keywright: line 5: WRONGTYPE" in said.err
    assert neighbour.ask("EXISTS", "late") == 0
    said = neighbour.say(
        "shell", "--keep-going", typed='LPUSH k x\nGET "\nSET late "a\\nb"\nexit\nSET later 1\n'
    )
    assert said.code == 1
    assert "line 1: WRONGTYPE" in said.err
    assert "line 2: the quotes are not balanced" in said.err
    assert neighbour.ask("GET", "late") == "a\nb"
    assert neighbour.ask("EXISTS", "later") == 0


def test_a_transaction_from_a_pipe(neighbour: Person) -> None:
    """Law: an error inside EXEC's reply is an error of that line."""
    said = neighbour.say("shell", "--json", typed="SET s x\nMULTI\nINCR s\nEXEC\nPING\n")
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 1
    assert [each["line"] for each in lines] == [1, 2, 3, 4]
    assert lines[3]["reply"][0]["error"].startswith("ERR value is not an integer")


def test_danger_from_a_pipe(neighbour: Person) -> None:
    """Law: nobody can be asked there: without --yes the line is refused, exit 4, and nothing is lost."""
    neighbour.ask("SET", "esabcfg:a", "1")
    said = neighbour.say("shell", typed="PING\nFLUSHALL\nPING\n")
    assert (said.code, said.out) == (4, "PONG\n")
    assert "keywright: line 2: FLUSHALL in local" in said.err
    assert "keywright shell --yes" in said.err
    assert neighbour.ask("EXISTS", "esabcfg:a") == 1
    assert neighbour.say("shell", "--yes", typed="FLUSHALL\n").code == 0
    assert neighbour.ask("DBSIZE") == 0


def test_the_guides_workbench(neighbour: Person) -> None:
    """Law: the guide's block of Workbench commands runs as it stands, comments and all."""
    block = """\
# View all session keys
KEYS session:*

# Get specific session
GET session:your-session-id
TTL session:your-session-id
MEMORY USAGE session:your-session-id

# Get server info
INFO memory
INFO stats
INFO clients
SLOWLOG GET 10
CLIENT LIST
INFO keyspace
"""
    said = neighbour.say("shell", typed=block)
    assert said.code == 0, said
    for word in (
        "used_memory:",
        "total_commands_processed:",
        "connected_clients:",
        "name=keywright",
    ):
        assert word in said.out


def test_without_its_library(neighbour: Person, tmp_path: Path) -> None:
    """Law: without prompt_toolkit a terminal is told how to get it; a pipe does not need it."""
    (tmp_path / "prompt_toolkit.py").write_text(
        "raise ModuleNotFoundError('none', name='prompt_toolkit')\n"
    )
    path = f"{tmp_path}:{neighbour.environ['PYTHONPATH']}"
    with Typist(neighbour, "shell", PYTHONPATH=path) as typist:
        assert typist.leave() == 2
        assert "pip install 'keywright[ops]'" in typist.screen.text
    said = neighbour.say("shell", typed="PING\n", environ={"PYTHONPATH": path})
    assert (said.code, said.out) == (0, "PONG\n")
