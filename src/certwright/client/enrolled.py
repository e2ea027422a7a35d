"""What a client has in the end: a certificate that was checked, its chain, and files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from certwright.client.errors import AnswerUnfit
from certwright.client.files import CERTIFICATE, CHAIN, NewFiles


@dataclass(frozen=True, slots=True)
class EnrolledCertificate:
    """One certificate and the files that it is in.

    Shape: *chain* goes from its issuer up to the root; *key_file* may be a PFX, and None for a certificate that came from
    elsewhere without its key; *chain_file* is None where nothing of the chain came.
    """

    template: str
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key_file: Path | None
    certificate_file: Path
    chain_file: Path | None
    is_external: bool = False
    is_key_history: bool = False


def get_chain(certificate: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return the issuers of *certificate*, each of which signed the one before it, up to a root.

    Errors: AnswerUnfit when one is missing.
    """
    chain = order_chain(certificate, others)
    last = chain[-1] if chain else certificate
    if last.issuer != last.subject:
        raise AnswerUnfit("chain-broken", f"No certificate came that issued {last.subject.rfc4514_string()}.")
    return chain


def order_chain(certificate: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return the issuers of *certificate* as far as they are among *others*, each of which signed the one before it."""
    chain: list[x509.Certificate] = []
    current = certificate
    while current.issuer != current.subject:
        issuer = next((each for each in others if each not in chain and _is_issued_by(current, each)), None)
        if issuer is None:
            break
        chain.append(issuer)
        current = issuer
    return tuple(chain)


def write_certificate(path: Path, enrolled: EnrolledCertificate, files: NewFiles) -> None:
    """Write certificate and chain into the files that *path* with suffixes names. Errors: FileExists; OSError."""
    files.write(add_suffix(path, CERTIFICATE), enrolled.certificate.public_bytes(Encoding.PEM))
    if enrolled.chain_file is not None:
        files.write(add_suffix(path, CHAIN), b"".join(each.public_bytes(Encoding.PEM) for each in enrolled.chain))


def add_suffix(path: Path, suffix: str) -> Path:
    """Return *path* with *suffix* after whatever it ends with."""
    return path.with_name(path.name + suffix)


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
