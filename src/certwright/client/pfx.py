"""Keys that the server made, out of the PFX files in which they come."""

from base64 import b64decode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from certwright.client.enrolled import EnrolledCertificate, order_chain, write_new
from certwright.client.errors import AnswerUnfit
from certwright.client.keys import encode_private_key
from certwright.client.rest import CertificateAnswer


def unpack_pfx(answer: CertificateAnswer, password: str, path: Path, *, keeps: bool) -> EnrolledCertificate:
    """Return the certificate of *answer* after it proved to be that of the key beside it, and wrote both to files.

    Shape: the files are *path* with suffixes; the key is in a PFX under *password* where that one is to be kept, else in PEM.
    Errors: AnswerUnfit; FileExists; OSError.
    """
    if answer.error is not None or answer.pfx is None:
        raise AnswerUnfit("certificate-refused", str(answer.error or f"No certificate of {answer.template} came."))
    try:
        encoded = b64decode("".join(answer.pfx.split()), validate=True)
        store = load_pkcs12(encoded, password.encode())
    except ValueError as error:
        raise AnswerUnfit("answer-unfit", "The Pfx that came does not open with the password that was sent.") from error
    key = store.key
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) or store.cert is None:
        raise AnswerUnfit("answer-unfit", "There is no key with its certificate in the Pfx that came.")
    certificate = store.cert.certificate
    if key.public_key() != certificate.public_key():
        raise AnswerUnfit("key-mismatch", "The certificate that came is for another key than the one beside it.")
    chain = order_chain(certificate, [each.certificate for each in store.additional_certs])
    files = [path.with_name(path.name + suffix) for suffix in (".p12" if keeps else ".key.pem", ".pem", ".chain.pem")]
    enrolled = EnrolledCertificate(answer.template, certificate, chain, *files)
    write_new(enrolled.key_file, encoded if keeps else encode_private_key(key), mode=0o600)
    write_new(enrolled.certificate_file, certificate.public_bytes(Encoding.PEM))
    write_new(enrolled.chain_file, b"".join(each.public_bytes(Encoding.PEM) for each in chain))
    return enrolled
