"""The laws of the vault: for its owner alone, drafts keep nothing, what is kept is never replaced."""

import json
import os
from pathlib import Path

import pytest

from keywright.errors import ApplyError, InputError
from keywright.secret import Secret
from keywright_ops.targets.local import LocalTransport
from keywright_ops.vault.file import Vault


def vault(folder: Path) -> Vault:
    """The vault of that folder."""
    return Vault(LocalTransport(), str(folder / "vault.json"))


def test_a_draft_keeps_nothing(tmp_path: Path) -> None:
    """Drafting writes no file; the same vault drafts the same secret again, another one another."""
    one = vault(tmp_path)
    first = one.draft(["admin", "default"], {})
    assert [] == os.listdir(tmp_path)
    assert first == one.draft(["admin", "default"], {})
    assert first != vault(tmp_path).draft(["admin", "default"], {})
    assert ("admin", "default") == one.drafted


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    """keep writes 0600; a later vault gives the same secrets and drafts only what is missing."""
    one = vault(tmp_path)
    drafted = one.draft(["admin", "default"], {})
    one.keep(["admin", "default"])
    assert 0o600 == (tmp_path / "vault.json").stat().st_mode & 0o777
    assert () == one.drafted
    two = vault(tmp_path)
    assert drafted == two.draft(["admin", "default"], {})
    two.draft(["viewer"], {})
    assert ("viewer",) == two.drafted
    two.keep(["viewer"])
    kept = json.loads((tmp_path / "vault.json").read_text())["secrets"]
    assert {"admin", "default", "viewer"} == kept.keys()
    assert drafted["admin"].reveal() == kept["admin"]


def test_a_given_secret_is_used_and_never_kept(tmp_path: Path) -> None:
    """A variable wins over vault and draft, and does not get into the file."""
    one = vault(tmp_path)
    chosen = one.draft(["default", "admin"], {"default": Secret("from the shell")})
    assert Secret("from the shell") == chosen["default"]
    one.keep(one.drafted)
    assert "from the shell" not in (tmp_path / "vault.json").read_text()


def test_what_another_kept_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Two draft the same name: the second to keep is told, and the first one's password stays."""
    one, two = vault(tmp_path), vault(tmp_path)
    first = one.draft(["admin"], {})
    two.draft(["admin"], {})
    one.keep(["admin"])
    with pytest.raises(ApplyError, match="admin"):
        two.keep(["admin"])
    assert first == vault(tmp_path).draft(["admin"], {})


def test_secrets_are_long_and_safe_in_a_url(tmp_path: Path) -> None:
    """32 characters of 192 random bits, none of which needs quoting anywhere."""
    for secret in vault(tmp_path).draft(map(str, range(200)), {}).values():
        assert 32 == len(secret.reveal())
        assert secret.reveal().replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660])
def test_a_vault_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Any right of group or others: InputError with the command that closes it."""
    one = vault(tmp_path)
    one.draft(["admin"], {})
    one.keep(["admin"])
    os.chmod(tmp_path / "vault.json", mode)
    with pytest.raises(InputError, match="can be read by others") as error:
        vault(tmp_path)
    assert "chmod 600" in error.value.hint


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"secrets": []}',
        '{"secrets": {"admin": 1}}',
        '{"secrets": {"admin": null}}',
        "null",
    ],
)
def test_a_damaged_vault_is_said_and_not_replaced(tmp_path: Path, content: str) -> None:
    """InputError with a hint; the file stays as it is, and none of it is in the message."""
    path = tmp_path / "vault.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(InputError, match="damaged") as error:
        vault(tmp_path)
    assert error.value.hint
    assert content == path.read_text()


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    """Not a traceback, and not a new vault."""
    (tmp_path / "vault.json").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        vault(tmp_path)


def test_what_is_drafted_anew_replaces_what_it_saw(tmp_path: Path) -> None:
    """Nothing changes before keep; then the new one is kept, unless somebody else was faster."""
    one = vault(tmp_path)
    one.draft(["insight-site"], {})
    one.keep(["insight-site"])
    first, two = vault(tmp_path), vault(tmp_path)
    old = first.named("insight-site")
    new = first.draft_anew("insight-site")
    two.draft_anew("insight-site")
    assert new != old == vault(tmp_path).named("insight-site")
    first.keep(["insight-site"])
    assert new == vault(tmp_path).named("insight-site")
    with pytest.raises(ApplyError, match="another Keywright"):
        two.keep(["insight-site"])
    assert new == vault(tmp_path).named("insight-site")
