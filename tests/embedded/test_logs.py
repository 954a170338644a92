"""`keywright logs` on the embedded server: found, followed, written out; and what is wrong is a sentence."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.embedded.stranger import Person, await_true, on_terminal

HEADER = re.compile(r"\d+:[MSC] \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} [.*#-] ")
OLD = "1:M 11 Jan 2025 10:{:02}:00.000 * old line {}\n"


@pytest.fixture(scope="module")
def logged(neighbour: Person) -> Person:
    """A server that was asked a few things and logs them all."""
    neighbour.ask("CONFIG", "SET", "loglevel", "debug")
    neighbour.ask("BGSAVE")
    neighbour.ask("CONFIG", "SET", "loglevel", "notice")
    await_true(lambda: "saved on disk" in log(neighbour).read_text(), "the snapshot is written")
    return neighbour


def log(person: Person) -> Path:
    """The server's own log file."""
    return person.state / "server.log"


def lines(text: str) -> list[str]:
    """Its lines."""
    return text.splitlines()


def test_a_pipe_gets_the_file_as_it_is(logged: Person):
    """Without a filter every byte is the server's own."""
    said = logged.say("logs")
    assert (0, log(logged).read_text(), "") == (said.code, said.out, said.err)


def test_a_pattern_finds_what_grep_finds(logged: Person):
    """In either case, like the guide's grep -i; --case tells them apart; --exclude leaves out."""
    before = len(lines(log(logged).read_text()))
    said = logged.say("logs", "--grep", "READY|saving")
    while before != (now := len(lines(log(logged).read_text()))):  # the server wrote in between
        before, said = now, logged.say("logs", "--grep", "READY|saving")
    text = log(logged).read_text()
    expected = [each for each in lines(text) if re.search("ready|saving", each, re.IGNORECASE)]
    assert expected and expected == lines(said.out)
    assert logged.say("logs", "--grep", "READY TO", "--case").out == ""
    left = logged.say("logs", "--grep", "READY|saving", "--exclude", "background")
    assert [each for each in expected if "ackground" not in each] == lines(left.out)


def test_a_level_is_the_servers_own_mark(logged: Person):
    """warning is #; notice is # and *; nothing graver is missing."""
    text = log(logged).read_text()
    for level, marks in (("warning", "#"), ("notice", "#*"), ("verbose", "#*-"), ("debug", "#*-.")):
        expected = [each for each in lines(text) if re.search(rf"\.\d{{3}} [{marks}] ", each)]
        got = [
            each for each in lines(logged.say("logs", "--level", level).out) if HEADER.match(each)
        ]
        assert expected and expected == got, level


def test_the_last_lines_are_the_last(logged: Person):
    """-n counts lines after every filter."""
    whole = lines(logged.say("logs", "--level", "notice").out)
    assert whole[-3:] == lines(logged.say("logs", "-n", "3", "--level", "notice").out)
    assert whole == lines(logged.say("logs", "--tail", "all", "--level", "notice").out)
    assert logged.say("logs", "--tail", "0", "--since", "1h").out == ""


def test_json_is_an_object_a_line(logged: Person):
    """With the fields of docs/reference/json.md, one entry each."""
    said = logged.say("logs", "--json", "--grep", "ready to accept")
    found = [json.loads(each) for each in lines(said.out)]
    assert found
    for each in found:
        assert list(each) == [
            "schema", "time", "environment", "service", "level", "pid", "role", "text",
        ]  # fmt: skip
        assert ("keywright/log/1", "local", "redis", "notice", "master") == (
            each["schema"], each["environment"], each["service"], each["level"], each["role"],
        )  # fmt: skip
        assert each["text"].startswith("Ready to accept connections")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each["time"])
    assert int(logged.info()["process_id"]) == found[-1]["pid"]


def test_timestamps_are_iso_8601(logged: Person):
    """-t begins each line with a time that has its zone."""
    said = logged.say("logs", "-t", "--grep", "ready to accept")
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}[+-]\d\d:\d\d \d+:M \* Ready", said.out)


def test_the_time_window_holds(logged: Person):
    """What is older than --since or not older than --until is left out."""
    assert logged.say("logs", "--since", "1h").out == log(logged).read_text()
    assert logged.say("logs", "--until", "1 hour ago").out == ""
    assert logged.say("logs", "-b").out == log(logged).read_text()


