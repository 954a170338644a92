"""Where an engine is, from what docker is told; no word of it becomes an option of ssh."""

import pytest

from keywright_ops.facts.ssh import parse_address, parse_context_endpoint, parse_ssh_failure
from keywright_ops.model.engine_host import EngineHost, parse_engine_host


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", EngineHost("here")),
        ("unix:///run/docker.sock", EngineHost("here")),
        ("tcp://127.0.0.1:2375", EngineHost("here")),
        ("tcp://localhost:2375", EngineHost("here")),
        ("tcp://[::1]:2375", EngineHost("here")),
        ("tcp://10.0.0.5:2376", EngineHost("tcp", "", "10.0.0.5", 2376)),
        ("10.0.0.5:2376", EngineHost("tcp", "", "10.0.0.5", 2376)),
        ("ssh://me@host.example.com", EngineHost("ssh", "me", "host.example.com")),
        ("ssh://me@host:22/run/docker.sock", EngineHost("ssh", "me", "host", 22)),
        ("ssh://alias", EngineHost("ssh", "", "alias")),
        ("ssh://me@[2001:db8::1]:2222", EngineHost("ssh", "me", "2001:db8::1", 2222)),
        ("ssh://me@127.0.0.1:2222", EngineHost("ssh", "me", "127.0.0.1", 2222)),
    ],
)
def test_every_way_of_naming_an_engine(text: str, expected: EngineHost) -> None:
    """Docker's ways of naming an engine, and ours, are told apart."""
    assert expected == parse_engine_host(text)


@pytest.mark.parametrize(
    "text",
    [
        *("ssh://-oProxyCommand=touch", "ssh://-x@host", "ssh://me@-host", "ssh://me:secret@host"),
        *("ssh://", "ssh://me@", "ssh://host:0", "ssh://host:99999", "ssh://a b", "ssh://h;ls"),
        *("ssh://$(ls)@host", "ssh://host:22x", "ftp://host", "ssh://me@host\n"),
    ],
)
def test_what_ssh_could_misunderstand_is_refused(text: str) -> None:
    """Options, blanks, shell words and passwords never reach a command line; nor the message."""
    with pytest.raises(ValueError, match=r"^it ") as caught:
        parse_engine_host(text)
    assert "secret" not in str(caught.value)


def test_a_host_is_written_as_it_was_read() -> None:
    """url gives back what was parsed."""
    for text in ("ssh://me@host:22", "ssh://host", "ssh://me@[2001:db8::1]:2222", "tcp://h:1"):
        assert text == parse_engine_host(text).url


HOST = EngineHost("ssh", "me", "redis.example.com", 2222, "container.host")
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Host key verification failed.
"""


@pytest.mark.parametrize(
    ("said", "sentence", "hint"),
    [
        (CHANGED, "the host key of redis.example.com is another one", "'[redis.example.com]:2222'"),
        (
            "No ED25519 host key is known for x\r\nHost key verification failed.\r\n",
            "the host key of redis.example.com is not known here",
            "ssh -p 2222 me@redis.example.com",
        ),
        (
            "me@redis.example.com: Permission denied (publickey).\r\n",
            "redis.example.com takes neither your key nor a password",
            "--key FILE",
        ),
        (
            "ssh: Could not resolve hostname redis.example.com: Name or service not known",
            "there is no host called redis.example.com",
            "container.host",
        ),
        (
            "ssh: connect to host x port 2222: Connection timed out",
            "redis.example.com cannot be reached by ssh: timed out",
            "firewall",
        ),
        ("bind [127.0.0.1]:8001: Address already in use", "the local port was taken", "--local"),
        (
            "channel 2: open failed: connect failed: Connection refused\r\n",
            "ssh to redis.example.com ended: it gave no reason",
            "firewall",
        ),
        ("", "ssh to redis.example.com ended: it gave no reason", "firewall"),
    ],
)
def test_ssh_failures_are_one_sentence_and_a_hint(said: str, sentence: str, hint: str) -> None:
    """What ssh says in ten lines is said in one, with what to do."""
    found = parse_ssh_failure(said, HOST)
    assert (True, True) == (found[0].startswith(sentence), hint in found[1]), found


def test_odd_answers_of_docker_are_no_address() -> None:
    """What is not there is "", whatever was printed instead."""
    networks = {"shop-network": {"IPAddress": "172.18.0.2"}}
    assert "172.18.0.2" == parse_address(networks, "shop-network")
    for odd in (None, [], {}, {"shop-network": None}, {"shop-network": {"IPAddress": None}}):
        assert "" == parse_address(odd, "shop-network")
    named = [{"Name": "far", "Endpoints": {"docker": {"Host": "ssh://me@far"}}}]
    assert "ssh://me@far" == parse_context_endpoint(named)
    for odd in (None, [], [{}], [{"Endpoints": None}], [{"Endpoints": {"docker": {"Host": 1}}}]):
        assert "" == parse_context_endpoint(odd)
