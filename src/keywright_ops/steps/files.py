"""Steps that bring files to what the plan says."""

from hashlib import sha256

from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import Facts
from keywright_ops.model.step import FileIs, Step, WriteFile


def digest(text: str) -> str:
    """Return the sha256 of the text's UTF-8, in hex."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def differs(file: WholeFile, facts: Facts) -> bool:
    """Whether the file on disk has another content or wider rights than the plan's."""
    seen = facts.files.get(file.path, Missing("not asked"))
    if isinstance(seen, Missing):
        return True
    return seen.digest != digest(file.text()) or seen.mode != file.mode


def difference(file: WholeFile, facts: Facts) -> str:
    """Say how the file on disk differs from the plan's; "" when it does not."""
    seen = facts.files.get(file.path, Missing("not asked"))
    name = file.path.rpartition("/")[2]
    if isinstance(seen, Missing):
        return f"{name}: {seen.why}"
    if seen.digest != digest(file.text()):
        return f"{name} has another content"
    return f"{name} has mode {seen.mode:o}, declared {file.mode:o}" if differs(file, facts) else ""


def write(file: WholeFile, facts: Facts) -> Step:
    """Return the step that writes the file over what was seen there."""
    seen = facts.files.get(file.path, Missing("not asked"))
    before = None if isinstance(seen, Missing) else seen.digest
    name = file.path.rpartition("/")[2]
    title = f"{'write' if before is None else 'rewrite'} {name}"
    if file.made_from:
        title = f"bring Keywright's lines in {name} up to date"
        before = file.made_from  # what was added since it was read must not be lost
    if before == digest(file.text()):
        title = f"close {name} ({difference(file, facts)})"
    return Step(
        id=write_id(file.path),
        title=title,
        do=WriteFile(file.path, file.content, file.mode),
        expect=(FileIs(file.path, before),),
    )


def write_id(path: str) -> str:
    """Return the id of the step that writes the file."""
    return f"write-{path.rpartition('/')[2]}"
