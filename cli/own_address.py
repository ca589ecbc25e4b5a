"""Asks the service of this machine over its own address: plain, or by TLS against the very certificate that it was given."""

import ssl
import urllib.request

from kernel.settings import Settings


def base(chosen: Settings, port: int, host: str | None = None) -> str:
    """Give the address at which a process of ours answers."""
    return f"{'https' if chosen.tls_certificate else 'http'}://{host or chosen.host}:{port}"


def ask(chosen: Settings, address: str, timeout: float) -> bytes:
    """Read an address of ours. Raises: OSError (HTTPError with the answer).

    The certificate names how others call this machine, so the name is not looked at; that it is ours is.
    """
    trusted = None
    if chosen.tls_certificate is not None:
        trusted = ssl.create_default_context(cafile=str(chosen.tls_certificate))
        trusted.check_hostname = False
        trusted.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # Nobody else's certificate will do, whoever signed it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted))
    with opener.open(address, timeout=timeout) as answer:
        return bytes(answer.read())
