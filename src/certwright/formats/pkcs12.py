"""PKCS#12: a private key with its certificate and chain, protected by a password.

The library writes the file, but for its seal: there it stretches the password by a fixed 2,048 rounds, whatever the contents
get, and who guesses passwords would guess them against the seal. So the seal is made here, with as many rounds as the contents.

Source: RFC 7292; RFC 8018 for PBES2.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    KeySerializationEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs12,
)
from cryptography.x509 import ObjectIdentifier

from certwright.domain.errors import DefinitionInvalid
from certwright.domain.keys import PrivateKey
from certwright.domain.pfx import PfxProtection
from certwright.domain.public_keys import HashAlgorithm
from certwright.formats.algorithms import DIGEST_IDENTIFIERS, AlgorithmIdentifier

MAC_PURPOSE = 3
"""The diversifier of keys for the seal. Source: RFC 7292 appendix B.3."""
BLOCK_OCTETS = 64
"""Of SHA-1 and SHA-256 alike."""
SALT_OCTETS = 16


@asn1.sequence
class DigestInfo:
    """Source: RFC 8017 section 9.2."""

    algorithm: AlgorithmIdentifier
    digest: bytes


@asn1.sequence
class MacData:
    """The seal. Source: RFC 7292 section 4."""

    mac: DigestInfo
    salt: bytes
    iterations: int


@asn1.sequence
class SafeContent:
    """What is sealed: a ContentInfo of the kind *data*."""

    type: ObjectIdentifier
    content: Annotated[bytes, asn1.Explicit(0)]


@asn1.sequence
class Pfx:
    """Source: RFC 7292 section 4."""

    version: int
    safe: SafeContent
    mac: MacData


@dataclass(frozen=True, slots=True, kw_only=True)
class PfxContent:
    """What goes into a file. Shape: *certificate* and *chain* are DER; the chain goes from the issuer up to the root."""

    key: PrivateKey
    certificate: bytes
    chain: tuple[bytes, ...] = ()
    friendly_name: str


def encode_pfx(content: PfxContent, password: str, *, protection: PfxProtection, iterations: int) -> bytes:
    """Return the DER PFX.

    Shape: key and certificate carry the friendly name and, as local key id, the SHA-1 of the certificate. AES_256 is PBES2
    with AES-256-CBC and PBKDF2 over HMAC-SHA-256, sealed by HMAC-SHA-256; TRIPLE_DES is pbeWithSHAAnd3-KeyTripleDES-CBC,
    sealed by HMAC-SHA-1. The password is UTF-8 for PBKDF2 and UTF-16 for the rest, as openssl, GnuTLS and NSS have it.

    Errors: DefinitionInvalid for a key that is neither RSA nor of a curve.
    """
    key = load_der_private_key(content.key.pkcs8, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise DefinitionInvalid("key", "PFX files are made for RSA and curves")
    encoded = pkcs12.serialize_key_and_certificates(
        content.friendly_name.encode(),
        key,
        x509.load_der_x509_certificate(content.certificate),
        [x509.load_der_x509_certificate(each) for each in content.chain],
        _protect(password, protection, iterations),
    )
    pfx = asn1.decode_der(Pfx, encoded)
    digest = HashAlgorithm.SHA256 if protection is PfxProtection.AES_256 else HashAlgorithm.SHA1
    seal = _seal(pfx.safe.content, password, digest, iterations)
    return asn1.encode_der(Pfx(version=pfx.version, safe=pfx.safe, mac=seal))


def _protect(password: str, protection: PfxProtection, iterations: int) -> KeySerializationEncryption:
    chosen = {
        PfxProtection.AES_256: pkcs12.PBES.PBESv2SHA256AndAES256CBC,
        PfxProtection.TRIPLE_DES: pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC,
    }[protection]
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(iterations).key_cert_algorithm(chosen)
    # The seal that the library makes with this is thrown away.
    return builder.hmac_hash(hashes.SHA256()).build(password.encode())


def _seal(content: bytes, password: str, digest: HashAlgorithm, iterations: int) -> MacData:
    name, salt = digest.value.lower(), secrets.token_bytes(SALT_OCTETS)
    key = _derive(password, salt, name, iterations)
    return MacData(
        mac=DigestInfo(algorithm=DIGEST_IDENTIFIERS[digest], digest=hmac.digest(key, content, name)),
        salt=salt,
        iterations=iterations,
    )


def _derive(password: str, salt: bytes, name: str, iterations: int) -> bytes:
    """Return a key as long as one digest, which is all that a seal takes. Source: RFC 7292 appendix B.2."""
    derived = hashlib.new(
        name,
        bytes([MAC_PURPOSE]) * BLOCK_OCTETS + _fill_blocks(salt) + _fill_blocks(password.encode("utf-16-be") + b"\0\0"),
    ).digest()
    digest = getattr(hashlib, name)
    for _ in range(iterations - 1):
        derived = digest(derived).digest()
    return derived


def _fill_blocks(octets: bytes) -> bytes:
    """Return *octets* again and again, cut at the end of the block in which they end the first time."""
    length = -(-len(octets) // BLOCK_OCTETS) * BLOCK_OCTETS
    return (octets * (length // len(octets) + 1))[:length]
