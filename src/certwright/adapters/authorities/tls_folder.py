"""Where the server's own TLS certificate rests, and when it needs another one."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certwright.adapters.authorities.tls import ServerIdentity
from certwright.adapters.files import make_private_folder_within, open_or_create, replace_file
from certwright.domain.errors import KeyUnavailable
from certwright.domain.keys import SealedPart, SealedRow
from certwright.domain.ports_at_rest import Cipher

PASSWORD_NAME = "tls-password"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What `ssl.SSLContext.load_cert_chain` wants. Shape: *identity* is PEM, certificates and encrypted private key."""

    identity: Path
    password: str

    def __repr__(self) -> str:
        return f"TlsFiles({str(self.identity)!r}, ...)"


class TlsFolder:
    """One PEM file with certificate and encrypted key, replaced as a whole, and beside it the password, sealed."""

    def __init__(self, folder: Path, kek: Cipher) -> None:
        self._identity = folder / "server.pem"
        self._password = folder / "server.password.sealed"
        self._kek = kek

    def find_fault(self, names: Sequence[str], issuer: bytes, *, now: datetime, renew_before: timedelta) -> str | None:
        """Return why another certificate is needed, or None.

        Shape: *issuer* is the DER certificate of the authority that should have issued it.
        """
        if not (self._identity.is_file() and self._password.is_file()):
            return "there is none"
        try:
            certificate, above = x509.load_pem_x509_certificates(self._identity.read_bytes())[:2]
            names_there = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (ValueError, x509.ExtensionNotFound):
            return "it cannot be read"
        if above != x509.load_der_x509_certificate(issuer):
            return "another authority issued it"
        if _list_names(names_there) != {_fold(each) for each in names}:
            return "the names have changed"
        if not self._has_key_that_opens():
            return "its key cannot be opened"
        end = certificate.not_valid_after_utc
        # In the last days of the authority, another one would not last longer.
        return "it ends soon" if end - now < renew_before and end < above.not_valid_after_utc else None

    def find_end(self) -> datetime | None:
        """Return when the certificate ends; None where there is none that can be read."""
        try:
            return x509.load_pem_x509_certificate(self._identity.read_bytes()).not_valid_after_utc
        except (OSError, ValueError):
            return None

    def find_version(self) -> tuple[int, int] | None:
        """Return what is another value after the files were replaced; None where there is none."""
        try:
            status = self._identity.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Run the body while no other process looks at the files and replaces them. Errors: OSError."""
        make_private_folder_within(self._identity.parent)
        lock = open_or_create(self._identity.parent / ".lock", os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _has_key_that_opens(self) -> bool:
        try:
            load_pem_private_key(self._identity.read_bytes(), self.open().password.encode())
        except (KeyUnavailable, UnicodeDecodeError, ValueError, TypeError):
            return False
        return True

    def replace(self, make: Callable[[str], ServerIdentity], password: str) -> None:
        """Keep what *make* makes under *password*."""
        identity = make(password)
        make_private_folder_within(self._identity.parent)
        # A crash between the two leaves an identity that cannot be opened; the next start finds that and makes another.
        replace_file(self._password, self._kek.seal(password.encode(), PASSWORD_NAME))
        replace_file(self._identity, identity.certificates + identity.private_key)

    def open(self) -> TlsFiles:
        """Return the files and their password. Errors: KeyUnavailable."""
        return TlsFiles(self._identity, self._kek.open(self._password.read_bytes(), PASSWORD_NAME).decode())

    def find_sealed(self) -> SealedRow | None:
        """Return the sealed password, or None when there is none."""
        if not self._password.is_file():
            return None
        stored = self._password.read_bytes()
        part = SealedPart(PASSWORD_NAME, stored)
        return SealedRow(place=f"{self._password.parent.name}/{self._password.name}", key=None, stored=stored, parts=(part,))

    def replace_sealed(self, part: SealedPart) -> None:
        """Write the password, sealed in another way, in place of the one that is there."""
        replace_file(self._password, part.sealed)


def _list_names(names: x509.SubjectAlternativeName) -> set[str]:
    addresses = [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    return {each.lower() for each in names.get_values_for_type(x509.DNSName)} | set(addresses)


def _fold(name: str) -> str:
    """Return the one spelling of a host name or address."""
    try:
        return str(ip_address(name))
    except ValueError:
        return name.lower()
