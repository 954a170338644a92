"""`keywright redis COMMAND`: redis-cli's answers, our exit codes, and no accident."""

import json
import signal
import subprocess
from shutil import which

import pytest
from tests.embedded.stranger import Person, await_true, on_terminal
from tests.embedded.typist import Typist, ended, heed
from tests.house.test_light import HEAVY, _modules


@pytest.fixture(autouse=True)
def known_keys(neighbour: Person) -> None:
    """Two keys, whatever the test before did."""
    with neighbour.wire() as wire:
        wire.call("FLUSHALL")
        wire.call("SET", "esabcfg:k", "x y")
        wire.call("SET", "esabcfg:bin", b"\x00\xff")


def test_as_redis_cli_in_a_pipe(neighbour: Person) -> None:
    """Law: in a pipe the bytes are redis-cli's, and so is the shape with --no-raw."""
    client = which("redis-cli")
    if client is None:
        pytest.skip("redis-cli is not installed")
    environ = neighbour.environ | {"REDISCLI_AUTH": neighbour.secrets["admin"]}
    for words in ("GET esabcfg:bin", "--no-raw MGET esabcfg:k no", "HGETALL esabcfg:k"):
        theirs = subprocess.run(
            [client, "-p", str(neighbour.port), "--user", "admin", *words.split()],
            env=environ,
            capture_output=True,
        )
        child = neighbour.start("redis", *words.split(), text=False)
        assert theirs.stdout == child.communicate(timeout=30)[0], words


def test_on_a_terminal(neighbour: Person) -> None:
    """Law: on a terminal a reply has its kinds."""
    code, screen = on_terminal(neighbour, "redis", "GET", "esabcfg:k", answers={})
    assert (code, screen.strip()) == (0, '"x y"')
    assert on_terminal(neighbour, "redis", "GET", "no", answers={})[1].strip() == "(nil)"


def test_the_words_of_the_command_are_its_own(neighbour: Person) -> None:
    """Law: what stands after the command's first word is never taken for an option of ours."""
    neighbour.ask("RPUSH", "esabcfg:l", "--json", "-e", "-x")
    said = neighbour.say("-e", "local", "redis", "--no-raw", "LRANGE", "esabcfg:l", "0", "-1")
    assert said.out == '1) "--json"\n2) "-e"\n3) "-x"\n'
    assert neighbour.say("redis", "SET", "esabcfg:o", "--json").out == "OK\n"
    assert neighbour.say("redis", "GET", "esabcfg:o").out == "--json\n"
    assert neighbour.say("redis", "--", "GET", "esabcfg:o").out == "--json\n"


def test_as_another_user_and_in_another_database(neighbour: Person) -> None:
    """Law: --as and -n are in effect, and what a user may not do is said with what helps."""
    refused = neighbour.say("redis", "--as", "viewer", "SET", "esabcfg:k", "1")
    assert refused.code == 1
    assert refused.out.startswith("NOPERM")
    assert "user viewer may not use SET" in refused.err
    assert "leave out --as" in refused.err
    neighbour.say("redis", "-n", "3", "SET", "esabcfg:three", "1")
    assert neighbour.say("redis", "DBSIZE").out == "2\n"
    assert neighbour.say("redis", "-n", "3", "DBSIZE").out == "1\n"


def test_an_error_is_a_failure(neighbour: Person) -> None:
    """Law: an error reply is exit code 1, where redis-cli says 0; no command at all is 2."""
    said = neighbour.say("redis", "INCR", "esabcfg:k")
    assert (said.code, said.out) == (1, "ERR value is not an integer or out of range\n\n")
    assert neighbour.say("redis").code == 2
    assert "keywright shell" in neighbour.say("redis").err


def test_the_last_word_from_a_pipe(neighbour: Person) -> None:
    """Law: -x sends standard input byte for byte."""
    child = neighbour.start("redis", "-x", "SET", "esabcfg:in", stdin=subprocess.PIPE, text=False)
    child.communicate(b"\x00\xff\n", timeout=30)
    assert neighbour.say("redis", "--no-raw", "GET", "esabcfg:in").out == '"\\x00\\xff\\n"\n'


def test_json(neighbour: Person) -> None:
    """Law: one documented object, also for bytes and errors."""
    told = json.loads(
        neighbour.say("redis", "--json", "MGET", "esabcfg:k", "esabcfg:bin", "no").out
    )
    assert told["schema"] == "keywright/redis/1"
    assert told["reply"] == ["x y", {"base64": "AP8="}, None]
    assert told["error"] is None
    failed = neighbour.say("redis", "--json", "INCR", "esabcfg:k")
    told = json.loads(failed.out)
    assert (failed.code, told["reply"]) == (1, None)
    assert told["error"].startswith("ERR value is not")


