"""The laws of a Supervisor: one server, found, started, signalled, and what it said last."""

import pytest
from tests.contract.rig import Rig

from keywright.errors import ApplyError, Refused, Unreachable
from keywright_ops.model.absence import Missing


def test_nothing_runs_before_it_is_started(rig: Rig) -> None:
    """find is Missing before the start, the same process every time while it runs, Missing after."""
    assert isinstance(rig.supervisor.find(), Missing)
    process = rig.up()
    assert process == rig.supervisor.find()
    assert (rig.supervisor.program, f"{rig.home}/redis.conf") == process.command[:2]
    assert rig.supervisor.program == process.executable
    rig.end("TERM")
    assert isinstance(rig.supervisor.find(), Missing)
    with pytest.raises(Unreachable):
        rig.call("PING")


def test_a_second_server_never_takes_the_place_of_the_first(rig: Rig) -> None:
    """start while one runs: the first one goes on, alone."""
    process = rig.up()
    rig.supervisor.start()
    rig.wait(lambda: any("in use" in line for line in rig.supervisor.last_words()))
    rig.wait(lambda: rig.supervisor.find() == process)
    assert str(process.pid) == rig.info()["process_id"]


def test_a_program_that_is_not_there_cannot_be_started(rig: Rig) -> None:
    """start of a missing program is an ApplyError."""
    rig.configure()
    with pytest.raises(ApplyError, match="cannot start /no/such/server"):
        rig.supervisor.start("/no/such/server")


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"aclfile": "/none/users.acl"}, "ACL"), ({"no-such-setting": "1"}, "no-such-setting")],
)
def test_a_server_that_cannot_start_is_gone_and_says_why(
    rig: Rig, settings: dict[str, str], word: str
) -> None:
    """A wrong redis.conf or ACL file ends the server; find is Missing, the last words tell."""
    rig.configure(**settings)
    rig.supervisor.start()
    rig.wait(lambda: isinstance(rig.supervisor.find(), Missing))
    assert word in " ".join(rig.supervisor.last_words())


def test_a_signal_goes_to_the_very_process(rig: Rig) -> None:
    """signal refuses another start time, and a process that has ended."""
    process = rig.up()
    with pytest.raises(Refused):
        rig.supervisor.signal(process._replace(start="1"), "TERM")
    assert process == rig.supervisor.find()
    rig.end("KILL")
    with pytest.raises(Refused):
        rig.supervisor.signal(process, "TERM")


def test_a_process_tells_where_it_listens(rig: Rig) -> None:
    """listens_on is the very process's addresses and port and nobody else's, or says why not."""
    process = rig.up(bind="127.0.0.1 127.0.0.2")
    heard = rig.supervisor.listens_on(process)
    expected = {("127.0.0.1", rig.port), ("127.0.0.2", rig.port)}
    if rig.knows_listeners:
        assert expected == set(heard)
    else:
        assert heard == Missing("this system does not tell which process listens where")
    rig.end("KILL")
    if rig.knows_listeners:
        assert rig.supervisor.listens_on(process) == ()
