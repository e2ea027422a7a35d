"""Bootstrap's part about the authorities: that they are those of the keys that are sealed, and the file of the root."""

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from certwright.adapters.authorities.embedded import EmbeddedAuthority
from certwright.adapters.authorities.hierarchy import describe_issuer
from certwright.adapters.files import PUBLIC_MODE, replace_file
from certwright.adapters.keys.keyring import Keyring
from certwright.adapters.keys.software import SoftwareKey, open_key
from certwright.adapters.sql.store import SqlStore
from certwright.bootstrap_keys import HISTORY, ISSUING, ROOT
from certwright.domain.errors import InstallationMissing, KeyUnavailable, RootCertificateDiffers, StoredRowAltered
from certwright.domain.keys import AuthorityRecord, SealedKey
from certwright.formats.public_keys import describe_public_key
from certwright.settings import Settings

ROOT_CERTIFICATE_FILE = "ca.pem"


def open_authorities(
    store: SqlStore, data: Path, kek: Keyring, *, is_to_be_proven: bool
) -> tuple[tuple[AuthorityRecord, ...], dict[str, SealedKey]]:
    """Return the issuing authority and those above it, and the keys that serving needs; the file of the root is there then.

    Shape: where they are *to be proven*, as they are stored, whatever was done to them.

    Errors: InstallationMissing; KeyUnavailable; StoredRowAltered; RootCertificateDiffers.
    """
    records, sealed = _load(store, data)
    if not is_to_be_proven:
        _check(store, kek, records)
        _keep_root_certificate(data, records[-1].certificate)
    return records, sealed


def _load(store: SqlStore, data: Path) -> tuple[tuple[AuthorityRecord, ...], dict[str, SealedKey]]:
    with store.reading() as session:
        records = {each.name: each for each in session.keys.list_authorities()}
        sealed = {name: session.keys.find_key(name) for name in (ISSUING, HISTORY)}
    if ROOT not in records or ISSUING not in records:
        raise InstallationMissing(str(data))
    missing = [name for name, key in sealed.items() if key is None]
    if missing:
        raise KeyUnavailable(missing[0])
    return (records[ISSUING], records[ROOT]), {name: key for name, key in sealed.items() if key is not None}


def _check(store: SqlStore, kek: Keyring, records: tuple[AuthorityRecord, ...]) -> None:
    """Raise unless *records* have their marks, have the keys that are sealed, and each is signed by the one above it.

    Of a key that is not here the mark alone says which it is. Errors: StoredRowAltered; KeyUnavailable.
    """
    with store.reading() as session:
        session.keys.check_authorities()
        sealed = {each.name: session.keys.find_key(each.key_name) for each in records}
    for record, above in zip(records, (*records[1:], records[-1]), strict=True):
        key = sealed[record.name]
        if not _is_signed(record, above) or (key is not None and not _is_of_key(record, key, kek)):
            raise StoredRowAltered("authority", record.name)


def make_authority(records: tuple[AuthorityRecord, ...], key: SoftwareKey, settings: Settings) -> EmbeddedAuthority:
    """Return what issues. Errors: StoredRowAltered for a certificate that is none, or of another key."""
    policies = frozenset(settings.issuance.certificate_policies)
    try:
        issuer = describe_issuer(records, **list_publication_urls(settings, ISSUING), certificate_policies=policies)
        return EmbeddedAuthority(issuer, key)
    except (ValueError, x509.ExtensionNotFound, KeyUnavailable):
        raise StoredRowAltered("authority", records[0].name) from None


def list_publication_urls(settings: Settings, authority: str) -> dict[str, tuple[str, ...]]:
    """Return where an authority's revocation list and certificate are found."""
    base = settings.server.public_url.rstrip("/")
    return {"crl_urls": (f"{base}/crl/{authority}.crl",), "certificate_urls": (f"{base}/ca/{authority}.crt",)}


def _is_signed(record: AuthorityRecord, above: AuthorityRecord) -> bool:
    try:
        issuer = x509.load_der_x509_certificate(above.certificate)
        x509.load_der_x509_certificate(record.certificate).verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_of_key(record: AuthorityRecord, key: SealedKey, kek: Keyring) -> bool:
    certified = x509.load_der_x509_certificate(record.certificate).public_key()
    return describe_public_key(certified).encoded == open_key(key, kek).public_key.encoded


def _keep_root_certificate(data: Path, root: bytes) -> None:
    """Write the file of the root for clients to trust, once. Errors: RootCertificateDiffers.

    Clients are given copies of it: a database that says otherwise is not to change what they trust.
    """
    path = data / ROOT_CERTIFICATE_FILE
    content = x509.load_der_x509_certificate(root).public_bytes(Encoding.PEM)
    if not path.is_file():
        replace_file(path, content, mode=PUBLIC_MODE)
    elif path.read_bytes() != content:
        raise RootCertificateDiffers(str(path))