@pytest.mark.parametrize(
    "command",
    [("FLUSHALL",), ("flushdb", "ASYNC"), ("CONFIG", "SET", "maxmemory", "1gb"), ("SAVE",)],
)
def test_without_a_terminal_nothing_dangerous_is_done(
    neighbour: Person, command: tuple[str, ...]
) -> None:
    """Law: without --yes it is refused with its reason, exit 4, and nothing has changed."""
    said = neighbour.say("redis", *command)
    assert said.code == 4
    assert " in local: " in said.err
    assert "--yes before the command" in said.err
    assert neighbour.ask("DBSIZE") == 2
    if "FLUSH" in command[0].upper():
        assert "(2 keys)" in said.err
        assert "keywright flush" in said.err


def test_on_a_terminal_it_asks(neighbour: Person) -> None:
    """Law: no is no, yes is yes, and --yes does not ask."""
    code, screen = on_terminal(neighbour, "redis", "FLUSHDB", answers={"Type yes": "no"})
    assert (code, neighbour.ask("DBSIZE")) == (4, 2)
    assert "This loses data:" in screen
    code, screen = on_terminal(neighbour, "redis", "FLUSHDB", answers={"Type yes": "yes"})
    assert (code, neighbour.ask("DBSIZE")) == (0, 0)
    assert neighbour.say("redis", "--yes", "FLUSHALL").out == "OK\n"


def test_keys_of_many(neighbour: Person) -> None:
    """Law: KEYS asks only where it would stop the others."""
    assert neighbour.say("redis", "KEYS", "*k").out == "esabcfg:k\n"
    neighbour.fill(10_000, 1)
    said = neighbour.say("redis", "KEYS", "*k")
    assert said.code == 4
    assert "10,002 keys" in said.err
    assert "keywright keys" in said.err


def test_what_cannot_be_sent(neighbour: Person) -> None:
    """Law: what our connection could not follow is refused before, with what to use."""
    said = neighbour.say("redis", "--yes", "PSYNC", "?", "-1")
    assert said.code == 2
    assert "keywright persist now" in said.err


def test_a_blocking_command_may_wait(neighbour: Person) -> None:
    """Law: BLPOP waits beyond the five seconds that other answers have."""
    child = neighbour.start("redis", "BLPOP", "esabcfg:queue", "20")
    await_true(lambda: "blocked_clients:1" in str(neighbour.ask("INFO", "clients")), "it waits")
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(5.5)
    neighbour.ask("RPUSH", "esabcfg:queue", "job")
    assert ended(child)[:2] == (0, "esabcfg:queue\njob\n")


def test_a_subscription_streams(neighbour: Person) -> None:
    """Law: messages come as they are sent; Ctrl-C ends it well."""
    with Typist(neighbour, "redis", "SUBSCRIBE", "news") as typist:
        typist.await_text("3) (integer) 1")
        neighbour.ask("PUBLISH", "news", "hello")
        typist.await_text('3) "hello"')
        typist.type("\x03")
        assert typist.leave() == 0


def test_monitor_streams_without_secrets(neighbour: Person) -> None:
    """Law: `redis --yes MONITOR` is redis-cli's, less the secrets; a pipe that closes ends it."""
    child = neighbour.start("redis", "--yes", "MONITOR", preexec_fn=heed)
    await_true(lambda: "cmd=monitor" in str(neighbour.ask("CLIENT", "LIST")), "it listens")
    with neighbour.wire() as wire:
        wire.batch([("HELLO", "2", "AUTH", "admin", "wrong-secret"), ("GET", "esabcfg:k")])
    assert child.stdout is not None
    lines = [child.stdout.readline()]
    while '"esabcfg:k"' not in lines[-1]:
        lines.append(child.stdout.readline())
    assert "wrong-secret" not in "".join(lines)
    child.send_signal(signal.SIGINT)
    assert ended(child)[0] == 0
    broken = neighbour.start("redis", "--yes", "MONITOR")
    await_true(lambda: "cmd=monitor" in str(neighbour.ask("CLIENT", "LIST")), "it listens")
    assert broken.stdout is not None
    broken.stdout.close()
    neighbour.ask("PING")
    neighbour.ask("PING")
    await_true(lambda: broken.poll() is not None, "it ends when nobody reads")
    assert broken.stderr is not None
    assert broken.stderr.read() == ""
    broken.stderr.close()


def test_it_loads_little(neighbour: Person) -> None:
    """Law: one command costs what `info` costs: none of the heavy modules beyond argparse."""
    light = _modules("-m", "keywright_ops", "info", "server", home=neighbour.home)
    ours = _modules("-m", "keywright_ops", "redis", "PING", home=neighbour.home)
    assert (ours - light) & HEAVY == set()


def test_a_full_disk_is_a_sentence(neighbour: Person) -> None:
    """Law: a reply that cannot be written is said, exit 1, in a pipe's raw form too."""
    with open("/dev/full", "w") as full:
        said = neighbour.say("redis", "INFO", stdout=full)
    assert said.code == 1, said
    assert "cannot write the output" in said.err
