"""CMS AuthEnvelopedData: content that the holders of certain certificates can read, and that nobody can change unnoticed.

Each recipient gets the content key in his own way: an RSA key by OAEP with SHA-256, a key of a curve by an ephemeral key, whose
agreement is stretched by X9.63 with the digest of the curve's strength, and AES key wrap. The content is AES-256 in GCM.

Source: RFC 5652 section 6 for recipients, RFC 5083 for AuthEnvelopedData, RFC 5084 for GCM, RFC 4055 for OAEP, RFC 5753 for
curves.
"""

import secrets
from collections.abc import Sequence
from typing import Annotated

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import keywrap
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ObjectIdentifier

from certwright.domain.errors import DefinitionInvalid, MalformedValue
from certwright.domain.key_ports import DecryptionKey
from certwright.domain.public_keys import HashAlgorithm
from certwright.formats.algorithms import DIGEST_IDENTIFIERS, HASHES, AlgorithmIdentifier
from certwright.formats.cms import DATA, IssuerAndSerialNumber
from certwright.formats.der import encode_value

AUTH_ENVELOPED_DATA = ObjectIdentifier("1.2.840.113549.1.9.16.1.23")
AES_256_GCM = ObjectIdentifier("2.16.840.1.101.3.4.1.46")
RSAES_OAEP = ObjectIdentifier("1.2.840.113549.1.1.7")
MGF1 = ObjectIdentifier("1.2.840.113549.1.1.8")
AES_256_WRAP = AlgorithmIdentifier(algorithm=ObjectIdentifier("2.16.840.1.101.3.4.1.45"), parameters=None)
EC_PUBLIC_KEY = AlgorithmIdentifier(algorithm=ObjectIdentifier("1.2.840.10045.2.1"), parameters=None)
AGREEMENTS = {
    "secp256r1": (ObjectIdentifier("1.3.132.1.11.1"), HashAlgorithm.SHA256),
    "secp384r1": (ObjectIdentifier("1.3.132.1.11.2"), HashAlgorithm.SHA384),
}
"""dhSinglePass-stdDH with the digest that stretches the agreement. Source: RFC 5753 section 7.1.4."""
OAEP_HASH = HashAlgorithm.SHA256
KEY_OCTETS, NONCE_OCTETS, TAG_OCTETS = 32, 12, 16
SMALLEST_RSA_BITS = 2048


@asn1.sequence
class KeyTransport:
    """KeyTransRecipientInfo. Source: RFC 5652 section 6.2.1."""

    version: int
    recipient: IssuerAndSerialNumber
    algorithm: AlgorithmIdentifier
    encrypted_key: bytes


@asn1.sequence
class OriginatorKey:
    """The ephemeral key."""

    algorithm: AlgorithmIdentifier
    point: asn1.BitString


@asn1.sequence
class Originator:
    """A choice of one, around which there is another tag."""

    key: Annotated[OriginatorKey, asn1.Implicit(1)]


@asn1.sequence
class RecipientKey:
    """The content key, wrapped for one recipient."""

    recipient: IssuerAndSerialNumber
    encrypted_key: bytes


@asn1.sequence
class KeyAgreement:
    """KeyAgreeRecipientInfo. Source: RFC 5652 section 6.2.2."""

    version: int
    originator: Annotated[Originator, asn1.Implicit(0)]
    user_keying_material: Annotated[bytes | None, asn1.Explicit(1)]
    algorithm: AlgorithmIdentifier
    recipients: list[RecipientKey]


@asn1.sequence
class SharedInfo:
    """What the agreement is stretched with. Source: RFC 5753 section 7.2."""

    wrap: AlgorithmIdentifier
    key_bits: Annotated[bytes, asn1.Explicit(2)]


@asn1.sequence
class OaepParameters:
    """Source: RFC 4055 section 4.1."""

    hash: Annotated[AlgorithmIdentifier, asn1.Explicit(0)]
    mask: Annotated[AlgorithmIdentifier, asn1.Explicit(1)]