def test_nothing_found_is_well_and_says_why(logged: Person):
    """Exit 0, and the command that tells what no log does."""
    cases = {
        "WRONGPASS": "`keywright acl log`",
        "session:abc-123": "`keywright monitor`",
        "slow command": "`keywright slowlog`",
        "^{": "--json",
    }
    for pattern, instead in cases.items():
        said = logged.say("logs", "--grep", pattern)
        assert (0, "") == (said.code, said.out), said
        assert said.err.startswith("keywright: no line matches\n  hint: ") and instead in said.err
    said = logged.say("logs", "--since", "2100-01-01")
    assert "the newest line is of" in said.err and said.code == 0


@pytest.mark.parametrize(
    ("words", "sentence", "hint"),
    [
        (("--level", "warnin"), "there is no level 'warnin'", "did you mean warning?"),
        (("--level", "info"), "no level 'info'", "notice"),
        (("--level", "error"), "no level 'error'", "warning"),
        (("--since", "soon"), "--since 'soon' is no time", "1 hour ago"),
        (("--since", "2025-02-30"), "there is no day 2025-02-30", "for example"),
        (("--since", "5m", "--until", "1h"), "nothing lies between", "change places"),
        (("--grep", "("), "--grep '(' is no regular expression", "backslash"),
        (("--exclude", "["), "--exclude '[' is no regular expression", "backslash"),
        (("--about", "memori"), "there is no topic 'memori'", "--about memory"),
        (("--service", "insight"), "there is no service 'insight'", "redisinsight"),
        (("--service", "nginx"), "environment local has no nginx", "redis"),
        (("--tail", "many"), "--tail 'many'", "all"),
        (("-p", "grave"), "there is no priority 'grave'", "err"),
        (("-o", "nowhere/x"), "there is no folder nowhere", "make it"),
        (("-e", "azure"), "managed service", "az monitor"),
    ],
)
def test_what_is_wrong_is_one_sentence(logged: Person, words, sentence: str, hint: str):
    """Exit 2, what is wrong, and what could be meant."""
    said = logged.say("logs", *words)
    first, *more = lines(said.err)
    assert (2, "") == (said.code, said.out), said
    assert sentence in first and any(hint in each for each in more), said.err


def test_a_log_goes_into_a_file_of_ones_own(logged: Person):
    """Mode 0600; what is there is not written over without being told to."""
    path = logged.project / "out.txt"
    path.unlink(missing_ok=True)
    said = logged.say("logs", "-o", "out.txt", environ={"UMASK": "0"})
    assert (0, "") == (said.code, said.out) and "lines in out.txt" in said.err
    assert (path.stat().st_mode & 0o777, path.read_text()) == (0o600, log(logged).read_text())
    path.write_text("mine")
    refused = logged.say("logs", "-o", "out.txt")
    assert (4, "mine") == (refused.code, path.read_text()) and "--yes" in refused.err
    code, screen = on_terminal(logged, "logs", "-o", "out.txt", answers={"Type yes: ": "no"})
    assert (4, "mine") == (code, path.read_text()), screen
    assert logged.say("logs", "-o", "out.txt", "--yes").code == 0
    assert (path.stat().st_mode & 0o777, path.read_text()) == (0o600, log(logged).read_text())


def test_a_terminal_gets_the_last_hundred_with_the_match_in_colour(logged: Person):
    """Colours only there, and no escape of a log's own is obeyed."""
    log(logged).open("ab").write(b"1:M 28 Nov 2026 23:59:59.000 * evil \x1b[2J text\n")
    code, screen = on_terminal(logged, "logs", "--grep", "evil", answers={})
    assert code == 0
    assert "\x1b[1;31mevil\x1b[0m \\x1b[2J text" in screen and "--tail all" not in screen
    with log(logged).open("ab") as stream:
        stream.write(b"1:M 28 Nov 2026 23:59:59.000 * many\n" * 150)
    _, screen = on_terminal(logged, "logs", answers={})
    assert screen.count("* many") == 100 and "--tail all" in screen


