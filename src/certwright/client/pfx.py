"""Keys that came with their certificates, out of the PFX files in which they come."""

from base64 import b64decode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from certwright.client.enrolled import EnrolledCertificate, add_suffix, get_chain, order_chain, write_certificate
from certwright.client.errors import AnswerUnfit
from certwright.client.files import CERTIFICATE, CHAIN, KEY, PFX, PRIVATE_MODE, NewFiles
from certwright.client.keys import encode_private_key
from certwright.client.rest import CertificateAnswer


def unpack_pfx(answer: CertificateAnswer, password: str, path: Path, files: NewFiles, *, keeps: bool) -> EnrolledCertificate:
    """Return the certificate of *answer* after it proved to be that of the key beside it, and wrote both to files.

    A certificate that was issued elsewhere comes without its chain, and one of earlier days with what there was.

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
    others = [each.certificate for each in store.additional_certs]
    chain = order_chain(certificate, others) if answer.is_older else get_chain(certificate, others)
    key_file = add_suffix(path, PFX if keeps else KEY)
    enrolled = EnrolledCertificate(
        answer.template,
        certificate,
        chain,
        key_file,
        add_suffix(path, CERTIFICATE),
        add_suffix(path, CHAIN) if chain else None,
        is_external=answer.is_external,
        is_key_history=answer.is_key_history,
    )
    files.write(key_file, encoded if keeps else encode_private_key(key), PRIVATE_MODE)
    write_certificate(path, enrolled, files)
    return enrolled