@asn1.sequence
class GcmParameters:
    """Source: RFC 5084 section 3.2."""

    nonce: bytes
    tag_octets: int


@asn1.sequence
class EncryptedContent:
    """Source: RFC 5652 section 6.1."""

    type: ObjectIdentifier
    algorithm: AlgorithmIdentifier
    content: Annotated[bytes, asn1.Implicit(0)]


Recipient = KeyTransport | Annotated[KeyAgreement, asn1.Implicit(1)]


@asn1.sequence
class AuthEnvelopedData:
    """Source: RFC 5083 section 2.1."""

    version: int
    recipients: asn1.SetOf[Recipient]
    encrypted: EncryptedContent
    tag: bytes


@asn1.sequence
class ContentInfo:
    """The outermost layer."""

    type: ObjectIdentifier
    content: Annotated[AuthEnvelopedData, asn1.Explicit(0)]


def check_recipient(certificate: bytes) -> None:
    """Raise unless content can be encrypted to the DER *certificate*.

    Errors: DefinitionInvalid for another key than RSA of 2048 bits or more, P-256 or P-384, and for what is no certificate.
    """
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError as error:
        raise DefinitionInvalid("certificate", "it is no X.509 certificate") from error
    is_curve = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in AGREEMENTS
    if not is_curve and not (isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA_BITS):
        raise DefinitionInvalid("certificate", "its key is neither RSA of 2048 bits or more nor on the curve P-256 or P-384")


def encode_enveloped(content: bytes, certificates: Sequence[bytes]) -> bytes:
    """Return the DER ContentInfo of *content*, encrypted to the holders of *certificates* (DER), each of which can open it.

    Errors: DefinitionInvalid as `check_recipient`.
    """
    key, nonce = secrets.token_bytes(KEY_OCTETS), secrets.token_bytes(NONCE_OCTETS)
    sealed = AESGCM(key).encrypt(nonce, content, None)
    parameters = encode_value(GcmParameters(nonce=nonce, tag_octets=TAG_OCTETS))
    enveloped = AuthEnvelopedData(
        version=0,
        recipients=asn1.SetOf([_encode_recipient(each, key) for each in certificates]),
        encrypted=EncryptedContent(
            type=DATA,
            algorithm=AlgorithmIdentifier(algorithm=AES_256_GCM, parameters=parameters),
            content=sealed[:-TAG_OCTETS],
        ),
        tag=sealed[-TAG_OCTETS:],
    )
    return asn1.encode_der(ContentInfo(type=AUTH_ENVELOPED_DATA, content=enveloped))


def is_encrypted_to(encoded: bytes, certificate: bytes) -> bool:
    """Return whether the holder of *certificate* is among the recipients. Errors: MalformedValue for what is not ours."""
    return _find_recipient(_parse(encoded), certificate) is not None


def open_enveloped(encoded: bytes, certificate: bytes, key: DecryptionKey) -> bytes:
    """Return the content, read by the holder of *certificate* with his *key*.

    Errors: MalformedValue for what is not ours, is not for him, does not open with his key, or was changed; KeyUnavailable.
    """
    data = _parse(encoded)
    found = _find_recipient(data, certificate)
    if found is None:
        raise MalformedValue("envelope", "the agent is none of its recipients")
    try:
        parameters = data.encrypted.algorithm.parameters
        nonce = asn1.decode_der(GcmParameters, asn1.encode_der(parameters)).nonce
        content_key = _open_recipient(found, key)
        return AESGCM(content_key).decrypt(nonce, data.encrypted.content + data.tag, None)
    except (ValueError, InvalidTag, keywrap.InvalidUnwrap) as error:
        raise MalformedValue("envelope", "it was changed, or the agent's key is not that of his certificate") from error


def _parse(encoded: bytes) -> AuthEnvelopedData:
    try:
        info = asn1.decode_der(ContentInfo, encoded)
    except ValueError as error:
        raise MalformedValue("envelope", "it is no AuthEnvelopedData") from error
    if info.type != AUTH_ENVELOPED_DATA or info.content.encrypted.algorithm.algorithm != AES_256_GCM:
        raise MalformedValue("envelope", "it is no AuthEnvelopedData with AES-256-GCM")
    return info.content


