"""Certificate requests in the shape in which certreq.exe of Windows writes them, put together by hand: no Windows was there.

The attributes, their order, the label and the ends of lines are those of the request that Microsoft's documentation of
certificatedata prints; subject and key are our own.
"""

import base64
import sys
from pathlib import Path

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ObjectIdentifier

OS_VERSION = "1.3.6.1.4.1.311.13.2.3"
CLIENT_INFORMATION = "1.3.6.1.4.1.311.21.20"
PROVIDER = "1.3.6.1.4.1.311.13.2.2"
EXTENSIONS = "1.2.840.113549.1.9.14"
TEMPLATE_NAME = "1.3.6.1.4.1.311.20.2"


def element(tag: int, *contents: bytes) -> bytes:
    """Return the DER of *contents* under *tag*."""
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def identifier(dotted: str) -> bytes:
    """Return the DER of an object identifier."""
    return asn1.encode_der(ObjectIdentifier(dotted))


def attribute(dotted: str, value: bytes) -> bytes:
    """Return an attribute with one value."""
    return element(0x30, identifier(dotted), element(0x31, value))


def list_attributes(provider: str) -> bytes:
    """Return the attributes of certreq."""
    information = (element(0x0C, each.encode()) for each in ("HOST.corp.contoso.com", "CORP\\zoë", "certreq.exe"))
    template = element(0x30, identifier(TEMPLATE_NAME), element(0x04, element(0x1E, "User".encode("utf-16-be"))))
    return element(
        0xA0,
        attribute(OS_VERSION, element(0x16, b"10.0.19045.2")),
        attribute(CLIENT_INFORMATION, element(0x30, b"\x02\x01\x05", *information)),
        attribute(PROVIDER, element(0x30, b"\x02\x01\x00", element(0x1E, provider.encode("utf-16-be")), b"\x03\x01\x00")),
        attribute(EXTENSIONS, element(0x30, template)),
    )


def make(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, provider: str) -> str:
    """Return a request as certreq writes it into a file."""
    common_name = element(0x31, element(0x30, identifier("2.5.4.3"), element(0x1E, "Zoë Müller".encode("utf-16-be"))))
    public_key = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    info = element(0x30, b"\x02\x01\x00", element(0x30, common_name), public_key, list_attributes(provider))
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm = identifier("1.2.840.113549.1.1.11") + b"\x05\x00"
        signature = key.sign(info, padding.PKCS1v15(), hashes.SHA256())
    else:
        algorithm, signature = identifier("1.2.840.10045.4.3.2"), key.sign(info, ec.ECDSA(hashes.SHA256()))
    encoded = element(0x30, info, element(0x30, algorithm), element(0x03, b"\x00", signature))
    text = base64.b64encode(encoded).decode()
    lines = "".join(f"{text[start : start + 64]}\r\n" for start in range(0, len(text), 64))
    return f"-----BEGIN NEW CERTIFICATE REQUEST-----\r\n{lines}-----END NEW CERTIFICATE REQUEST-----\r\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    software = "Microsoft Software Key Storage Provider"
    for name, key in (("rsa", rsa.generate_private_key(65_537, 2_048)), ("p256", ec.generate_private_key(ec.SECP256R1()))):
        (folder / f"windows-shape-{name}.pem").write_bytes(make(key, software).encode())
