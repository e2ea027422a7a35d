"""The signatures that certificate requests come with: their names, and whether a key made one.

Source: RFC 3279, 4055, 5758, 8017, 8410 and 8702 for identifiers and parameters; the NIST registry for SHA-3.
"""

from dataclasses import dataclass

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from certwright.domain.errors import MalformedCertificateRequest
from certwright.domain.public_keys import HashAlgorithm
from certwright.formats.der_reader import SEQUENCE, Element, read_identifier

LIBRARY_FAULTS = (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, InternalError)
"""What the library raises for keys and signatures of others."""
RSASSA_PSS = "1.2.840.113549.1.1.10"
_MASK_GENERATION = "1.2.840.113549.1.1.8"
_PSS_SALT_OCTETS = 20
"""The default of RFC 4055 section 3.1, as SHA-1 is that of the digest."""
_SHA1 = hashes.SHA1()  # noqa: S303 - old clients sign requests with it; the template decides.
_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "1.3.14.3.2.26": _SHA1,
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
    "2.16.840.1.101.3.4.2.4": hashes.SHA224(),
}
_RSA: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.113549.1.1.5": _SHA1,
    "1.3.14.3.2.29": _SHA1,
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
    "1.2.840.113549.1.1.14": hashes.SHA224(),
    "2.16.840.1.101.3.4.3.13": hashes.SHA3_224(),
    "2.16.840.1.101.3.4.3.14": hashes.SHA3_256(),
    "2.16.840.1.101.3.4.3.15": hashes.SHA3_384(),
    "2.16.840.1.101.3.4.3.16": hashes.SHA3_512(),
}
_ECDSA: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.10045.4.1": _SHA1,
    "1.2.840.10045.4.3.1": hashes.SHA224(),
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
    "2.16.840.1.101.3.4.3.9": hashes.SHA3_224(),
    "2.16.840.1.101.3.4.3.10": hashes.SHA3_256(),
    "2.16.840.1.101.3.4.3.11": hashes.SHA3_384(),
    "2.16.840.1.101.3.4.3.12": hashes.SHA3_512(),
}
_DSA: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.10040.4.3": _SHA1,
    "2.16.840.1.101.3.4.3.1": hashes.SHA224(),
    "2.16.840.1.101.3.4.3.2": hashes.SHA256(),
    "2.16.840.1.101.3.4.3.3": hashes.SHA384(),
    "2.16.840.1.101.3.4.3.4": hashes.SHA512(),
}
_NAMES = {
    "1.2.840.113549.1.1.2": "MD2",
    "1.2.840.113549.1.1.3": "MD4",
    "1.2.840.113549.1.1.4": "MD5",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
"""What is known by name alone: no hash of these is taken."""
_PKCS1 = padding.PKCS1v15()
_TAKEN = {each.value.lower(): each for each in HashAlgorithm}


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """How a signature was made. Shape: *digest* is None where the name says of none; *pss* is the padding of RSASSA-PSS."""

    identifier: str
    digest: hashes.HashAlgorithm | None = None
    pss: padding.PSS | None = None

    @property
    def hash_algorithm(self) -> HashAlgorithm | None:
        """Return the hash, when it is one that generation options can name."""
        return None if self.digest is None else _TAKEN.get(self.digest.name)

    @property
    def name(self) -> str:
        """Return the hash as texts name it, or what else is known of the signature."""
        return self.digest.name.upper() if self.digest is not None else _NAMES.get(self.identifier, self.identifier)


def read_signature_scheme(algorithm: Element) -> SignatureScheme:
    """Return what the AlgorithmIdentifier says.

    Shape: parameters other than those of RSASSA-PSS are passed over: keytool up to 15, Mbed TLS and TPM tools write NULL
    after ECDSA, which RFC 5758 section 3.2 wants left out.
    Errors: MalformedCertificateRequest; NotDer.
    """
    inner = algorithm.list_inner()
    identifier = read_identifier(inner[0] if inner else algorithm)
    if identifier == RSASSA_PSS:
        if len(inner) < 2 or inner[1].tag != SEQUENCE:
            raise MalformedCertificateRequest("its signatureAlgorithm is RSASSA-PSS without the parameters that belong to it")
        return _read_pss(inner[1])
    for table in (_RSA, _ECDSA, _DSA):
        if identifier in table:
            return SignatureScheme(identifier, table[identifier])
    return SignatureScheme(identifier)


def has_signed(key: PublicKeyTypes, scheme: SignatureScheme, signature: bytes, signed: bytes) -> bool:
    """Return whether *key* made *signature* over *signed* in the way that *scheme* says."""
    try:
        _verify(key, scheme, signature, signed)
    except (InvalidSignature, *LIBRARY_FAULTS):
        return False
    return True


def _verify(key: PublicKeyTypes, scheme: SignatureScheme, signature: bytes, signed: bytes) -> None:
    identifier, digest = scheme.identifier, scheme.digest
    if isinstance(key, rsa.RSAPublicKey) and digest is not None and scheme.pss is not None:
        key.verify(signature, signed, scheme.pss, digest)
    elif isinstance(key, rsa.RSAPublicKey) and identifier in _RSA:
        key.verify(signature, signed, _PKCS1, _RSA[identifier])
    elif isinstance(key, ec.EllipticCurvePublicKey) and identifier in _ECDSA:
        key.verify(signature, signed, ec.ECDSA(_ECDSA[identifier]))
    elif isinstance(key, dsa.DSAPublicKey) and identifier in _DSA:
        key.verify(signature, signed, _DSA[identifier])
    elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(signature, signed)
    else:
        raise InvalidSignature


def _read_pss(parameters: Element) -> SignatureScheme:
    """Source: RFC 4055 section 3.1; each field has a default and may be left out."""
    fields = {each.tag & 0x1F: each.list_inner() for each in parameters.list_inner()}
    if any(len(each) != 1 for each in fields.values()):
        raise MalformedCertificateRequest("the parameters of its RSASSA-PSS signature are none")
    digest = _read_digest(fields[0][0]) if 0 in fields else _SHA1
    mask_digest = _read_mask(fields[1][0]) if 1 in fields else _SHA1
    salt_octets = fields[2][0].read_integer() if 2 in fields else _PSS_SALT_OCTETS
    if digest is None or mask_digest is None or not 0 <= salt_octets <= 0xFFFF:
        return SignatureScheme(RSASSA_PSS)
    return SignatureScheme(RSASSA_PSS, digest, padding.PSS(padding.MGF1(mask_digest), salt_octets))


def _read_mask(algorithm: Element) -> hashes.HashAlgorithm | None:
    inner = algorithm.list_inner()
    if len(inner) != 2 or read_identifier(inner[0]) != _MASK_GENERATION:
        return None
    return _read_digest(inner[1])


def _read_digest(algorithm: Element) -> hashes.HashAlgorithm | None:
    inner = algorithm.list_inner()
    return _DIGESTS.get(read_identifier(inner[0])) if inner else None
