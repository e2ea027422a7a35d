"""Small things that every ASN.1 module needs."""

from cryptography.hazmat import asn1


def encode_value(value: object) -> asn1.TLV:
    """Return the DER of *value* in the form in which it stands where the standard says ANY."""
    return asn1.decode_der(asn1.TLV, asn1.encode_der(value))
