"""The store: what is taken is whole and closed to others, what is not finished is never good."""

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from keywright.errors import ApplyError, Refused
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import CopiedFile, Kept, Manifest, Packed
from keywright_ops.store.copies import SPARE, Store, verify
from keywright_ops.store.manifest import load_manifest, manifest_text

FILES = {"dump.rdb": b"REDIS0011" * 1000, "appendonlydir/a.aof": b"", "appendonlydir/b": b"b\xff"}


def packed(files: dict[str, bytes]) -> Iterator[Packed]:
    """Files on their way, each in pieces of 1000 bytes."""
    for name, content in files.items():
        parts = range(0, len(content), 1000)
        yield Packed(name, iter([content[first : first + 1000] for first in parts]))


def manifest_of(files: tuple[CopiedFile, ...], keys: int = 5, reason: str = "test") -> Manifest:
    """A manifest of these files."""
    return Manifest(
        environment="local", taken="2026-01-31T12:00:00Z", reason=reason, engine="valkey",
        version="9.1.0", appendonly=True, settings={"databases": "16"}, databases={"db0": keys},
        functions=0, files=files, verified="not at all",
    )  # fmt: skip


def keep(store: Store, keys: int = 5, reason: str = "test") -> Kept:
    """Take and commit one copy."""
    folder, files = store.take(packed(FILES))
    return store.commit(folder, manifest_of(files, keys, reason))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that does not exist yet."""
    return Store(f"{tmp_path}/environment/copies")


def test_a_copy_is_whole_closed_and_found_again(store: Store) -> None:
    """What was packed lies there, hashed, 0600 in folders of 0700 whatever the umask, and is listed."""
    before = os.umask(0)
    try:
        kept = keep(store)
    finally:
        os.umask(before)
    folder = Path(kept.folder)
    assert FILES == {name: (folder / "data" / name).read_bytes() for name in FILES}
    assert "" == verify(kept.folder, kept.manifest.files)
    modes = {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    folders = {
        path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*")) if path.is_dir()
    }
    assert ({0o600}, {0o700}) == (modes, folders)
    assert (kept,) == store.kept()
    assert kept == store.find() == store.find(os.path.basename(kept.folder)[-6:])
    assert isinstance(store.find("no such name"), Missing)
    assert {"data", "manifest.json"} == {path.name for path in folder.iterdir()}


def test_without_its_manifest_a_copy_is_none_and_is_swept_away(store: Store) -> None:
    """What an interrupted run left is not listed, and goes when the next copy is taken."""
    folder, _ = store.take(packed(FILES))
    assert () == store.kept()
    kept = keep(store)
    assert (kept,) == store.kept()
    assert not os.path.exists(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "files": 3}'])
def test_a_manifest_that_cannot_be_read_is_not_good_and_stays(store: Store, text: str) -> None:
    """A newer schema or damage is not listed, and not removed: it is somebody's copy."""
    kept = keep(store)
    Path(kept.folder, "manifest.json").write_text(text)
    assert () == store.kept()
    keep(store)
    assert Path(kept.folder, "data", "dump.rdb").exists()


def test_a_manifest_reads_back_as_it_was_written() -> None:
    """Every field survives; the schema, the keys and the files' sums stand in it under plain names."""
    manifest = manifest_of((CopiedFile("a/b", 3, "ff"),))
    assert manifest == load_manifest(manifest_text(manifest).encode())
    found = json.loads(manifest_text(manifest))
    assert (1, 5) == (found["schema"], found["keys"])
    assert [{"name": "a/b", "size": 3, "sha256": "ff"}] == found["files"]


def test_verify_names_what_is_otherwise(store: Store) -> None:
    """A flipped byte, a missing file and a file too many are each told by name."""
    kept = keep(store)
    path = Path(kept.folder, "data", "dump.rdb")
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    assert "dump.rdb reads back otherwise" in verify(kept.folder, kept.manifest.files)
    path.unlink()
    assert "dump.rdb cannot be read back" in verify(kept.folder, kept.manifest.files)
    path.write_bytes(FILES["dump.rdb"])
    (path.parent / "stranger").write_text("")
    assert "stranger" in verify(kept.folder, kept.manifest.files)


@pytest.mark.parametrize("name", ["../escape", "/etc/escape", "a/../../b", "", "a//b", "."])
def test_a_strange_name_is_refused_and_nothing_stays(store: Store, name: str) -> None:
    """A stream may not name a place outside its copy."""
    with pytest.raises(ApplyError, match="strange name"):
        store.take(packed({name: b"x"}))
    assert [] == os.listdir(store.folder)


def test_a_stream_that_breaks_leaves_nothing(store: Store) -> None:
    """Whatever ends the stream in its middle, no folder stays and the error goes on."""

    def broken(error: Exception) -> Iterator[Packed]:
        yield Packed("whole", iter([b"x"]))
        raise error

    full = OSError(errno.ENOSPC, "No space left on device")
    for error, expected in ((full, ApplyError), (ApplyError("cut off"), ApplyError)):
        with pytest.raises(expected):
            store.take(broken(error))
        assert [] == os.listdir(store.folder)
    with pytest.raises(KeyboardInterrupt):
        store.take(broken(KeyboardInterrupt()))  # type: ignore[arg-type]
    assert [] == os.listdir(store.folder)


def test_a_disk_that_fills_up_leaves_nothing(tmp_path: Path) -> None:
    """On a file system of 1 MB: a sentence with what to do, and no folder that looks good."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "keywright-test", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs root to mount a small file system")
    try:
        store = Store(f"{tmp_path}/copies")
        with pytest.raises(ApplyError, match="No space left") as caught:
            store.take(packed({"small": b"x", "large": b"x" * (1 << 21)}))
        assert "free some space" in caught.value.hint
        assert [] == os.listdir(store.folder)
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)])


def test_room_is_asked_for_first(store: Store) -> None:
    """More than is free is refused with what is needed; less is not; the store need not exist yet."""
    found = os.statvfs("/" if not os.path.exists(store.folder) else store.folder)
    store.refuse_without_room(1)
    with pytest.raises(Refused, match="MiB") as caught:
        store.refuse_without_room(found.f_blocks * found.f_frsize * 1000)
    assert "free some space" in caught.value.hint
    assert SPARE > 0


def test_the_last_three_of_a_reason_are_kept(store: Store) -> None:
    """Older ones go, other reasons stay, and a copy without a key never pushes out a full one."""
    full = [keep(store, keys=number) for number in (1, 2, 3, 4)]
    other = keep(store, reason="another")
    empty = [keep(store, keys=0) for _ in range(3)]
    gone = store.prune("test")
    assert {full[0].folder, empty[0].folder, empty[1].folder} == set(gone)
    # the newest stays though it is empty: it was asked for last
    left = {each.folder for each in (*full[1:], other, empty[2])}
    assert left == {each.folder for each in store.kept()}
    assert len(left) == len(os.listdir(store.folder))
    assert () == store.prune("test")
