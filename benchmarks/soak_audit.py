"""Looks at what a soak has left: tables, certificates and history, with nothing of the server's own code.

The tables are read with Python's sqlite3 or psycopg, certificates with the library cryptography, and the history is proven by
the program that docs/how-to/prove-the-history.md prints, which takes openssl.
"""

import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key, pkcs7

GUIDE = Path(__file__).parents[1] / "docs" / "how-to" / "prove-the-history.md"
COMPLETED = 8
EXPORTS = ("events.jsonl", "seals.jsonl", "retention.jsonl")


@dataclass(frozen=True)
class Answered:
    """What a client got for one request. Shape: *key* is the public key in DER, *answers* are PKCS #7 in DER, one a post."""

    key: bytes
    answers: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class Findings:
    """Shape: the GUIDs of requests, without hyphens, of which something does not hold; *faults* are about everything else."""

    lost: list[str]
    doubled: list[str]
    differing: list[str]
    stuck: list[str]
    faults: list[str]
    certificates: int
    proof: str

    @property
    def is_clean(self) -> bool:
        """Return whether nothing was found."""
        return not (self.lost or self.doubled or self.differing or self.stuck or self.faults)

    def __str__(self) -> str:
        counted = ", ".join(f"{len(getattr(self, each))} {each}" for each in ("lost", "doubled", "differing", "stuck"))
        return f"{counted}; {len(self.faults)} other faults; {self.certificates:,} certificates; {self.proof}"


def audit(database: str, answered: Mapping[str, Answered], root: bytes, history: Path) -> Findings:
    """Return what does not hold.

    Shape: *database* is the path of an SQLite file or a PostgreSQL URL; *answered* is by the GUID of the request, without
    hyphens; *root* is the certificate in PEM that clients trust; *history* is a folder with `EXPORTS`, ``history.pem`` and
    ``history.checkpoints``.
    """
    rows = _query(database, "SELECT request_id, encoded, serial FROM certificates")
    stored: dict[str, list[bytes | None]] = {}
    for request, encoded, _ in rows:
        stored.setdefault(_plain(request), []).append(None if encoded is None else bytes(encoded))
    faults = [*_check_files(database), *_check_issued(database, stored), *_check_serials(rows)]
    delivered: dict[str, set[bytes]] = {}
    trusted = x509.load_pem_x509_certificate(root)
    for request, each in answered.items():
        delivered[request] = {_find_certificate(each.key, answer) for answer in each.answers}
        faults += [
            f"{request}: {fault}" for answer in each.answers[-1:] for fault in _check_signatures(each.key, answer, trusted)
        ]
    proof = prove(history)
    return Findings(
        lost=[request for request, certificates in delivered.items() if certificates and request not in stored],
        doubled=[request for request, each in stored.items() if len(each) > 1],
        differing=[
            request
            for request, certificates in delivered.items()
            if len(certificates) > 1 or (certificates and request in stored and not certificates & set(stored[request]))
        ],
        stuck=_list_stuck(database, stored, answered),
        faults=[*faults, *(() if proof.returncode == 0 else (f"history: {proof.stdout}{proof.stderr}",))],
        certificates=len(rows),
        proof=proof.stdout.strip(),
    )


def prove(history: Path) -> subprocess.CompletedProcess[str]:
    """Run the program that the guide prints."""
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    return subprocess.run([sys.executable, "-I", "-c", program], cwd=history, capture_output=True, text=True, check=False)


def list_open(database: str) -> list[str]:
    """Return the requests that are not completed."""
    return [_plain(each) for (each,) in _query(database, f"SELECT id FROM requests WHERE status <> {COMPLETED}")]


def _query(database: str, statement: str) -> list[tuple]:
    if database.startswith("postgresql"):
        with psycopg.connect(database) as connection:
            return connection.execute(statement.encode()).fetchall()
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(statement).fetchall()


def _plain(request: object) -> str:
    return str(request).replace("-", "")


def _check_files(database: str) -> Iterator[str]:
    if database.startswith("postgresql"):
        return
    if (found := _query(database, "PRAGMA integrity_check")) != [("ok",)]:
        yield f"integrity: {found[:3]}"
    if found := _query(database, "PRAGMA foreign_key_check"):
        yield f"foreign keys: {found[:3]}"


def _check_issued(database: str, stored: Mapping[str, object]) -> Iterator[str]:
    """Each certificate is in one event, and each event has a certificate."""
    told = Counter(
        _plain(each) for (each,) in _query(database, "SELECT request_id FROM events WHERE type = 'certificate.issued'")
    )
    yield from (f"{request}: told {count} times that a certificate was issued" for request, count in told.items() if count > 1)
    yield from (f"{request}: no event tells of its certificate" for request in stored.keys() - told.keys())
    yield from (f"{request}: an event tells of a certificate that is not there" for request in told.keys() - stored.keys())


def _check_serials(rows: list[tuple]) -> Iterator[str]:
    serials = Counter(
        x509.load_der_x509_certificate(bytes(encoded)).serial_number for _, encoded, _ in rows if encoded is not None
    )
    yield from (f"serial number {serial:x} was given {count} times" for serial, count in serials.items() if count > 1)


def _list_stuck(database: str, stored: Mapping[str, list[bytes | None]], answered: Mapping[str, Answered]) -> list[str]:
    unsigned = [request for request, each in stored.items() if None in each]
    unanswered = [request for request in stored if not (request in answered and answered[request].answers)]
    return sorted({*list_open(database), *unsigned, *unanswered})


def _find_certificate(key: bytes, answer: bytes) -> bytes:
    """Return the certificate for *key*, or nothing where there is none."""
    wanted = load_der_public_key(key)
    found = [each for each in pkcs7.load_der_pkcs7_certificates(answer) if each.public_key() == wanted]
    return found[0].public_bytes(Encoding.DER) if found else b""


def _check_signatures(key: bytes, answer: bytes, root: x509.Certificate) -> Iterator[str]:
    """Go from the certificate for *key* to *root*."""
    certificate = _find_certificate(key, answer)
    if not certificate:
        yield "the answer has no certificate for the key that was sent"
        return
    leaf = x509.load_der_x509_certificate(certificate)
    above = {each.subject: each for each in pkcs7.load_der_pkcs7_certificates(answer) if each.public_key() != leaf.public_key()}
    issuing = above.get(leaf.issuer)
    if issuing is None:
        yield "the answer has no certificate of the issuing authority"
        return
    try:
        leaf.verify_directly_issued_by(issuing)
        issuing.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError) as error:
        yield f"its certificate is not signed by the authority: {error!r}"
