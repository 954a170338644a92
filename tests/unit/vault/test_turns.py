"""The laws of a rotation in the vault: only along its phases, forgetting nothing that is still valid."""

import json
from pathlib import Path

import pytest

from keywright.errors import ApplyError, InputError, Refused
from keywright.secret import Secret
from keywright_ops.model.turn import BACK, BOTH, DONE, DROPPED, NAMED, ON, ONLY
from keywright_ops.targets.local import LocalTransport
from keywright_ops.vault.file import Vault, today

OLD, NEW = Secret("old one"), Secret("new one")


def vault(folder: Path) -> Vault:
    """The vault of that folder, read anew."""
    return Vault(LocalTransport(), str(folder / "vault.json"))


def begun(folder: Path, *phases: str) -> Vault:
    """A vault whose `default` was turned through these phases; the old password was given to it."""
    one = vault(folder)
    one.adopt("default", OLD)
    one.keep(["default"])
    one.renew("default", OLD, NEW)
    for phase in phases:
        one.turn(["default"], phase)
    return vault(folder)


def test_the_named_one_changes_between_both_and_named(tmp_path: Path) -> None:
    """Forward and back again: what is named, and what is accepted beside it."""
    one = begun(tmp_path, BOTH)
    expected = [
        (BOTH, OLD, {"default": NEW}),
        (NAMED, NEW, {"default": OLD}),
        (ONLY, NEW, {}),
        (NAMED, NEW, {"default": OLD}),
        (BOTH, OLD, {"default": NEW}),
    ]
    seen = []
    for phase, _, _ in expected:
        one.turn(["default"], phase)
        one = vault(tmp_path)
        seen.append((one.turns["default"].phase, one.named("default"), one.beside))
    assert expected == seen


def test_done_forgets_the_old_one_and_remembers_its_hash(tmp_path: Path) -> None:
    """The old one stands nowhere; a variable that carries it is known by its hash, with the date."""
    one = begun(tmp_path, BOTH, NAMED, ONLY, DONE)
    text = (tmp_path / "vault.json").read_text()
    assert "old one" not in text
    assert {} == one.turns
    assert today() == one.since("default")
    assert today() == one.rotated_away("default", OLD)
    assert "" == one.rotated_away("default", NEW)
    assert "" == one.rotated_away("default", Secret("another"))


def test_an_old_one_may_come_back_by_hand(tmp_path: Path) -> None:
    """Rotated to what was retired once: it is not retired any more."""
    one = begun(tmp_path, BOTH, NAMED, ONLY, DONE)
    one.renew("default", NEW, OLD)
    for phase in (BOTH, NAMED, ONLY, DONE):
        one.turn(["default"], phase)
    assert "" == vault(tmp_path).rotated_away("default", OLD)
    assert today() == vault(tmp_path).rotated_away("default", NEW)


def test_dropped_is_as_before(tmp_path: Path) -> None:
    """The old secret and its date stay; the new one stands nowhere."""
    before = vault(tmp_path)
    before.adopt("default", OLD)
    before.keep(["default"])
    text = (tmp_path / "vault.json").read_text()
    before.renew("default", OLD, NEW)
    before.turn(["default"], BOTH)
    before.turn(["default"], DROPPED)
    assert text == (tmp_path / "vault.json").read_text()


def test_a_secret_that_was_not_kept_is_not_kept_after_an_undo(tmp_path: Path) -> None:
    """Taken over from a variable and dropped: the vault knows it no more."""
    one = vault(tmp_path)
    one.renew("default", OLD, NEW)
    one.turn(["default"], BOTH)
    assert OLD == vault(tmp_path).named("default")
    one.turn(["default"], DROPPED)
    assert not vault(tmp_path).keeps("default")


PHASES = (BOTH, NAMED, ONLY)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("wanted", [*PHASES, DONE, DROPPED])
def test_no_phase_is_left_out(tmp_path: Path, phase: str, wanted: str) -> None:
    """One phase on or one back (or none); anything else is refused, and the file stays."""
    one = begun(tmp_path, *PHASES[: PHASES.index(phase) + 1])
    text = (tmp_path / "vault.json").read_text()
    if wanted in (phase, ON[phase], BACK[phase]):
        one.turn(["default"], wanted)
    else:
        with pytest.raises(ApplyError, match="not where it was"):
            one.turn(["default"], wanted)
        assert text == (tmp_path / "vault.json").read_text()


def test_a_new_password_that_is_not_there_is_no_rotation(tmp_path: Path) -> None:
    """Without a draft nothing begins, and nothing that has ended can be ended again."""
    one = vault(tmp_path)
    for phase in (BOTH, NAMED, ONLY, DONE):
        with pytest.raises(ApplyError):
            one.turn(["default"], phase)


def test_a_third_password_is_refused_meanwhile(tmp_path: Path) -> None:
    """A variable may carry either of both, as long as they are rotated, and nothing else."""
    one = begun(tmp_path, BOTH)
    assert today() == one.rotated_away("default", OLD)
    assert today() == one.rotated_away("default", NEW)
    with pytest.raises(Refused, match="third password"):
        one.rotated_away("default", Secret("third"))


@pytest.mark.parametrize(
    "turn",
    [
        {"phase": "somewhere", "other": "x", "held": False, "begun": "", "before": None},
        {"phase": "both", "other": 1, "held": False, "begun": "", "before": None},
        {"phase": "both"},
        "both",
    ],
)
def test_a_damaged_rotation_is_said(tmp_path: Path, turn: object) -> None:
    """InputError, not a guess."""
    path = tmp_path / "vault.json"
    path.write_text(
        json.dumps({"schema": 1, "secrets": {"default": "x"}, "turns": {"default": turn}})
    )
    path.chmod(0o600)
    with pytest.raises(InputError, match="damaged"):
        vault(tmp_path)


def test_two_know_of_each_other(tmp_path: Path) -> None:
    """A second Keywright that read the vault earlier cannot turn what has been turned since."""
    first = begun(tmp_path, BOTH)
    second = vault(tmp_path)
    first.turn(["default"], NAMED)
    first.turn(["default"], ONLY)
    with pytest.raises(ApplyError):
        second.turn(["default"], BOTH)