def _name(certificate: bytes) -> IssuerAndSerialNumber:
    parsed = x509.load_der_x509_certificate(certificate)
    issuer = asn1.decode_der(asn1.TLV, parsed.issuer.public_bytes())
    return IssuerAndSerialNumber(issuer=issuer, serial=parsed.serial_number)


def _find_recipient(data: AuthEnvelopedData, certificate: bytes) -> KeyTransport | tuple[KeyAgreement, bytes] | None:
    wanted = asn1.encode_der(_name(certificate))
    for each in data.recipients.as_list():
        if isinstance(each, KeyTransport):
            if asn1.encode_der(each.recipient) == wanted:
                return each
            continue
        for one in each.recipients:
            if asn1.encode_der(one.recipient) == wanted:
                return each, one.encrypted_key
    return None


def _encode_recipient(certificate: bytes, content_key: bytes) -> KeyTransport | KeyAgreement:
    check_recipient(certificate)
    public = x509.load_der_x509_certificate(certificate).public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        return _agree_with(public, _name(certificate), content_key)
    if not isinstance(public, rsa.RSAPublicKey):
        raise DefinitionInvalid("certificate", "its key does not encrypt")
    encrypted = public.encrypt(content_key, make_oaep(OAEP_HASH))
    return KeyTransport(version=0, recipient=_name(certificate), algorithm=_OAEP, encrypted_key=encrypted)


def _agree_with(public: ec.EllipticCurvePublicKey, name: IssuerAndSerialNumber, content_key: bytes) -> KeyAgreement:
    ephemeral = ec.generate_private_key(public.curve)
    identifier, digest = AGREEMENTS[public.curve.name]
    wrapping = _stretch(ephemeral.exchange(ec.ECDH(), public), digest)
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return KeyAgreement(
        version=3,
        originator=Originator(key=OriginatorKey(algorithm=EC_PUBLIC_KEY, point=asn1.BitString(point, 0))),
        user_keying_material=None,
        algorithm=AlgorithmIdentifier(algorithm=identifier, parameters=encode_value(AES_256_WRAP)),
        recipients=[RecipientKey(recipient=name, encrypted_key=keywrap.aes_key_wrap(wrapping, content_key))],
    )


def _open_recipient(found: KeyTransport | tuple[KeyAgreement, bytes], key: DecryptionKey) -> bytes:
    if isinstance(found, KeyTransport):
        return key.decrypt(found.encrypted_key, OAEP_HASH)
    agreement, wrapped = found
    digest = next((digest for identifier, digest in AGREEMENTS.values() if identifier == agreement.algorithm.algorithm), None)
    if digest is None:
        raise ValueError("another key agreement")
    return keywrap.aes_key_unwrap(_stretch(key.agree(agreement.originator.key.point.as_bytes()), digest), wrapped)


def make_oaep(digest: HashAlgorithm) -> padding.OAEP:
    """Return the padding with which RSA keys encrypt here: one digest for everything, no label.

    Source: RFC 8017 section 7.1.
    """
    return padding.OAEP(padding.MGF1(HASHES[digest]), HASHES[digest], None)


def _stretch(agreement: bytes, digest: HashAlgorithm) -> bytes:
    shared = SharedInfo(wrap=AES_256_WRAP, key_bits=(KEY_OCTETS * 8).to_bytes(4))
    return X963KDF(HASHES[digest], KEY_OCTETS, asn1.encode_der(shared)).derive(agreement)


def _name_oaep() -> AlgorithmIdentifier:
    digest = DIGEST_IDENTIFIERS[OAEP_HASH]
    mask = AlgorithmIdentifier(algorithm=MGF1, parameters=encode_value(digest))
    return AlgorithmIdentifier(algorithm=RSAES_OAEP, parameters=encode_value(OaepParameters(hash=digest, mask=mask)))


_OAEP = _name_oaep()
