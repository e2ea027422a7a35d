"""When the server's own TLS certificate is replaced, and that it opens afterwards."""

import ssl
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from certwright.adapters.authorities.tls import ServerIdentity, issue_server_identity
from certwright.adapters.authorities.tls_folder import TlsFolder
from certwright.adapters.keys.key_encryption import KeyEncryptionKey
from certwright.domain.certificates import SerialNumber
from certwright.domain.errors import KeyUnavailable
from worlds.authorities import KEK, make_hierarchy
from worlds.contoso import NOW

HIERARCHY = make_hierarchy()
NAMES = ("localhost", "CA.example.com", "127.0.0.1", "::1")
SOON = timedelta(days=60)


def make_identity(password: str) -> ServerIdentity:
    return issue_server_identity(
        NAMES, HIERARCHY.issuer, HIERARCHY.issuing_key, serial=SerialNumber(7), now=NOW, password=password
    )


@pytest.fixture
def folder(tmp_path: Path) -> TlsFolder:
    made = TlsFolder(tmp_path / "tls", KEK)
    made.replace(make_identity, "a password")
    return made


def find_fault(folder: TlsFolder, *, names: tuple[str, ...] = NAMES, now: datetime = NOW) -> str | None:
    return folder.find_fault(names, HIERARCHY.issuer.chain[0], now=now, renew_before=SOON)


def test_an_empty_folder_needs_one(tmp_path: Path) -> None:
    assert find_fault(TlsFolder(tmp_path, KEK)) == "there is none"


def test_a_fresh_one_is_good_and_opens_with_its_password_alone(folder: TlsFolder) -> None:
    assert find_fault(folder) is None
    files = folder.open()
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.identity, password=files.password)
    with pytest.raises(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.identity, password="another")


def test_names_are_compared_in_any_order_case_and_spelling(folder: TlsFolder) -> None:
    assert find_fault(folder, names=("0:0::1", "127.0.0.1", "ca.EXAMPLE.com", "LOCALHOST")) is None
    assert find_fault(folder, names=(*NAMES, "other.example.com")) == "the names have changed"


@pytest.mark.parametrize(("days", "fault"), [(397 - 61, None), (397 - 59, "it ends soon"), (400, "it ends soon")])
def test_one_near_its_end_is_found(days: int, fault: str | None, folder: TlsFolder) -> None:
    assert find_fault(folder, now=NOW + timedelta(days=days)) == fault


def test_one_of_another_authority_is_found(folder: TlsFolder) -> None:
    other = HIERARCHY.issuer.chain[-1]
    assert folder.find_fault(NAMES, other, now=NOW, renew_before=SOON) == "another authority issued it"


def test_one_that_was_broken_off_is_found(folder: TlsFolder) -> None:
    folder.open().identity.write_bytes(b"-----BEGIN")
    assert find_fault(folder) == "it cannot be read"


def test_another_passphrase_opens_nothing_and_the_password_is_not_shown(folder: TlsFolder, tmp_path: Path) -> None:
    assert folder.open().password not in repr(folder.open())
    with pytest.raises(KeyUnavailable):
        TlsFolder(tmp_path / "tls", KeyEncryptionKey("another passphrase")).open()
