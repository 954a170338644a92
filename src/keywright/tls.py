"""The rules of a TLS connection, made once for whoever wraps a socket."""

import ssl

from keywright.endpoint import Tls
from keywright.errors import Unreachable


def ssl_context(tls: Tls) -> ssl.SSLContext:
    """The rules of one TLS connection. Raises Unreachable, with the file, when one cannot be read."""
    try:
        context = ssl.create_default_context(cafile=tls.ca_certs or None)
        context.check_hostname = tls.check_hostname and tls.verify
        if not tls.verify:
            context.verify_mode = ssl.CERT_NONE
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key or None)
    except OSError as error:  # ssl's errors are OSErrors too
        files = " or ".join(filter(None, (tls.ca_certs, tls.certificate, tls.key)))
        raise Unreachable(
            f"cannot use {files or 'the certificates'}: {error.strerror or error}",
            "the files are PEM: an authority, a certificate, its key",
        ) from None
    return context
