"""How the way to a mail server is protected."""

from enum import StrEnum


class MailSecurity(StrEnum):
    """TLS after a greeting in clear, TLS from the first byte, or none, for a server on the same machine.

    Source: RFC 3207 (STARTTLS), which is refused where the server does not offer it; RFC 8314 section 3.3 (TLS at once).
    """

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"
