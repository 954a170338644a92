"""What a plan needs to exist: whole files, parts of files, and firewall rules. Text is made last."""

from typing import NamedTuple

from keywright.secret import Secret


class WholeFile(NamedTuple):
    """A file that belongs to Keywright entirely.

    `path` is relative to the project's folder (for `local` to its own home), or absolute on the
    target's host.
    Content that holds a secret is a `Secret`, and `mode` is then never wider than 0o640.
    `made_from` is the sha256 of the file that was read to make the content, where that holds what is
    not Keywright's: it is written over that very content only. "" for a file that is Keywright's.
    """

    path: str
    content: str | Secret
    mode: int = 0o644
    made_from: str = ""

    @property
    def folder(self) -> str:
        """The folder in which it lies."""
        return self.path.rpartition("/")[0]

    @property
    def secret(self) -> bool:
        """Whether the content must not be shown."""
        return isinstance(self.content, Secret)

    def text(self) -> str:
        """The content itself, for the moment it is written."""
        return self.content.reveal() if isinstance(self.content, Secret) else self.content


class Fragment(NamedTuple):
    """Lines that stand between two marker comments in somebody else's file."""

    path: str
    marker: str
    lines: tuple[str, ...]


class Rule(NamedTuple):
    """One line of a firewall. `action` is allow or deny; `source` a network or "any".

    `interface` narrows it to what comes in there ("" is every interface).
    """

    firewall: str  # "ufw" | "azure-nsg" | "aws-security-group"
    name: str
    action: str
    source: str
    port: int | str
    comment: str
    interface: str = ""


Artefact = WholeFile | Fragment | Rule
