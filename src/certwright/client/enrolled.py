"""What a client has in the end: a certificate that was checked, its chain, and files."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from certwright.client.errors import AnswerUnfit, FileExists


@dataclass(frozen=True, slots=True)
class EnrolledCertificate:
    """One certificate and the files that it is in; *chain* goes from its issuer up to the root; *key_file* may be a PFX."""

    template: str
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key_file: Path
    certificate_file: Path
    chain_file: Path


def order_chain(certificate: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return the issuers of *certificate*, each of which signed the one before it, up to a root.

    Errors: AnswerUnfit when one is missing.
    """
    chain: list[x509.Certificate] = []
    current = certificate
    while current.issuer != current.subject:
        issuer = next((each for each in others if each not in chain and _is_issued_by(current, each)), None)
        if issuer is None:
            raise AnswerUnfit("chain-broken", f"No certificate came that issued {current.subject.rfc4514_string()}.")
        chain.append(issuer)
        current = issuer
    return tuple(chain)


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def write_new(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file that was not there before. Errors: FileExists; OSError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise FileExists("file-exists", f"{path} is there already: name another folder with --out.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
