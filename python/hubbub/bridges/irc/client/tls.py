"""How TLS is spoken with a network."""

import ssl

from hubbub.bridges.irc.client.settings import IrcBridge
from hubbub.errors import BadCertificate


def context_of(settings: IrcBridge) -> ssl.SSLContext | None:
    """What holds for its connections; None: there is no TLS.

    Raises:
        BadCertificate: What is to be believed cannot be read.
    """
    if not settings.tls:
        return None
    try:
        return ssl.create_default_context(cafile=settings.certificates or None)
    except OSError as error:
        raise BadCertificate(settings.certificates, str(error)) from None
