"""Names that standards give to digests and signatures.

Source: RFC 3279, RFC 4055, RFC 5758 for signatures; RFC 5754 for digests. RFC 5754 wants the parameters of a digest left
out, but readers must take both; we write NULL, as the documented response and Windows itself do.
"""

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ObjectIdentifier

from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm, PublicKey


@asn1.sequence
class AlgorithmIdentifier:
    """Source: RFC 5280 section 4.1.1.2."""

    algorithm: ObjectIdentifier
    parameters: asn1.Null | asn1.TLV | None


HASHES: dict[HashAlgorithm, hashes.HashAlgorithm] = {
    HashAlgorithm.SHA1: hashes.SHA1(),  # noqa: S303 - old clients sign requests with it, and may ask for it in answers.
    HashAlgorithm.SHA256: hashes.SHA256(),
    HashAlgorithm.SHA384: hashes.SHA384(),
    HashAlgorithm.SHA512: hashes.SHA512(),
}
"""The library's object for each digest."""

DIGEST_IDENTIFIERS: dict[HashAlgorithm, AlgorithmIdentifier] = {
    name: AlgorithmIdentifier(algorithm=ObjectIdentifier(dotted), parameters=asn1.Null())
    for name, dotted in {
        HashAlgorithm.SHA1: "1.3.14.3.2.26",
        HashAlgorithm.SHA256: "2.16.840.1.101.3.4.2.1",
        HashAlgorithm.SHA384: "2.16.840.1.101.3.4.2.2",
        HashAlgorithm.SHA512: "2.16.840.1.101.3.4.2.3",
    }.items()
}

RSA_ENCRYPTION = AlgorithmIdentifier(algorithm=ObjectIdentifier("1.2.840.113549.1.1.1"), parameters=asn1.Null())

_RSA_SIGNATURES = {
    HashAlgorithm.SHA1: "1.2.840.113549.1.1.5",
    HashAlgorithm.SHA256: "1.2.840.113549.1.1.11",
    HashAlgorithm.SHA384: "1.2.840.113549.1.1.12",
    HashAlgorithm.SHA512: "1.2.840.113549.1.1.13",
}
_ECDSA_SIGNATURES = {
    HashAlgorithm.SHA1: "1.2.840.10045.4.1",
    HashAlgorithm.SHA256: "1.2.840.10045.4.3.2",
    HashAlgorithm.SHA384: "1.2.840.10045.4.3.3",
    HashAlgorithm.SHA512: "1.2.840.10045.4.3.4",
}


def signature_identifier_of(key: PublicKey, hash_algorithm: HashAlgorithm) -> AlgorithmIdentifier:
    """Return the name of a signature that *key*, RSA or of a curve, makes over a digest: PKCS#1 v1.5 or ECDSA."""
    if key.algorithm is KeyAlgorithm.RSA:
        return AlgorithmIdentifier(algorithm=ObjectIdentifier(_RSA_SIGNATURES[hash_algorithm]), parameters=asn1.Null())
    return AlgorithmIdentifier(algorithm=ObjectIdentifier(_ECDSA_SIGNATURES[hash_algorithm]), parameters=None)


def natural_hash_of(key: PublicKey) -> HashAlgorithm:
    """Return the digest that is as strong as *key*: SHA-384 for P-384, SHA-256 for the others."""
    return HashAlgorithm.SHA384 if key.algorithm is KeyAlgorithm.ECDSA_P384 else HashAlgorithm.SHA256
