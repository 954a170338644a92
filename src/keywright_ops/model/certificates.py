"""What TLS needs of its own: the authority, and the server's certificate with its key."""

from typing import NamedTuple

from keywright.secret import Secret


class Certificates(NamedTuple):
    """PEM texts. `authority` holds the authority's key *and* certificate, so that one write of one
    file makes another authority; None where its owner keeps it elsewhere (nothing can be signed then).
    """

    authority: Secret | None
    ca: str
    certificate: str
    key: Secret
