"""How a webhook's receiver can tell that a call is ours, and new."""

import hmac
from hashlib import sha256

VERSION = "v1"
"""Leads every signature; another way to sign gets another."""


def sign_webhook(secret: str, timestamp: int, body: bytes) -> str:
    """Return the signature: HMAC-SHA-256 under *secret* over the timestamp as decimal text, a full stop, and the body.

    Units: *timestamp* is in seconds since 1970. Source: RFC 2104 and FIPS 198-1 for HMAC; what is signed is ours, and leaves
    out nothing that a receiver may act on: the message's identifier is in the body.
    """
    signed = f"{timestamp}.".encode() + body
    return f"{VERSION}={hmac.new(secret.encode(), signed, sha256).hexdigest()}"
