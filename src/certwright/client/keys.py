"""Keys and certificate requests as the server's generation options ask for them."""

from base64 import encodebytes

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certwright.client.errors import AnswerUnfit
from certwright.client.rest import GenerationOptions

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

CURVES: dict[str, ec.EllipticCurve] = {"ECDSA_P256": ec.SECP256R1(), "ECDSA_P384": ec.SECP384R1()}
LARGEST_KEY_BITS = 16_384
PUBLIC_EXPONENT = 65_537
STRONGER_HASHES: dict[str, hashes.SHA384 | hashes.SHA512] = {"SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}


def generate_key(options: GenerationOptions) -> PrivateKey:
    """Return a new key of the algorithm and size that *options* name. Errors: AnswerUnfit for one that we cannot make."""
    if options.algorithm in CURVES:
        return ec.generate_private_key(CURVES[options.algorithm])
    if options.algorithm == "RSA" and 2048 <= options.key_size <= LARGEST_KEY_BITS:
        return rsa.generate_private_key(public_exponent=PUBLIC_EXPONENT, key_size=options.key_size)
    wanted = f"{options.algorithm} with {options.key_size} bits"
    raise AnswerUnfit("key-unsupported", f"The server asks for a key that this client does not make: {wanted}.")


def encode_certificate_request(key: PrivateKey, options: GenerationOptions) -> str:
    """Return the PKCS#10 request for *key*, base64 of DER in lines that end with CRLF; its subject is empty.

    Where the options say SHA1 it is signed with SHA-256, which servers take for at least as good.

    Source: RFC 2986; the form of the documented requests in get-certificate-responses.md.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = builder.sign(key, STRONGER_HASHES.get(options.hash, hashes.SHA256()))
    lines = encodebytes(request.public_bytes(serialization.Encoding.DER)).decode()
    return lines.replace("\n", "\r\n")


def encode_private_key(key: PrivateKey) -> bytes:
    """Return *key* as PEM, PKCS#8, not encrypted: the file's mode protects it."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
