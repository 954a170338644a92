"""Tab completes environments and keys, asks the server a little, and runs nothing that a key is called."""

import shlex
import subprocess
from pathlib import Path

import pytest
from tests.embedded.stranger import Person

from keywright.endpoint import Endpoint
from keywright.secret import Secret
from keywright.wire import Wire


@pytest.fixture
def filled(settled: Person) -> Person:
    """A server with keys, one of them called as an attacker would call it."""
    place = Endpoint(port=settled.port, username="admin", password=Secret(settled.secrets["admin"]))
    with Wire(place) as wire:
        trap = f"esabcfg:$(touch {settled.project}/trapped)"
        for name in (
            "esabcfg:session:1",
            "esabcfg:session:2",
            "esabcfg:cart",
            "other",
            "a b",
            trap,
        ):
            wire.call("SET", name, "x")
    return settled


def test_a_prefix_goes_on_to_the_next_colon(filled: Person) -> None:
    """Names are offered level by level, as a folder's are."""

    def offered(line: str) -> list[str]:
        return filled.say("completion", "keys", line).out.split()

    assert offered("keywright keys esab") == ["esabcfg:"]
    assert offered("keywright keys esabcfg:") == ["esabcfg:cart", "esabcfg:session:"]
    assert offered("keywright keys esabcfg:session:1") == ["esabcfg:session:1"]
    assert offered("keywright keys [") == []


def test_environments_are_those_of_the_file(stranger: Person) -> None:
    """The built-in environments and the file's own."""
    stranger.declare(more='[env.staging]\nkind = "docker-prod"\n')
    assert "staging" in stranger.say("completion", "environments").out.split()


def test_no_server_is_silence(stranger: Person) -> None:
    """Tab shows no error."""
    said = stranger.say("completion", "keys", "keywright keys x")
    assert (said.code, said.out.strip(), said.err) == (0, "", "")


def test_bash_completes_and_runs_nothing(filled: Person) -> None:
    """In a real bash the script offers environments and keys, and a key's name is never executed."""
    script = Path(filled.project, "completion.sh")
    script.write_text(filled.say("completion", "bash").out)
    program = " ".join(shlex.quote(word) for word in filled.program)
    text = f"""
keywright() {{ {program} "$@"; }}
. {shlex.quote(str(script))}
try() {{
    COMP_LINE="$*" COMP_WORDS=($*) COMP_CWORD=$(($# - 1)) COMP_POINT=${{#COMP_LINE}}
    [ "${{COMP_LINE: -1}}" = " " ] || COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
    COMPREPLY=()
    _shtab_keywright keywright "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
    echo "${{COMPREPLY[@]}}"
}}
try keywright status -e pr
try keywright keys esabcfg:
"""
    done = subprocess.run(
        ["bash", "-c", text], env=filled.environ, cwd=filled.project, capture_output=True, text=True
    )
    environments, *keys = done.stdout.splitlines()
    assert environments.split() == ["prod"], done
    assert keys == ["esabcfg:cart esabcfg:session:"] or keys == [""], (
        done
    )  # `keys` once it has its file
    assert not Path(filled.project, "trapped").exists()