def test_following_shows_what_comes_and_ends_by_ctrl_c(logged: Person):
    """The last lines first; a new line within a moment; Ctrl-C is the usual end."""
    child = logged.start("logs", "-f", "--grep", "DB saved", "-n", "1", text=False)
    try:
        assert child.stdout is not None
        os.set_blocking(child.stdout.fileno(), False)
        got = b""

        def seen(count: int) -> bool:
            nonlocal got
            got += child.stdout.read() or b""
            return got.count(b"DB saved on disk") >= count

        await_true(lambda: seen(1), "what is there is shown")
        began = time.monotonic()
        logged.ask("BGSAVE")
        await_true(lambda: seen(2), "what comes is shown")
        assert time.monotonic() - began < 5
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == 0
        assert (b"", 2) == (child.stderr.read(), got.count(b"\n"))
    finally:
        child.kill()
        child.communicate()


def test_a_reader_that_has_seen_enough_is_no_error(logged: Person):
    """`keywright logs | head -1` ends well and silently."""
    with log(logged).open("ab") as stream:
        stream.write(b"1:M 28 Nov 2026 23:59:59.000 * much\n" * 50_000)
    child = logged.start("logs", "--level", "notice")
    head = subprocess.run(["head", "-1"], stdin=child.stdout, capture_output=True, text=True)
    child.stdout.close()
    assert (child.wait(20), child.stderr.read()) == (0, "")
    assert head.stdout.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_a_sentence(logged: Person):
    """What could not be written is said, and the exit code is 1."""
    with log(logged).open("ab") as stream:
        stream.write(b"1:M 28 Nov 2026 23:59:59.000 * much\n" * 50_000)
    with open("/dev/full", "wb") as full:
        said = logged.say("logs", stdout=full)
    assert (1, "keywright: cannot write the output: No space left on device\n") == (
        said.code,
        said.err,
    )


def test_rotated_files_belong_to_the_log(stranger: Person):
    """What logrotate left is read too, the oldest first."""
    stranger.say("up")
    import gzip

    log(stranger).with_name("server.log.1").write_text(OLD.format(1, 1))
    log(stranger).with_name("server.log.2.gz").write_bytes(gzip.compress(OLD.format(0, 0).encode()))
    said = stranger.say("logs")
    assert said.out == OLD.format(0, 0) + OLD.format(1, 1) + log(stranger).read_text()
    bounded = stranger.say(
        "logs", "--since", "2025-01-11T10:00:30", "--until", "2025-01-11 12:00:00"
    )
    assert bounded.out == OLD.format(1, 1)


def test_several_environments_are_one_stream(person: Callable[..., Person]):
    """In order of time, each line with its environment's name; one that has none is complained of."""
    one = person(more='[env.other]\nkind = "local"\n')
    assert one.say("up").code == 0
    other = one.state_of("local").with_name("other")
    other.mkdir(mode=0o700)
    first = log(one).read_text().splitlines()[0]
    stamp = re.search(r"\d\d \w{3} \d{4} [\d:.]+", first)[0]
    told = ["9:M 11 Jan 2025 10:00:00.000 * before\n", f"9:M {stamp} * between\n"]
    (other / "server.log").write_text("".join(told))
    said = one.say("logs", "-e", "local,other")
    got = lines(said.out)
    assert got[0] == "other 9:M 11 Jan 2025 10:00:00.000 * before"
    assert f"other 9:M {stamp} * between" in got[1:9]
    assert [each for each in got if each.startswith("local ")] == [
        f"local {each}" for each in lines(log(one).read_text())
    ]
    (other / "server.log").unlink()
    said = one.say("logs", "-e", "local,other", "--grep", "ready")
    assert said.code == 2 and "other has no log yet" in said.err and "Ready to accept" in said.out


def test_no_log_yet_is_a_sentence(stranger: Person):
    """Before the first `up` there is nothing to read."""
    said = stranger.say("logs")
    assert (2, "") == (said.code, said.out) and "has no log yet" in said.err
    assert "`keywright up`" in said.err


def test_nothing_of_the_server_is_needed(settled: Person):
    """The log of a server that has stopped is what one wants to read most."""
    assert settled.say("down").code == 0
    assert "bye bye" in settled.say("logs", "--about", "startup").out
