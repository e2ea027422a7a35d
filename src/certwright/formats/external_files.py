"""Files in which certificates come from elsewhere: PFX, PEM, DER; with a private key or without.

Source: RFC 7292 for PFX, RFC 7468 for PEM, RFC 5280 for DER.
"""

import re
import warnings
from collections.abc import Iterator, Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key, pkcs12

from certwright.domain.certificates import SerialNumber
from certwright.domain.errors import ExternalFileUnreadable, ExternalKeyMisfit, ExternalKeysSeveral, ExternalPasswordWrong
from certwright.domain.external_certificates import ExternalFile, FoundCertificate
from certwright.domain.keys import PrivateKey
from certwright.formats.library_faults import panics_as_faults
from certwright.formats.public_keys import describe_public_key

PFX_VERSION = b"\x02\x01\x03\x30"
"""The number 3 and the beginning of what follows it: no certificate has this so early. Source: RFC 7292 section 4."""
PFX_HEAD_OCTETS = 12
LARGEST_SERIAL_BITS = 160
"""Source: RFC 5280 section 4.1.2.2."""
KEY_BAGS = tuple(b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01" + kind for kind in (b"\x01", b"\x02"))
"""The identifiers of a private key in a PFX, plain or shrouded. Source: RFC 7292 section 4.2."""
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----[^-]*(?:-(?!----)[^-]*)*-----END \1-----")
"""The text of a block has no five hyphens in a row: a block without an end is looked through once."""
_ENCRYPTED = (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED")
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for what others have made."""


def is_protected(content: bytes) -> bool:
    """Return whether it takes a password to read the file."""
    return _is_pfx(content) or any(each in content for each in _ENCRYPTED)


def parse_external_file(name: str, content: bytes, password: str) -> ExternalFile:
    """Return what the file brings; *name* is what faults call it.

    Certificates of authorities that stand beside somebody's own are its chain, and left out. A file with a key has one
    certificate of a person.

    Errors: ExternalFileUnreadable; ExternalPasswordWrong; ExternalKeysSeveral; ExternalKeyMisfit.
    """
    try:
        with panics_as_faults():
            raw, keys = _read(name, content, password)
    except ValueError as error:
        raise ExternalFileUnreadable(name, "it is damaged, or of no kind that we know") from error
    try:
        found = [_describe(each) for each in raw]
        key = _describe_key(keys[0]) if keys else None
    except _UNREADABLE as error:
        raise ExternalFileUnreadable(name, "a certificate or key in it is of no kind that we know") from error
    if not found:
        raise ExternalFileUnreadable(name, "there is no certificate in it")
    own = [each for each in found if not each.is_authority] or found
    if key is not None:
        if max(len(keys), sum(map(content.count, KEY_BAGS)), len(own)) > 1:
            raise ExternalKeysSeveral(name)
        if own[0].public_key.encoded != key.public_key.encoded:
            raise ExternalKeyMisfit(name)
    return ExternalFile(name=name, certificates=tuple(own), key=key)


def _is_pfx(content: bytes) -> bool:
    return content[:1] == b"\x30" and PFX_VERSION in content[:PFX_HEAD_OCTETS]


def _read(name: str, content: bytes, password: str) -> tuple[Sequence[x509.Certificate], Sequence[PrivateKeyTypes]]:
    if _is_pfx(content):
        return _read_pfx(name, content, password)
    try:
        if _BLOCK.search(content) is None:
            return [x509.load_der_x509_certificate(content)], []
        blocks = [(each[1], each[0]) for each in _BLOCK.finditer(content)]
        certificates = [x509.load_pem_x509_certificate(block) for kind, block in blocks if kind.endswith(b"CERTIFICATE")]
    except _UNREADABLE as error:
        raise ExternalFileUnreadable(name, "there is something else in it") from error
    keys = [block for kind, block in blocks if kind.endswith(b"PRIVATE KEY")]
    return certificates, list(_read_pem_keys(name, keys, password))


def _read_pfx(name: str, content: bytes, password: str) -> tuple[Sequence[x509.Certificate], Sequence[PrivateKeyTypes]]:
    try:
        with warnings.catch_warnings(action="ignore"):
            # The library warns of BER, which is what many programs write.
            store = pkcs12.load_pkcs12(content, password.encode())
    except ValueError as error:
        raise ExternalPasswordWrong(name) from error
    except UnsupportedAlgorithm as error:
        raise ExternalFileUnreadable(name, "its key is of no kind that we know") from error
    held = [each.certificate for each in (store.cert, *store.additional_certs) if each is not None]
    return held, [] if store.key is None else [store.key]


def _read_pem_keys(name: str, blocks: Sequence[bytes], password: str) -> Iterator[PrivateKeyTypes]:
    for block in blocks:
        is_encrypted = any(each in block for each in _ENCRYPTED)
        try:
            yield load_pem_private_key(block, password.encode() if is_encrypted else None)
        except _UNREADABLE as error:
            if is_encrypted:
                raise ExternalPasswordWrong(name) from error
            raise ExternalFileUnreadable(name, "the private key in it is damaged, or of no kind that we know") from error


def _describe(certificate: x509.Certificate) -> FoundCertificate:
    if not 0 < certificate.serial_number < 1 << LARGEST_SERIAL_BITS:
        raise ValueError("the serial number is none")
    return FoundCertificate(
        encoded=certificate.public_bytes(Encoding.DER),
        serial=SerialNumber(certificate.serial_number),
        issuer=certificate.issuer.public_bytes(),
        issuer_name=certificate.issuer.rfc4514_string(),
        subject_name=certificate.subject.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        public_key=describe_public_key(certificate.public_key()),
        is_authority=_is_authority(certificate),
    )


def _is_authority(certificate: x509.Certificate) -> bool:
    """Return whether it may sign other certificates, by what it says of itself."""
    for each in certificate.extensions:
        if isinstance(each.value, x509.BasicConstraints) and each.value.ca:
            return True
        if isinstance(each.value, x509.KeyUsage) and each.value.key_cert_sign:
            return True
    return False


def _describe_key(key: PrivateKeyTypes) -> PrivateKey:
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return PrivateKey(describe_public_key(key.public_key()), plain)
